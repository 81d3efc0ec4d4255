/** What goes on in a server, and what operators do about it: a whole coordinator, and PostgreSQL as it is. */
import pg from 'pg'
import t, { type Test } from 'tap'
import type { Activity, Locks } from '../../src/pgmon/activity/forms.js'
import { MARKUP } from '../inspector/corpus.js'
import { startPostgres } from '../parts/postgres.js'
import { type RestServer, restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'

const OWN = '/pgmon/servers/coordinator'

t.test('the embedded database', async t => {
  const { ask } = await restServer(t)

  await t.test('P-03: it has one session, which is ours and cannot be signalled', async t => {
    const { status, body } = await ask('GET', `${OWN}/activity`)
    t.match([status, body], [200, { name: 'coordinator', total: 1, sessions: [{ is_ours: true }] }])
    const [{ pid, started_at }] = body.sessions
    for (const signal of ['cancel', 'terminate'])
      t.match(await ask('POST', `${OWN}/activity/${pid}/${signal}`, { body: { started_at } }), {
        status: 409,
        body: { code: 'session_protected', detail: /one session, which is ours/ },
      })
    t.match((await ask('GET', `${OWN}/locks`)).body, { blocked: 0, tree: [] })
  })

  await t.test('P-03: its largest tables are told', async t => {
    const [database] = (await ask('GET', `${OWN}/activity`)).body.sessions.map(
      (session: { database: string }) => session.database,
    )
    const { status, body } = await ask('GET', `/pgmon/server/coordinator/db/${database}/tables`)
    t.equal(status, 200)
    t.match(
      body.tables.find(({ name }: { name: string }) => name === 'pgmon_servers'),
      { schema: 'public', total_bytes: Number, live_rows: Number },
    )
    t.equal((await ask('GET', '/pgmon/server/coordinator/db/nowhere/tables')).status, 404)
  })
})

t.test('PostgreSQL', async t => {
  const postgres = await startPostgres(t)
  if ('missing' in postgres) return t.comment(postgres.missing)
  const server = await restServer(t, { databaseUrl: await postgres.schema() })
  const { ask } = server
  const open = (name: string) => opened(t, postgres.url, name)

  await t.test('P-03: sessions are told, active and long ones first', async t => {
    const idle = await open('idles')
    await idle.query('select 1 as idle')
    const held = await open('holds')
    await held.query('begin')
    const busy = await open('busy')
    const nap = endOf(busy.query('select pg_sleep(60)'))
    const told = await seen(server, 'busy', ({ state }) => state === 'active')
    const of = (name: string) => told.sessions.find(({ application }) => application === name)
    const places = ['busy', 'holds', 'idles'].map(name =>
      told.sessions.findIndex(({ application }) => application === name),
    )
    t.same(
      places,
      [...places].sort((a, b) => a - b),
    )
    t.match(of('busy'), {
      state: 'active',
      user: 'boson',
      database: 'postgres',
      kind: 'client backend',
      client: /^127\.0\.0\.1:\d+$/,
      wait: 'Timeout: PgSleep',
      query: 'select pg_sleep(60)',
      started_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
      transaction_s: Number,
      blocked_by: [],
      is_ours: false,
    })
    t.match(of('idles'), { state: 'idle', query: 'select 1 as idle', transaction_s: null, query_s: Number })
    t.match(of('holds'), { state: 'idle in transaction', transaction_s: Number })
    t.match(of('boson monitor'), { is_ours: true })

    const few = await ask('GET', `${OWN}/activity?state=idle%20in%20transaction&database=postgres`)
    t.match(few.body, { total: 1, sessions: [{ application: 'holds' }] })
    t.match((await ask('GET', `${OWN}/activity?min_s=3600&state=active`)).body, { total: 0, sessions: [] })

    const { pid, started_at } = of('busy') ?? {}
    const other = { body: { started_at: started_at?.replace(/\d{4}Z$/, '0000Z') } }
    for (const signal of ['cancel', 'terminate'])
      t.match(
        await ask('POST', `${OWN}/activity/${pid}/${signal}`, other),
        { status: 404 },
        'the pid of one that began at another time',
      )
    const answer = await ask('POST', `${OWN}/activity/${pid}/cancel`, { body: { started_at } })
    t.match(answer, { status: 200, body: { outcome: 'signalled', session: { pid, application: 'busy' } } })
    t.match(await nap, { code: '57014' })
    t.match(await audited(server, pid), {
      kind: 'monitored_session.cancelled',
      subject: 'coordinator',
      detail: { pid, user: 'boson', database: 'postgres', query: 'select pg_sleep(60)' },
    })
  })

  await t.test('a session that is terminated is gone', async t => {
    const client = await open('goes')
    const gone = new Promise<unknown>(resolve => client.once('error', resolve))
    await client.query(`select 'password=hunter2'`)
    const [session] = (await seen(server, 'goes')).sessions.filter(
      ({ application }) => application === 'goes',
    )
    const ends = () =>
      ask('POST', `${OWN}/activity/${session?.pid}/terminate`, { body: { started_at: session?.started_at } })
    t.match(await ends(), { status: 200, body: { outcome: 'signalled', note: null } })
    t.match(await gone, { code: '57P01' })
    t.match(await audited(server, session?.pid), {
      kind: 'monitored_session.terminated',
      detail: { query: `select 'password=***'` },
    })
    await until('it is gone', async () => (await ends()).status === 404)
  })

  await t.test('what is ours, and what is the server’s own, is not signalled', async t => {
    const { sessions } = await seen(server, 'boson monitor')
    for (const one of sessions.filter(({ is_ours, kind }) => is_ours || kind !== 'client backend'))
      t.match(
        await ask('POST', `${OWN}/activity/${one.pid}/terminate`, { body: { started_at: one.started_at } }),
        { status: 409, body: { code: 'session_protected' } },
        one.kind,
      )
    t.ok(sessions.length > 1)
  })

  await t.test('P-03: who waits stands below whom it waits for, until that one is cancelled', async t => {
    const [holds, waits, last] = [await open('holder'), await open('waits'), await open('last')]
    await holds.query('create table goods (id int primary key, count int)')
    await holds.query('insert into goods values (1, 1)')
    await holds.query('begin; update goods set count = 2')
    const update = endOf(waits.query('update goods set count = 3 where id = 1'))
    await locksWhere(server, ({ blocked }) => blocked === 1)
    const alter = endOf(last.query('alter table goods add column name text'))
    const { tree, left_out } = await locksWhere(server, ({ blocked }) => blocked === 2)
    t.equal(left_out, 0)
    t.match(tree, [
      {
        session: { application: 'holder', state: 'idle in transaction', query: /^begin; update goods/ },
        lock: null,
        waited_s: null,
        waiting: [
          {
            session: { application: 'waits', query: 'update goods set count = 3 where id = 1' },
            lock: { mode: 'ShareLock', type: 'transactionid', relation: 'public.goods' },
            waited_s: Number,
            is_repeated: false,
            waiting: [{ session: { application: 'last' }, is_repeated: true, waiting: [] }],
          },
          {
            session: { application: 'last' },
            lock: { mode: 'AccessExclusiveLock', type: 'relation', relation: 'public.goods' },
            is_repeated: false,
          },
        ],
      },
    ])
    const held = await ask('GET', `/pgmon/server/coordinator/db/postgres/tables`)
    const why = held.body.unknown.find(({ what }: { what: string }) => what === 'tables')
    t.match(why, { why: /^1 are locked exclusively/ }, 'nothing waits with them')
    t.notOk(held.body.tables.some(({ name }: { name: string }) => name === 'goods'))

    const { pid, started_at } = tree[0]?.waiting[0]?.session ?? {}
    t.match(await ask('POST', `${OWN}/activity/${pid}/cancel`, { body: { started_at } }), { status: 200 })
    t.match(await update, { code: '57014' })
    await locksWhere(server, ({ blocked }) => blocked === 1)
    await holds.query('commit')
    t.equal(await alter, null)
    t.match(await locksWhere(server, ({ blocked }) => blocked === 0), { tree: [] })
  })

  await t.test('names and queries that are markup are told as they are', async t => {
    const client = await open('markup')
    for (const markup of MARKUP) {
      await client.query(`select set_config('application_name', $1, false)`, [markup])
      await client.query(`select ${pg.escapeLiteral(markup)} as markup`)
      const answer = await ask('GET', `${OWN}/activity`)
      t.match(answer.headers.get('content-type'), 'application/json')
      const told = (answer.body as Activity).sessions.find(({ query }) => query?.endsWith('as markup'))
      t.match(told, { query: `select ${pg.escapeLiteral(markup)} as markup` })
    }
  })
})

/** Resolves with a connection of this name; it is closed when the test ends. */
async function opened(t: Test, connectionString: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, application_name: name })
  client.on('error', () => {})
  await client.connect()
  t.teardown(() => client.end())
  return client
}

/** Resolves with the error that a statement ends with, or null. */
const endOf = (statement: Promise<unknown>): Promise<unknown> =>
  statement.then(
    () => null,
    (error: unknown) => error,
  )

/** Resolves with the activity as soon as an application is so. */
const seen = (
  server: RestServer,
  name: string,
  isSo: (session: Activity['sessions'][number]) => boolean = () => true,
): Promise<Activity> =>
  until(`${name} as it should be`, async () => {
    const { body } = await server.ask('GET', `${OWN}/activity`)
    const told = body as Activity
    return told.sessions.some(session => session.application === name && isSo(session)) && told
  })

/** Resolves with who waits for whom as soon as it is so. */
const locksWhere = (server: RestServer, isSo: (locks: Locks) => boolean): Promise<Locks> =>
  until('locks as they should be', async () => {
    const { body } = await server.ask('GET', `${OWN}/locks`)
    return isSo(body as Locks) && (body as Locks)
  })

/** Resolves with the line of the audit that says what was done to a session. */
const audited = (server: RestServer, pid: unknown) =>
  until('it is audited', async () => {
    const { body } = await server.ask('GET', '/api/v1/audit')
    return body.audit.find(({ detail }: { detail: { pid?: number } }) => detail.pid === pid)
  })
