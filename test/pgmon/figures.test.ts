/** What servers tell of themselves: real ones, under load, with a replica, to a role with few rights, and stopped. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { ServerStats } from '../../src/pgmon/figures/forms.js'
import { startPostgres } from '../parts/postgres.js'
import { MovableClock } from '../support/movable-clock.js'
import { programsDirectory } from '../support/postgres-cluster.js'
import { type RestServer, restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'

/** How long what was seen is told again, ms. */
const FRESH_MS = 5_000
/** A server that was away is asked again by then, ms. */
const ASKED_AGAIN_MS = 60_000
const MIB = 2 ** 20

t.test('servers tell of themselves', async t => {
  const primary = await startPostgres(t)
  if ('missing' in primary) return t.pass(primary.missing)
  const clock = new MovableClock()
  const [server, replica] = await Promise.all([
    restServer(t, { clock, env: { BOSON_PGMON_NETWORKS: '127.0.0.1' } }),
    primary.replica('of_the_replica'),
    prepare(primary.url),
  ])
  t.teardown(() => replica.remove())
  const urls = { primary: primary.url, replica: replica.url, humble: primary.url.replace('boson', 'humble') }
  for (const [name, url] of Object.entries(urls)) await watch(server, name, url)
  const see = async (name: string): Promise<ServerStats> => {
    clock.advance(FRESH_MS)
    return (await server.ask('GET', `/pgmon/server_stats/${name}`)).body
  }
  const on = (url: string) => connected(t, url)
  const load = primary.url.replace('/postgres', '/load')

  await t.test('P-03: a replica tells how far it is behind, and the primary who follows it', async t => {
    await until('it has everything', async () => (await see('replica')).replication?.lag_s === 0)
    t.match(await see('replica'), {
      replication: { is_replica: true, lag_bytes: 0, receiver: 'streaming' },
      wal: { lsn: /^\d+\/[0-9A-F]+$/ },
    })
    const paused = await on(replica.url)
    await paused.query('select pg_wal_replay_pause()')
    const asked = await on(primary.url)
    await asked.query(`select pg_create_physical_replication_slot('forgotten', true)`)
    await asked.query('create table filled as select generate_series(1, 20000) as id')
    const behind = await until('it is behind', async () => {
      const { replication } = await see('replica')
      return (replication?.lag_bytes ?? 0) > MIB && (replication?.lag_s ?? 0) > 0 && replication
    })
    const later = await until('it is further behind', async () => {
      const { replication } = await see('replica')
      return (replication?.lag_s ?? 0) > (behind.lag_s ?? 0) && replication
    })
    t.equal(later.lag_bytes, behind.lag_bytes, 'nothing more was written')

    const { replication, wal } = await see('primary')
    t.match(replication, { is_replica: false, lag_s: null, receiver: null })
    t.match(replication?.replicas, [{ name: 'walreceiver', address: '127.0.0.1', state: 'streaming' }])
    t.ok((replication?.replicas[0]?.lag_bytes ?? 0) > MIB)
    t.match(replication?.slots, [
      { name: 'forgotten', type: 'physical', active: false, wal_status: 'reserved' },
      { name: 'of_the_replica', active: true, retained_bytes: Number },
    ])
    t.ok((replication?.slots[0]?.retained_bytes ?? 0) > MIB, 'nobody fetches what it holds back')
    t.ok((wal?.directory_bytes ?? 0) >= 16 * MIB)

    await paused.query('select pg_wal_replay_resume()')
    await until('it has everything again', async () => (await see('replica')).replication?.lag_s === 0)
  })

  // It answers nothing any more, while everything below is asked of the others.
  replica.pause()
  const hanging = see('replica')
  let isOver = false
  void hanging.then(() => {
    isOver = true
  })

  await t.test('P-03: figures move as far as pgbench says that it moved them', async t => {
    const [spills, one, other] = [await on(load), await on(load), await on(load)]
    const before = await until('it was looked at a second ago', async () => {
      const stats = await see('primary')
      return stats.commits_per_s !== null && stats
    })
    const [done] = await Promise.all([bench(primary.url), spill(spills), deadlock(one, other)])
    for (const client of [spills, one, other]) await client.end() // who goes tells what it has done
    const after = await see('primary')
    const [was, is] = [before, after].map(({ databases }) => databases.find(({ name }) => name === 'load'))
    if (was === undefined || is === undefined) return t.fail('there is no database load')
    // By the server’s own clock: how long a question was on its way does not count.
    const seconds = (after.uptime_s ?? 0) - (before.uptime_s ?? 0)

    const commits = (is.commits ?? 0) - (was.commits ?? 0)
    t.ok(commits >= done && commits < done + 50, `${commits} commits, of which pgbench made ${done}`)
    t.ok(
      Math.abs((is.commits_per_s ?? 0) * seconds - commits) < commits * 0.1 + 1,
      'a rate is of the time between',
    )
    t.ok((after.commits_per_s ?? 0) >= (is.commits_per_s ?? 0), 'a server does what its databases do')
    t.ok((is.tuples_written_per_s ?? 0) * seconds > 3 * done, 'each writes four rows')
    for (const { cache_hit_ratio: ratio } of [is, after]) t.ok(ratio !== null && ratio > 0.5 && ratio <= 1)
    t.ok((is.freeze_age ?? 0) - (was.freeze_age ?? 0) >= done)
    t.ok((after.wal?.bytes_per_s ?? 0) * seconds > done * 100)
    t.ok(
      (is.temp_bytes ?? 0) - (was.temp_bytes ?? 0) > MIB && (is.temp_bytes_per_s ?? 0) > 0,
      'a sort spilled',
    )
    t.equal((is.deadlocks ?? 0) - (was.deadlocks ?? 0), 1)
    t.ok((is.deadlocks_per_s ?? 0) > 0)
    t.ok((is.size_bytes ?? 0) > 20 * MIB && (after.size_bytes ?? 0) > (is.size_bytes ?? 0))
    t.match(after, {
      status: 'up',
      fault: null,
      version: /^\d+\.\d+$/,
      role: { name: 'boson', is_superuser: true, is_monitor: true, can_signal: true },
      unknown: [{ what: 'disks' }],
    })
  })

  await t.test('P-03: sessions are counted by what they do, and the oldest is told', async t => {
    const [holds, waits] = [await on(primary.url), await on(primary.url)]
    await holds.query('begin; lock table filled')
    const waited = waits.query('select count(*) from filled')
    const { connections, ...stats } = await until('one waits for the other', async () => {
      const stats = await see('primary')
      return stats.blocked === 1 && stats
    })
    t.ok((connections?.idle_in_transaction ?? 0) >= 1)
    t.equal(connections?.waiting, 1)
    t.match(connections, { max: 100, reserved: 3, other: 0 })
    const { total = 0, active = 0, idle = 0, idle_in_transaction: held = 0 } = connections ?? {}
    t.equal(active + idle + held, total)
    t.ok((stats.oldest_transaction_s ?? 0) >= (stats.longest_query_s ?? 0))
    t.ok((stats.longest_query_s ?? 0) > 0)
    await holds.query('rollback')
    await waited
    t.match(await see('primary'), { blocked: 0, connections: { waiting: 0 }, longest_query_s: 0 })
  })

  await t.test(
    'a role that may not see something is told which right it lacks; given it, it sees',
    async t => {
      const asked = await on(primary.url)
      await asked.query('revoke connect on database load from public')
      clock.advance(ASKED_AGAIN_MS) // sizes are dear, and asked for once a minute
      const little = await see('humble')
      t.equal(little.status, 'up')
      t.match(little.role, { name: 'humble', is_superuser: false, is_monitor: false, can_signal: false })
      for (const what of ['connections', 'replication', 'wal', 'sizes'])
        t.match(
          little.unknown.find(unknown => unknown.what === what)?.why,
          /: GRANT pg_monitor TO humble$/,
          `${what} is hidden, and how it is seen is said`,
        )
      t.ok((little.connections?.other ?? 0) > 0)
      t.match(little, { oldest_transaction_s: null, longest_query_s: null, blocked: 0, size_bytes: null })
      t.equal(little.wal?.directory_bytes, null)
      t.match(little.databases, [{ name: 'load', commits: Number, size_bytes: null }])
      t.ok((little.databases.find(({ name }) => name === 'postgres')?.size_bytes ?? 0) > 0)

      await asked.query('grant pg_monitor to humble')
      clock.advance(ASKED_AGAIN_MS) // sizes are dear, and asked for once a minute
      const much = await see('humble')
      t.match(much, { role: { is_monitor: true }, unknown: [{ what: 'disks' }] })
      t.ok((much.size_bytes ?? 0) > 0 && (much.wal?.directory_bytes ?? 0) > 0)
      t.not(much.longest_query_s, null)
    },
  )

  await t.test('P-03: one database of a server; a name that it has not is not connected to', async t => {
    const { status, body } = await server.ask('GET', '/pgmon/server/primary/db/load')
    t.equal(status, 200)
    t.match(body, { server: 'primary', name: 'load', database: { name: 'load', owner: 'boson' } })
    t.match(body.tables[0], { schema: 'public', name: 'pgbench_accounts', live_rows: 100_000 })
    const { body: closed } = await server.ask('GET', '/pgmon/server/primary/db/template0')
    t.match(closed, { tables: [], unknown: [{ what: 'tables', why: 'it takes no connections' }] })
    for (const name of ['nothing', 'load%27%20host=elsewhere'])
      t.match(await server.ask('GET', `/pgmon/server/primary/db/${name}`), { status: 404 }, name)
    const { body: template } = await server.ask('GET', '/pgmon/server/primary/db/template1')
    t.match(template, { tables: [], unknown: [{ what: 'tables', why: /^it is a template/ }] })
    const asked = await on(primary.url)
    await asked.query('create database young')
    t.match(await server.ask('GET', '/pgmon/server/primary/db/young'), { status: 200 }, 'since the last look')
    t.match(await server.ask('GET', '/pgmon/server/nowhere/db/load'), { status: 404 })
  })

  await t.test('P-08: however many ask, a server is looked at once in five seconds', async t => {
    const looks = async () => {
      const { body } = await server.ask('GET', '/metrics')
      return Number(/^boson_pgmon_looks_total\{outcome="up".*\} (\d+)$/m.exec(body)?.[1])
    }
    const before = await looks()
    clock.advance(FRESH_MS)
    const ask = () => server.ask('GET', '/pgmon/server_stats/primary')
    const answers = await Promise.all(Array.from({ length: 10 }, ask))
    const [first, ...others] = [...answers, await ask()].map(({ body }) => body)
    for (const other of others) t.same(other, first)
    t.equal((await looks()) - before, 1)
    clock.advance(FRESH_MS)
    t.not((await ask()).body.checked_at, first.checked_at)
  })

  await t.test('the embedded database tells what it can, and what it cannot', async t => {
    await see('coordinator')
    const { body: servers } = await server.ask('GET', '/pgmon/servers')
    t.match(servers.servers[0], { name: 'coordinator', status: 'up', kind: 'pglite', connections: 1 })
    const stats = await see('coordinator')
    t.match(stats, {
      kind: 'pglite',
      is_own: true,
      status: 'up',
      connections: { total: 1, max: null },
      wal: { lsn: String },
      replication: { is_replica: false, replicas: [], slots: [] },
      disks: null,
    })
    t.ok((stats.size_bytes ?? 0) > MIB && (stats.commits ?? 0) > 0 && (stats.freeze_age ?? 0) > 0)
    const why = new Map(stats.unknown.map(unknown => [unknown.what, unknown.why]))
    t.match(why.get('connections'), /one session/)
    t.ok(why.has('disks'))
  })

  await t.test('a server that hangs is down, keeps nobody waiting for another, and comes back', async t => {
    t.notOk(isOver, 'all of this was answered meanwhile')
    t.match(await hanging, { status: 'down', fault: 'it does not answer', version: null, databases: [] })
    const { body } = await server.ask('GET', '/pgmon/servers?sort=name')
    const rows = new Map(body.servers.map((row: { name: string }) => [row.name, row]))
    t.match(rows.get('replica'), { status: 'down', fault: 'it does not answer' })
    t.match(rows.get('primary'), { status: 'up', replication_lag_s: Number, connections_max: 100 })
    t.match((await server.ask('GET', '/metrics')).body, /^boson_pgmon_server_up\{server="replica".*\} 0$/m)
    t.match(await server.ask('GET', '/pgmon/server/replica/db/load'), { status: 503 })
    replica.resume()
    await until('it is back', async () => {
      clock.advance(ASKED_AGAIN_MS)
      return (await see('replica')).status === 'up'
    })
  })
})

/** A role with few rights, and a database to put under load. */
async function prepare(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('create role humble login')
  await client.query('create database load')
  await client.end()
  await program('pgbench', url, '-i', '-s', '1', '-q')
}

/** Resolves with how many transactions pgbench made of what it calls a bank, in two seconds. */
async function bench(url: string): Promise<number> {
  const said = await program('pgbench', url, '-n', '-c', '2', '-T', '2')
  return Number(/transactions actually processed: (\d+)/.exec(said)?.[1])
}

async function program(name: string, url: string, ...args: readonly string[]): Promise<string> {
  const { port } = new URL(url)
  const path = join(programsDirectory() ?? '', name)
  const at = ['-h', '127.0.0.1', '-p', port, '-U', 'boson', 'load']
  return (await promisify(execFile)(path, [...args, ...at])).stdout
}

/** Sorts more than the memory holds that it may use. */
async function spill(client: pg.Client): Promise<void> {
  await client.query(`set work_mem = '64kB'`)
  await client.query('select id from generate_series(1, 200000) as id order by id desc offset 199999')
}

/** Two sessions that each want what the other has: the server ends one of them. */
async function deadlock(one: pg.Client, other: pg.Client): Promise<void> {
  for (const client of [one, other]) await client.query(`set deadlock_timeout = '10ms'`)
  await one.query('begin; select pg_advisory_xact_lock(1)')
  await other.query('begin; select pg_advisory_xact_lock(2)')
  await Promise.allSettled([
    one.query('select pg_advisory_xact_lock(2)'),
    other.query('select pg_advisory_xact_lock(1)'),
  ])
  for (const client of [one, other]) await client.query('rollback')
}

async function connected(t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  return client
}

async function watch(server: RestServer, name: string, url: string): Promise<void> {
  const { hostname: host, port, username: user } = new URL(url)
  const body = { name, host, port: Number(port), user, database: 'postgres', tls: 'disable' }
  await server.ask('POST', '/pgmon/servers', { body })
}
