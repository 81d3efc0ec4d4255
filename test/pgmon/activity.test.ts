/** What goes on in a server, and what operators do about it: a whole coordinator, and PostgreSQL as it is. */
import pg from 'pg'
import t, { type Test } from 'tap'
import { PLUGINS } from '../../src/app/plugins.js'
import type { Activity, AdviceList, Locks, Statements, Tables } from '../../src/pgmon/activity/forms.js'
import { MARKUP } from '../inspector/corpus.js'
import { badges } from '../support/badges.js'
import { makeSchema, programsDirectory, startCluster } from '../support/postgres-cluster.js'
import { type RestServer, restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'

const SETTINGS = [
  'fsync=off',
  'shared_preload_libraries=pg_stat_statements',
  'max_prepared_transactions=2',
  // What is vacuumed here is vacuumed by the test.
  'autovacuum=off',
]

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
    t.same((await ask('GET', `${OWN}/advice`)).body.advice, [], 'the coordinator takes care of it')
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
  const programs = programsDirectory()
  if (programs === undefined) return t.comment('PostgreSQL is not installed')
  const cluster = await startCluster(programs, SETTINGS)
  t.teardown(() => cluster.remove())
  const databaseUrl = await makeSchema(cluster.url, 'mesh')
  const server = await restServer(t, {
    databaseUrl,
    plugins: [...PLUGINS, badges],
    env: { BOSON_PGMON_NETWORKS: '127.0.0.1' },
  })
  const { ask } = server
  const open = (name: string, database = 'postgres', user = 'boson') =>
    opened(t, cluster.url, { application_name: name, database, user })
  const port = Number(new URL(cluster.url).port)
  const watch = async (name: string, user: string, database = 'postgres') => {
    const body = { name, host: '127.0.0.1', port, user, database, tls: 'disable' }
    t.match(await ask('POST', '/pgmon/servers', { body }), { status: 201 })
    return `/pgmon/servers/${name}`
  }

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

  await t.test('a connection of the coordinator itself may be ended: it connects again', async t => {
    const { sessions } = await seen(server, 'boson')
    for (const { pid, started_at } of sessions.filter(({ application }) => application === 'boson'))
      t.match(await ask('POST', `${OWN}/activity/${pid}/terminate`, { body: { started_at } }), {
        status: 200,
        body: { note: /connects again/ },
      })
    await until('the audit is there', async () => (await ask('GET', '/api/v1/audit')).status === 200)
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

  const owner = await open('owner')
  await owner.query('create extension pg_stat_statements')
  await owner.query('create database shop')

  await t.test('who waits in another database waits for a table with a name', async t => {
    const [holds, waits] = [await open('holds-there', 'shop'), await open('waits-there', 'shop')]
    await holds.query('create table goods ()')
    await holds.query('begin; lock goods')
    const select = endOf(waits.query('select * from goods'))
    const { tree } = await locksWhere(server, ({ blocked }) => blocked === 1)
    t.match(tree[0]?.waiting[0]?.lock, { mode: 'AccessShareLock', relation: 'public.goods' })
    await holds.query('commit')
    t.equal(await select, null)
  })

  await t.test('a prepared transaction that others wait for is told, though no session has it', async t => {
    const [prepares, waits] = [await open('prepares'), await open('waits')]
    await prepares.query('create table prepared ()')
    await prepares.query(`begin; lock prepared; prepare transaction 'first phase'`)
    const select = endOf(waits.query('select * from prepared'))
    const { tree, unknown } = await locksWhere(server, ({ blocked }) => blocked === 1)
    t.match(tree, [
      {
        session: { pid: 0, kind: 'prepared transaction' },
        waiting: [{ session: { application: 'waits', blocked_by: [0] } }],
      },
    ])
    t.match(unknown, [{ what: 'prepared transaction', why: /pg_prepared_xacts/ }])
    await prepares.query(`rollback prepared 'first phase'`)
    t.equal(await select, null)
  })

  await t.test('viewers see who does what, and no text of queries', async t => {
    const client = await open('has-secrets')
    await client.query(`select 'a customer’s name'`)
    await seen(server, 'has-secrets')
    for (const path of ['activity', 'locks', 'statements']) {
      const { status, body } = await ask('GET', `${OWN}/${path}`, { token: 'as-viewer' })
      t.equal(status, 200)
      t.notMatch(JSON.stringify(body), /customer’s|select /)
      t.match(body.unknown, [{ what: 'query', why: /the role operator is wanted/ }], path)
    }
    const { body } = await ask('GET', `${OWN}/activity`, { token: 'as-viewer' })
    t.match(
      body.sessions.find(({ application }: { application: string }) => application === 'has-secrets'),
      { state: 'idle', query: null },
    )
  })

  await t.test('a role without rights is told of which it needs', async t => {
    await owner.query('create role watcher login; create role worker login')
    const weak = await watch('weak', 'watcher')
    const pretends = await open('boson monitor', 'postgres', 'worker')
    await pretends.query('select 1 as pretended')
    const told = async (): Promise<Activity> => (await ask('GET', `${weak}/activity`)).body
    const theirs = ({ sessions }: Activity) => sessions.find(({ user }) => user === 'worker')

    const before = await told()
    t.match(theirs(before), { is_ours: false, started_at: null, query: null, kind: 'unknown' })
    t.match(before.unknown, [{ what: 'sessions', why: /GRANT pg_monitor TO/ }])

    await owner.query('grant pg_monitor to watcher')
    const after = await told()
    t.match(theirs(after), { is_ours: false, query: 'select 1 as pretended', kind: 'client backend' })
    t.same(after.unknown, [])

    const { pid, started_at } = theirs(after) ?? {}
    const ends = () => ask('POST', `${weak}/activity/${pid}/terminate`, { body: { started_at } })
    t.match(await ends(), {
      status: 409,
      body: { code: 'server_refused', detail: /GRANT pg_signal_backend/ },
    })
    await owner.query('grant pg_signal_backend to watcher')
    t.match(await ends(), { status: 200 })
    await until('it is gone', async () => theirs(await told()) === undefined)
    t.match(await ask('POST', `${weak}/statements/reset`), {
      status: 409,
      body: { code: 'server_refused', detail: /GRANT EXECUTE/ },
    })
  })

  await t.test('the statements that cost most are told, and forgotten when somebody says so', async t => {
    const client = await open('works')
    t.match((await ask('GET', `${await watch('shop', 'boson', 'shop')}/statements`)).body, {
      statements: [],
      unknown: [{ what: 'statements', why: /shared_preload_libraries.*CREATE EXTENSION pg_stat_statements/ }],
    })
    t.equal((await ask('POST', `${OWN}/statements/reset`)).status, 204)
    await client.query(`create role secretive password 'hunter2'`)
    await client.query('select pg_sleep(0.2)')
    for (let run = 1; run <= 40; run++) await client.query('select $1::int + 1 as counted', [run])
    const told = async (query: string) => (await ask('GET', `${OWN}/statements?${query}`)).body as Statements

    const { statements, since, unknown } = await told('by=time&limit=3')
    t.equal(statements.length, 3)
    t.same(unknown, [])
    t.match(since, /Z$/)
    t.match(statements[0], { query: 'select pg_sleep($1)', calls: 1, database: 'postgres', user: 'boson' })
    t.ok(Number(statements[0]?.mean_ms) >= 200)
    t.ok(Number(statements[0]?.time_ratio) > 0.1 && Number(statements[0]?.time_ratio) <= 1)
    const counted = (await told('by=calls')).statements.find(({ query }) => query?.includes('as counted'))
    t.match(counted, { calls: 40, rows: 40 })
    const reads = (await told('by=reads')).statements.map(({ blocks_read }) => blocks_read)
    t.same(
      reads,
      [...reads].sort((a, b) => b - a),
    )
    const { statements: all } = await told('limit=500')
    t.ok(all.some(({ query }) => query === `create role secretive password '***'`))
    t.notMatch(JSON.stringify(all), 'hunter2')

    t.equal((await ask('POST', `${OWN}/statements/reset`)).status, 204)
    t.notOk((await told('limit=500')).statements.some(({ query }) => query?.includes('as counted')))
    await until('it is audited', async () => {
      const { audit } = (await ask('GET', '/api/v1/audit')).body
      return audit.some(({ kind }: { kind: string }) => kind === 'monitored_statements.reset')
    })
  })

  await t.test('P-03: what is air in tables is estimated, and indexes that nobody uses are told', async t => {
    const client = await open('fills', 'shop')
    await client.query('create extension pgstattuple')
    await client.query(`create table parcels as
      select g as id, 'parcel ' || g as name, now() as at, nullif(g % 3, 0)::bigint as weight, (g % 7)::smallint as kind
      from generate_series(1, 20000) g`)
    await client.query('create index by_name on parcels (name)')
    await client.query('create unique index by_id on parcels (id)')
    await client.query('delete from parcels where id % 2 = 0')
    await client.query('select pg_stat_force_next_flush()')
    const vacuums = await open('vacuums', 'shop')
    await vacuums.query('vacuum analyze parcels')
    await vacuums.query('select pg_stat_force_next_flush()')

    const { rows } = await client.query(
      `select (free_space + dead_tuple_len)::int as air from pgstattuple('parcels')`,
    )
    const { status, body } = await ask('GET', '/pgmon/server/shop/db/shop/tables')
    t.equal(status, 200)
    const [parcels] = (body as Tables).tables
    t.match(parcels, {
      schema: 'public',
      name: 'parcels',
      live_rows: 10_000,
      dead_rows: 0,
      last_vacuum_at: /Z$/,
      last_analyze_at: /Z$/,
      freeze_age: Number,
      sequential_scans: Number,
    })
    const { table_bytes = 0, index_bytes = 0, total_bytes, bloat_bytes } = parcels ?? {}
    t.equal(total_bytes, table_bytes + index_bytes)
    t.ok(Math.abs(Number(bloat_bytes) / rows[0].air - 1) < 0.15, `${bloat_bytes} of ${rows[0].air}`)
    t.match(body.unused_indexes, [
      { schema: 'public', table: 'parcels', name: 'by_name', size_bytes: Number },
    ])
    t.equal(body.unused_indexes.length, 1, 'a unique one is of use though nothing is looked up in it')
  })

  await t.test('what a DBA would say is said, with where the manual says so', async t => {
    const client = await open('builds', 'shop')
    await client.query('create table twins as select 1 as id from generate_series(1, 2)')
    t.match(await endOf(client.query('create unique index concurrently by_twin on twins (id)')), {
      code: '23505',
    })
    // The failed statement is over a moment after it said so.
    const { advice } = await until('it is not built any more', async () => {
      const { body } = await ask('GET', '/pgmon/servers/shop/advice')
      return body.advice.length > 2 && (body as AdviceList)
    })
    t.match(advice, [
      { code: 'fsync_off', level: 'error', source: /^https:\/\/www\.postgresql\.org\/docs\// },
      { code: 'autovacuum_off', level: 'error' },
      { code: 'invalid_index', level: 'warn', found: /public\.by_twin/ },
    ])
    t.equal(advice.length, 3)
  })

  await t.test('names and queries that are markup are told as they are', async t => {
    const client = await open('markup')
    for (const markup of MARKUP) {
      const [text, name] = [pg.escapeLiteral(markup), pg.escapeIdentifier(markup)]
      await client.query(`select set_config('application_name', ${text}, false), ${text} as ${name}`)
      const answer = await ask('GET', `${OWN}/activity`)
      t.match(answer.headers.get('content-type'), 'application/json')
      const told = (answer.body as Activity).sessions.find(({ query }) => query?.endsWith(`as ${name}`))
      t.equal(told?.application, markup.slice(0, 63), 'PostgreSQL cuts names')
    }
    const [markup] = MARKUP
    const name = pg.escapeIdentifier(markup)
    await client.query(`create database ${name}`)
    const there = await open('there', markup)
    await there.query(`create schema ${name} create table ${name} (id int)`)
    const path = `/pgmon/server/shop/db/${encodeURIComponent(markup)}/tables`
    t.match(await ask('GET', path), {
      status: 200,
      body: { name: markup, tables: [{ schema: markup, name: markup }] },
    })
  })
})

/** Resolves with a connection; it is closed when the test ends. */
async function opened(t: Test, url: string, options: pg.ClientConfig): Promise<pg.Client> {
  const { hostname: host, port } = new URL(url)
  const client = new pg.Client({ host, port: Number(port), ...options })
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
