/** Connections to monitored servers: read only, bounded, made of checked fields, and of no harm to each other. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Asking, Databases, Server } from '../../src/pgmon/ports.js'
import { makeCertificate } from '../support/certificate.js'
import { MovableClock } from '../support/movable-clock.js'
import {
  ask,
  type Cluster,
  makeSchema,
  programsDirectory,
  startCluster,
} from '../support/postgres-cluster.js'
import { shortFolder } from '../support/short-folder.js'
import { until } from '../support/until.js'
import { watching } from './watching.js'

/** Every character that would mean something in a connection string, or in SQL. */
const ODD_NAME = `it's "odd"; --\\ ?sslmode=disable&host=/tmp options=-c`
/** Short, so that it is soon clear what happens when it is over, ms. */
const SHORT = { connectMs: 500, statementMs: 300, answerMs: 600 }

/** What stands in a connection string for something else, in the fields that PostgreSQL takes any text for. */
const SMUGGLED: readonly (readonly [string, string])[] = [
  ['database', 'postgres host=/tmp'],
  ['database', 'postgres?sslmode=disable'],
  ['database', 'postgres://boson@127.0.0.1/postgres'],
  ['database', "postgres' options='-c default_transaction_read_only=off"],
  ['database', 'x'.repeat(63)],
  ['user', 'boson options=-cdefault_transaction_read_only=off'],
  ['user', 'boson@localhost'],
  ['user', 'boson" or 1=1 --'],
  ['password', 'right user=boson'],
  ['password', "' user='boson"],
]

const programs = programsDirectory()

t.test(
  'connections to servers',
  { skip: programs === undefined && 'PostgreSQL is not installed' },
  async t => {
    const folder = shortFolder()
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const [cluster, hanging] = await Promise.all([started(t), started(t)])
    const ca = await guard(cluster, folder)
    await ask(cluster.url, `create database ${quoted(ODD_NAME)}`)
    const at = (one: Cluster) => ({ host: '127.0.0.1', port: Number(new URL(one.url).port) })
    const databaseUrl = await makeSchema(cluster.url, 'mesh')

    const clock = new MovableClock()
    const names = new Map<string, readonly string[]>()
    const lookUp = async (name: string) => names.get(name) ?? []
    const { servers, databases, add } = await watching(t, { databaseUrl, clock, lookUp, timing: SHORT })
    const whole = await add({ name: 'whole', ...at(cluster) })

    await t.test('nothing can be written over them, whatever the role may do', async t => {
      await add({ name: 'db1', ...at(cluster), user: 'boson' })
      for (const name of ['coordinator', 'db1']) await writesNothing(t, databases, servers.called(name))
    })

    await t.test('they are known for what they are, and what they ask has an end', async t => {
      const [found] = await databases.use(whole, null, db =>
        db.ask(`select current_user::text as "user", current_setting('application_name') as name,
        current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
        current_setting('idle_in_transaction_session_timeout') as idle, 2::int8 as whole, 2.5::numeric as part`),
      )
      t.same(found, {
        user: 'watcher',
        name: 'boson monitor',
        statement: '300ms',
        lock: '1s',
        idle: '10s',
        whole: 2,
        part: 2.5,
      })
      const pids = await databases.use(whole, null, async db => {
        const before = await pidOf(db)
        t.match(await refusal(db.ask('select pg_sleep(10)')), { code: '57014' }, 'PostgreSQL itself gives up')
        t.match(await refusal(db.ask('select no_such_column')), { code: '42703' }, 'its errors are answers')
        t.ok(db.version > 100_000)
        return [before, await pidOf(db)]
      })
      t.equal(pids[0], pids[1], 'and the connection is as good as before')
      t.match(
        databases.pools().find(({ server }) => server === 'whole'),
        { state: 'open', total: 1 },
      )
    })

    await t.test('nothing of the process’s environment gets into them', async t => {
      const passwords = join(folder, 'pgpass')
      writeFileSync(passwords, '*:*:*:*:right\n', { mode: 0o600 })
      const environment = {
        PGHOST: '/tmp',
        PGPORT: '1',
        PGUSER: 'boson',
        PGDATABASE: 'template1',
        PGPASSWORD: 'right',
        PGPASSFILE: passwords,
        PGOPTIONS: '-c default_transaction_read_only=off -c statement_timeout=0',
        PGSSLMODE: 'require',
        PGSSLNEGOTIATION: 'direct',
        PGREPLICATION: 'database',
        PGCLIENT_ENCODING: 'SQL_ASCII',
        PGAPPNAME: 'somebody else',
        PGCONNECT_TIMEOUT: '1',
      }
      const before = { ...process.env }
      Object.assign(process.env, environment)
      t.teardown(() => {
        for (const name of Object.keys(environment)) delete process.env[name]
        Object.assign(process.env, before)
      })
      const without = await add({ name: 'without', ...at(cluster), password: null })
      const refused = await refusal(databases.use(without, null, pidOf))
      t.match(refused, { code: 'SERVER_REFUSED', message: 'it wants a password' })

      const [found] = await databases.useNew(whole, db =>
        db.ask(`select current_user::text as "user", current_database()::text as database, ssl,
        current_setting('default_transaction_read_only') as read_only,
        current_setting('statement_timeout') as statement, current_setting('client_encoding') as encoding,
        current_setting('application_name') as name from pg_stat_ssl where pid = pg_backend_pid()`),
      )
      t.same(found, {
        user: 'watcher',
        database: 'postgres',
        ssl: false,
        read_only: 'on',
        statement: '300ms',
        encoding: 'UTF8',
        name: 'boson monitor',
      })
    })

    await t.test('whatever is in a name is the name', async t => {
      for (const one of [whole, servers.called('coordinator')]) {
        const [found] = await databases.use(one, ODD_NAME, db =>
          db.ask('select current_database()::text as name'),
        )
        t.same(found, { name: ODD_NAME }, one.name)
      }
      for (const [field, value] of SMUGGLED) {
        const one = await add({ name: 'odd', ...at(cluster), [field]: value })
        const error = await refusal(databases.use(one, null, pidOf))
        t.equal(error.code, 'SERVER_REFUSED', `${field} ${value}: ${error.message}`)
        await servers.remove(one)
      }
    })

    await t.test('why a server does not let us in is told in its own words', async t => {
      const cases: readonly (readonly [object, string, RegExp])[] = [
        [{ password: 'wrong' }, 'SERVER_REFUSED', /password authentication failed for user "watcher"/],
        [{ user: 'nobody' }, 'SERVER_REFUSED', /password authentication failed/],
        [{ database: 'none' }, 'SERVER_REFUSED', /database "none" does not exist/],
        [{ user: 'full' }, 'SERVER_BUSY', /too many connections for role "full"/],
        [{ user: 'outsider' }, 'SERVER_REFUSED', /pg_hba.conf rejects/],
        [{ port: 1 }, 'SERVER_AWAY', /nothing listens/],
        [{ host: 'unknown.test' }, 'SERVER_AWAY', /no address/],
        [{ port: Number(new URL(hanging.url).port), tls: 'require' }, 'SERVER_REFUSED', /does not offer TLS/],
      ]
      for (const [wish, code, words] of cases) {
        const one = await add({ name: 'shut', ...at(cluster), ...wish })
        const error = await refusal(databases.use(one, null, pidOf))
        t.match(error, { code, message: words })
        t.notMatch(JSON.stringify([error, error.message, String(error.stack)]), /wrong|right/)
        await servers.remove(one)
      }
      const off = await servers.change(await add({ name: 'off', ...at(cluster) }), { enabled: false })
      t.match(await refusal(databases.use(off, null, pidOf)), { code: 'SERVER_DISABLED' })
    })

    await t.test('TLS: a certificate is looked at where it should be', async t => {
      for (const name of ['db1.test', 'db2.test']) names.set(name, ['127.0.0.1'])
      const secured = { ...at(cluster), host: 'db1.test' }
      const isEncrypted = async (wish: object) => {
        const one = await add({ name: 'tls', ...secured, ...wish })
        try {
          const [row] = await databases.use(one, null, db =>
            db.ask<{ ssl: boolean }>('select ssl from pg_stat_ssl where pid = pg_backend_pid()'),
          )
          return row?.ssl
        } finally {
          await servers.remove(one)
        }
      }
      t.equal(await isEncrypted({ tls: 'require' }), true)
      t.equal(await isEncrypted({ tls: 'verify-full', tls_ca: ca }), true)
      t.match(
        await refusal(isEncrypted({ tls: 'verify-full' })),
        { code: 'SERVER_REFUSED', message: /certificate is not good: self-signed/ },
        'nobody that everybody trusts has signed it',
      )
      makeCertificate(folder, 'db2.test')
      const another = readFileSync(join(folder, 'db2.test.crt'), 'utf8')
      t.match(await refusal(isEncrypted({ tls: 'verify-full', tls_ca: another })), { code: 'SERVER_REFUSED' })
      t.match(
        await refusal(isEncrypted({ host: 'db2.test', tls: 'verify-full', tls_ca: ca })),
        { code: 'SERVER_REFUSED', message: /db2\.test/ },
        'it is the certificate of another name',
      )
      t.match(
        await refusal(isEncrypted({ host: '127.0.0.1', tls: 'verify-full', tls_ca: ca })),
        { code: 'SERVER_REFUSED' },
        'and of no address',
      )
    })

    await t.test('a name is looked up for each connection, and may not lead inside later', async t => {
      names.set('moving.test', ['127.0.0.1'])
      const moving = await add({ name: 'moving', ...at(cluster), host: 'moving.test' })
      await databases.use(moving, null, pidOf)
      for (const inside of ['127.0.0.2', '169.254.169.254', '::1', '::ffff:127.0.0.2', '10.77.0.1']) {
        names.set('moving.test', ['127.0.0.1', inside])
        t.type(await databases.use(moving, null, pidOf), 'number', 'what is open leads where it led')
        t.match(await refusal(databases.useNew(moving, pidOf)), {
          code: 'SERVER_DESTINATION',
          message: /BOSON_PGMON_NETWORKS/,
        })
      }
      const pid = await databases.use(moving, null, pidOf)
      await ask(cluster.url, `select pg_terminate_backend(${pid})`)
      await until('the connection is seen to be gone', async () => {
        const error = await refusal(databases.use(moving, null, pidOf))
        return error.code === 'SERVER_DESTINATION'
      })
    })

    await t.test('a server that restarts is found again; one that changed is asked as it is now', async t => {
      const before = await databases.use(whole, null, pidOf)
      await ask(cluster.url, `select pg_terminate_backend(${before})`)
      await until('it is asked over another connection', async () =>
        databases.use(whole, null, pidOf).catch(() => null),
      )
      const changed = await servers.change(whole, { user: 'nobody', password: 'right' })
      t.match(await refusal(databases.use(whole, null, pidOf)), { code: 'SERVER_REFUSED' })
      await servers.change(changed, { user: 'watcher', password: 'right' })
      t.type(await databases.use(changed, null, pidOf), 'number', 'whatever the caller knows of it')
    })

    await t.test('P-08: a server that hangs slows down no other, and is found again', async t => {
      const hung = await add({ name: 'hung', ...at(hanging), user: 'boson' })
      await databases.use(hung, null, pidOf)
      hanging.pause()
      t.teardown(() => hanging.resume())
      let answers = 0
      let isOver = false
      const stuck = refusal(databases.use(hung, null, pidOf)).finally(() => {
        isOver = true
      })
      while (!isOver) {
        await databases.use(whole, null, pidOf)
        answers++
      }
      t.match(await stuck, { code: 'SERVER_AWAY', message: 'it does not answer' })
      t.ok(answers > 10, `the other one gave ${answers} answers meanwhile`)
      t.notOk(databases.isWell)
      const order: string[] = []
      await Promise.all([
        databases.use(whole, null, pidOf).then(() => order.push('good')),
        refusal(databases.use(hung, null, pidOf)).then(() => order.push('hung')),
      ])
      t.equal(order[0], 'hung', 'who asks now hears it before the good one can answer')

      clock.advance(5_001)
      t.match(await refusal(databases.use(hung, null, pidOf)), { message: 'it does not answer' })
      hanging.resume()
      clock.advance(10_001)
      t.type(await databases.use(hung, null, pidOf), 'number')
      t.ok(databases.pools().every(({ server, state }) => server !== 'hung' || state === 'open'))
    })

    await t.test('an answer without an end is cut off', async t => {
      const huge = `select repeat('x', 1000000) from generate_series(1, 40)`
      t.match(await refusal(databases.use(whole, null, db => db.ask(huge))), {
        code: 'SERVER_REFUSED',
        message: 'it answered more than 16 MiB',
      })
      t.type(await databases.use(whole, null, pidOf), 'number')
    })
  },
)

t.test('the embedded database is asked one thing at a time, and is the only one there', async t => {
  const { servers, databases } = await watching(t)
  const [own] = servers.all()
  if (own === undefined) throw new Error('the own server is always there')
  await writesNothing(t, databases, own)
  const asked = Array.from({ length: 5 }, () =>
    databases.use(own, null, async db => {
      t.equal(db.kind, 'pglite')
      return db.ask('select $1::int as n', [7])
    }),
  )
  for (const rows of await Promise.all(asked)) t.same(rows, [{ n: 7 }])
  t.match(databases.pools(), [{ server: 'coordinator', min: 1, max: 1, total: 1 }])
  t.match(await refusal(databases.use(own, 'another', pidOf)), { code: 'SERVER_REFUSED' })
  t.match(await refusal(databases.use(own, null, db => db.ask('select no_such_column'))), { code: '42703' })
})

async function writesNothing(t: Test, databases: Databases, server: Server): Promise<void> {
  for (const statement of [
    'create table written (n int)',
    'insert into pgmon_settings values (1)',
    'delete from pgmon_servers',
    'create role stranger superuser login',
    `select nextval('pgmon_servers_server_id_seq')`,
  ]) {
    const error = await refusal(databases.use(server, null, db => db.ask(statement)))
    // The tables are in the own database only; elsewhere they are missed before anything else.
    t.match(
      error.code,
      server.isOwn ? '25006' : /^(?:25006|42P01)$/,
      `${server.name}: ${statement}: ${error.message}`,
    )
  }
}

async function started(t: Test): Promise<Cluster> {
  const cluster = await startCluster(programs ?? '', ['fsync=off'])
  t.teardown(() => cluster.remove())
  return cluster
}

/** Gives a cluster a certificate for db1.test, and roles with passwords; returns the certificate. */
async function guard(cluster: Cluster, folder: string): Promise<string> {
  makeCertificate(folder, 'db1.test')
  const certificate = readFileSync(join(folder, 'db1.test.crt'), 'utf8')
  const key = readFileSync(join(folder, 'db1.test.key'), 'utf8')
  // Written by the server, whose files they have to be.
  const write = (file: string, text: string) =>
    ask(
      cluster.url,
      `copy (select unnest(string_to_array('${text.trim()}', chr(10)))) to program 'umask 077; cat > ${file}'`,
    )
  await write('server.crt', certificate)
  await write('server.key', key)
  await write(
    'pg_hba.conf',
    'host all boson all trust\nhost all outsider all reject\nhost all all all scram-sha-256',
  )
  for (const statement of [
    `create role watcher login password 'right'`,
    `create role full login password 'right' connection limit 0`,
    'grant pg_monitor to watcher',
    'alter system set ssl = on',
    'select pg_reload_conf()',
  ])
    await ask(cluster.url, statement)
  const secured = `${cluster.url}?sslmode=no-verify`
  await until('it takes the certificate', () =>
    ask(secured, 'select 1').then(
      () => true,
      () => false,
    ),
  )
  return certificate
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

async function pidOf(db: Asking): Promise<number> {
  const [row] = await db.ask<{ pid: number }>('select pg_backend_pid() as pid')
  return row?.pid ?? 0
}

/** Resolves with what a question rejects with. */
async function refusal(asked: Promise<unknown>): Promise<Error & { readonly code?: unknown }> {
  try {
    await asked
  } catch (error) {
    return error as Error // whatever is thrown here is one
  }
  throw new Error('it was answered')
}
