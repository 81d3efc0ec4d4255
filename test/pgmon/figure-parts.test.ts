/** Figures without PostgreSQL: rates of what was counted twice, servers at a glance, who is looked at when. */
import * as fc from 'fast-check'
import t from 'tap'
import { seededRandom } from '../../src/kit/random.js'
import { ServerFault } from '../../src/pgmon/databases/errors.js'
import { ServerStats } from '../../src/pgmon/figures/forms.js'
import { Fleet } from '../../src/pgmon/figures/fleet.js'
import { glanceOf } from '../../src/pgmon/figures/glance.js'
import { ServerLooks } from '../../src/pgmon/figures/looks.js'
import { gainOf, ratesOf, totalGainOf } from '../../src/pgmon/figures/rates.js'
import { isOfServer, Sections } from '../../src/pgmon/figures/section.js'
import { nothingOf } from '../../src/pgmon/figures/stats.js'
import { type Count, COUNTS, type DatabaseWork } from '../../src/pgmon/figures/work.js'
import type { Databases, Disks, Server } from '../../src/pgmon/ports.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const QUIET = Object.fromEntries(COUNTS.map(name => [name, 0])) as Record<Count, number> // each of them

const work = (wish: Partial<DatabaseWork> = {}): DatabaseWork => ({
  id: '5',
  name: 'shop',
  owner: 'ada',
  connections: 1,
  freeze_age: 10,
  stats_reset_at_ms: null,
  at_s: 1_000,
  ...QUIET,
  ...wish,
})
const byId = (...all: readonly DatabaseWork[]) => new Map(all.map(each => [each.id, each]))

t.test('rates are of the seconds between two looks', async t => {
  const before = work({ commits: 100, blocks_hit: 10, blocks_read: 10, temp_bytes: 5 })
  const now = work({ at_s: 1_010, commits: 350, blocks_hit: 100, blocks_read: 20, temp_bytes: 5 })
  t.match(ratesOf(gainOf(now, before)), {
    commits_per_s: 25,
    rollbacks_per_s: 0,
    cache_hit_ratio: 0.9,
    temp_bytes_per_s: 0,
  })
})

t.test('what is not known is null, not zero', async t => {
  const table: readonly (readonly [what: string, now: DatabaseWork, before?: DatabaseWork])[] = [
    ['the first look', work()],
    ['looks that are too close', work({ at_s: 1_000.9, commits: 5 }), work()],
    ['a clock that went back', work({ at_s: 990, commits: 5 }), work()],
    ['a reset that is told', work({ at_s: 1_010, stats_reset_at_ms: 7, commits: 5 }), work()],
    ['a reset that shows in one figure', work({ at_s: 1_010, commits: 900 }), work({ deadlocks: 1 })],
  ]
  for (const [what, now, before] of table) {
    const rates = ratesOf(gainOf(now, before))
    t.same(new Set(Object.values(rates)), new Set([null]), what)
  }
  const idle = ratesOf(gainOf(work({ at_s: 1_010 }), work()))
  t.match(idle, { commits_per_s: 0, cache_hit_ratio: null }, 'nothing was wanted of the cache')
})

t.test('a server’s work is that of the databases which were there both times', async t => {
  const before = byId(work({ id: '1' }), work({ id: '2' }), work({ id: 'dropped', commits: 9_000 }))
  const now = [
    work({ id: '1', at_s: 1_010, commits: 10 }),
    work({ id: '2', at_s: 1_010, commits: 20 }),
    work({ id: 'made', at_s: 1_010, commits: 5_000 }),
  ]
  t.equal(ratesOf(totalGainOf(now, before)).commits_per_s, 3)
  const reset = [...now, work({ id: 'dropped', at_s: 1_010, commits: 1 })]
  t.equal(totalGainOf(reset, before), null, 'one was reset: what all did is not known')
  t.equal(totalGainOf([], before), null)
  t.equal(totalGainOf(now, new Map()), null)
})

t.test('no counters, whatever they say, give a rate below zero or a ratio beyond one', async () => {
  const counts = fc.record(Object.fromEntries(COUNTS.map(name => [name, fc.option(fc.nat(1_000_000))])))
  const counted = fc
    .tuple(counts, fc.integer({ min: -5, max: 100 }))
    .map(([each, at_s]) => work({ ...each, at_s } as Partial<DatabaseWork>)) // each is a count
  fc.assert(
    fc.property(counted, counted, (before, now) => {
      const rates = ratesOf(gainOf(now, before))
      const figures = Object.values(rates).filter(rate => rate !== null)
      return figures.every(rate => Number.isFinite(rate) && rate >= 0) && (rates.cache_hit_ratio ?? 0) <= 1
    }),
  )
})

t.test('a glance says how a server is, also when it has told nothing', async t => {
  const server = serverOf({})
  const moment = { checkedAtMs: 0, tookMs: 3 }
  const down = nothingOf(server, 'postgres', { status: 'down', fault: 'it does not answer' }, moment)
  t.match(glanceOf(server, 'postgres', null), { status: 'unknown', checked_at: null, connections: null })
  t.match(glanceOf({ isEnabled: false }, 'postgres', down), { status: 'disabled' })
  t.match(glanceOf(server, 'postgres', down), { status: 'down', fault: 'it does not answer', version: null })

  const disk = { mount: '/', filesystem: '/dev/sda1', size_bytes: 100, used_bytes: 60, available_bytes: 20 }
  const replica = { name: 'r', address: null, state: 'streaming', sync: 'async', lag_bytes: 0 }
  const lags = { write_lag_s: null, flush_lag_s: null }
  const up = {
    ...down,
    status: 'up' as const,
    commits_per_s: 7,
    rollbacks_per_s: 1,
    disks: [
      { ...disk, mount: '/boot', holds_data: false },
      { ...disk, holds_data: true },
    ],
    replication: {
      is_replica: false,
      lag_s: null,
      lag_bytes: null,
      receiver: null,
      replicas: [
        { ...replica, ...lags, replay_lag_s: 2 },
        { ...replica, ...lags, replay_lag_s: 9 },
        { ...replica, ...lags, replay_lag_s: null },
      ],
      slots: [],
    },
  }
  t.match(glanceOf(server, 'postgres', up), {
    transactions_per_s: 8,
    replication_lag_s: 9,
    disk_used_ratio: 0.75,
  })
})

t.test('what a server refuses is missed, and why is said; the next question is asked', async t => {
  const sections = new Sections('"Ada"', () => false)
  const refused = (code: string) => async () => {
    throw Object.assign(new Error('permission denied for function pg_ls_waldir'), { code })
  }
  const table: readonly (readonly [code: string, why: RegExp])[] = [
    ['42501', /permission denied.+: GRANT pg_monitor TO "Ada"$/],
    ['42883', /^this server does not have it/],
    ['57014', /^the server took too long/],
    ['55000', /^permission denied/],
  ]
  for (const [code, why] of table) {
    t.equal(await sections.ask([code], refused(code)), null)
    t.match(sections.unknown.at(-1), { what: code, why })
  }
  t.equal(await sections.ask(['wal'], async () => 5), 5)
  t.equal(sections.unknown.length, table.length)
  const away = new ServerFault('SERVER_AWAY', 'it does not answer')
  await t.rejects(
    sections.ask(['wal'], () => Promise.reject(away)),
    away,
  )
  await t.rejects(
    sections.ask(['wal'], () => Promise.reject(new TypeError('ours'))),
    TypeError,
  )
  t.same([away, new TypeError('ours'), { code: 'EPIPE' }].map(isOfServer), [true, false, false])

  const late = new Sections('ada', () => true)
  t.equal(await late.ask(['replication', 'wal'], async () => t.fail('nothing is asked any more')), null)
  t.match(late.unknown, [{ what: 'replication' }, { what: 'wal', why: /slow/ }])
})

t.test('every server is looked at once a minute, one that hangs as soon as it has not answered', async t => {
  const clock = new SimulatedClock()
  const fleet = fleetOf(clock, ['one', 'two', 'hangs', 'off'])
  await clock.run(10 * MINUTE_MS)
  for (const name of ['one', 'two', 'hangs'])
    t.ok(fleet.countOf(name) >= 9 && fleet.countOf(name) <= 12, `${name}: ${fleet.countOf(name)}`)
  t.equal(fleet.countOf('off'), 0)
  t.equal(fleet.mostAtOnce, 1, 'of one server')
  t.match(fleet.looks.last(0), { status: 'up' })
  t.match(fleet.looks.last(2), { status: 'down', fault: 'it does not answer' })
  fleet.stop()
  t.equal(clock.waiting, 0)
})

t.test('while somebody looks at all servers, they are looked at every five seconds', async t => {
  const clock = new SimulatedClock()
  const fleet = fleetOf(clock, ['one', 'two', 'hangs'])
  // A page asks once a second, as pages do.
  for (let second = 0; second < 60; second++) {
    fleet.refresh()
    await clock.run(1_000)
  }
  for (const name of ['one', 'two']) t.equal(fleet.countOf(name), 12, name)
  t.equal(fleet.countOf('hangs'), 5, 'it takes seven seconds, and is then told for five')
  t.equal(fleet.mostAtOnce, 1)
  fleet.stop()
})

t.test('a server that was changed is looked at anew; what was seen of the old one is forgotten', async t => {
  const clock = new SimulatedClock()
  const fleet = fleetOf(clock, ['one'])
  const told: string[] = []
  fleet.looks.onLook(({ revision }, now, before) =>
    told.push(`${revision} ${now.status} after ${before?.status ?? 'nothing'}`),
  )
  fleet.looks.onLook(() => {
    throw new Error('a hearer’s own fault')
  })
  await clock.run(61_500)
  const old = fleet.change(0, { revision: 2 })
  const late = fleet.looks.stats(old)
  await clock.run(10)
  await late
  t.same(told, ['1 up after nothing', '1 up after up', '2 up after nothing'])
  t.equal(fleet.faults, 3, 'nobody else misses what one hearer spoils')
  fleet.change(0, { isEnabled: false })
  t.equal(fleet.looks.last(0), null)
  t.match(await fleet.looks.stats(fleet.change(0, { isEnabled: false })), { status: 'disabled', fault: null })
  fleet.stop()
})

t.test('disks come from SSH, which keeps no look waiting, and may live longer than the database', async t => {
  const clock = new SimulatedClock()
  const disk = { mount: '/', filesystem: '/dev/sda1', size_bytes: 100, used_bytes: 60, available_bytes: 40 }
  const answers: readonly Disks['of'][] = [
    () => new Promise(() => {}),
    () => Promise.reject(new Error('its host key is another')),
    async () => null,
    async () => [{ ...disk, holds_data: true }],
  ]
  const expected = [
    { disks: null, unknown: [{ what: 'disks', why: 'its machine has not answered yet' }] },
    { disks: null, unknown: [{ what: 'disks', why: 'its host key is another' }] },
    { disks: null, unknown: [{ what: 'disks', why: 'nobody has said how its machine is reached by SSH' }] },
    { disks: [{ mount: '/', holds_data: true }], unknown: [] },
  ]
  for (const [n, answer] of answers.entries()) {
    const asked: unknown[] = []
    const disks: Disks = {
      of(server, dataDirectory) {
        if (server.name === 'one') asked.push(dataDirectory)
        return answer(server, dataDirectory)
      },
    }
    const fleet = fleetOf(clock, ['one', 'hangs'], { ...ANSWER, data_directory: '/data' }, disks)
    await clock.run(70_000)
    t.match(fleet.looks.last(0), { status: 'up', took_ms: 3, ...expected[n] })
    t.match(fleet.looks.last(1), { status: 'down', disks: expected[n]?.disks })
    if (n > 0) t.same(asked, [undefined, '/data'], 'by then its database has said where its data is')
    fleet.stop()
  }
})

t.test('what calls itself PostgreSQL may answer anything: it is told as far as it can be read', async t => {
  const anything = fc.anything({ maxDepth: 2 })
  const answers = fc.record(Object.fromEntries(Object.keys(ANSWER).map(name => [name, anything])), {
    requiredKeys: [],
  })
  const statuses = new Set<string>()
  await fc.assert(
    fc.asyncProperty(answers, async answer => {
      const clock = new SimulatedClock()
      const fleet = fleetOf(clock, ['one'], { ...ANSWER, ...answer })
      await clock.run(2_100)
      const stats = fleet.looks.last(0)
      statuses.add(stats?.status ?? 'none')
      t.equal(ServerStats.safeParse(stats).success, true)
      t.equal(fleet.faults, 0)
      fleet.stop()
    }),
    { numRuns: 50 },
  )
  t.ok(statuses.has('down') && !statuses.has('none'))
})

const MINUTE_MS = 60_000
/** How long a server that hangs keeps who asks it, ms. */
const HANGS_MS = 7_000

/** Servers that answer in a few ms, but for `hangs`; `off` is not enabled. */
function fleetOf(
  clock: SimulatedClock,
  names: readonly string[],
  answer: object = ANSWER,
  disks: Disks = { of: async () => null },
) {
  const servers = names.map((name, serverId) => serverOf({ serverId, name, isEnabled: name !== 'off' }))
  const counts = new Map<string, number>()
  const atOnce = new Map<string, number>()
  let mostAtOnce = 0
  let faults = 0
  let changed: (serverId: number) => void = () => {}
  const wait = (ms: number) => new Promise<void>(resolve => void clock.setTimeout(resolve, ms))
  const databases: Databases = {
    async use({ name }, _database, work) {
      counts.set(name, (counts.get(name) ?? 0) + 1)
      atOnce.set(name, (atOnce.get(name) ?? 0) + 1)
      mostAtOnce = Math.max(mostAtOnce, atOnce.get(name) ?? 0)
      await wait(name === 'hangs' ? HANGS_MS : 3)
      atOnce.set(name, (atOnce.get(name) ?? 0) - 1)
      if (name === 'hangs') throw new ServerFault('SERVER_AWAY', 'it does not answer')
      return await work({ version: 150_014, kind: 'postgres', ask: async () => [answer] as never }) // of whatever is asked
    },
    useNew: () => Promise.reject(new Error('nobody tries these')),
    pools: () => [],
  }
  const looks = new ServerLooks({
    clock,
    databases,
    disks,
    kindOf: () => 'postgres',
    failed: () => faults++,
  })
  const fleet = new Fleet({
    clock,
    random: seededRandom(1),
    looks,
    servers: {
      all: () => servers,
      byId: id => servers[id] ?? null,
      onChange(hear) {
        changed = hear
        return () => {}
      },
    },
  })
  return {
    looks,
    refresh: () => fleet.refresh(),
    stop: () => fleet.stop(),
    countOf: (name: string) => counts.get(name) ?? 0,
    get mostAtOnce() {
      return mostAtOnce
    },
    get faults() {
      return faults
    },
    /** Changes a server, and returns what it was. */
    change(serverId: number, change: Partial<Server>): Server {
      const was = servers[serverId] as Server // one of them
      servers[serverId] = { ...was, ...change }
      changed(serverId)
      return was
    },
  }
}

/** One row that answers each of the questions of a look. */
const ANSWER = {
  ...work(),
  role: 'ada',
  grantee: 'ada',
  is_superuser: true,
  is_monitor: true,
  can_signal: true,
  started_at_ms: 0,
  uptime_s: 1,
  sees_sessions: true,
  sees_wal_directory: true,
  data_directory: null,
  connections_max: 100,
  connections_reserved: 3,
  extensions: [],
  total: 1,
  active: 1,
  idle: 0,
  idle_in_transaction: 0,
  waiting: 0,
  blocked: 0,
  lsn: '0/1',
  lsn_bytes: 1,
  replicas: [],
  slots: [],
  is_replica: false,
  bytes: 7,
  files: 1,
  lag_s: null,
  lag_bytes: null,
  receiver: null,
  is_archived: false,
  last_archived_at_ms: null,
  oldest_transaction_s: 0,
  longest_query_s: 0,
  directory_bytes: 7,
}

const serverOf = (wish: Partial<Server>): Server => ({
  serverId: 0,
  name: 'shop',
  isOwn: false,
  isEnabled: true,
  description: '',
  host: '192.0.2.1',
  port: 5_432,
  database: 'postgres',
  user: 'ada',
  hasPassword: false,
  tls: 'require',
  tlsCa: null,
  pool: 'default',
  ssh: null,
  revision: 1,
  createdBy: 'ada',
  createdAtMs: 0,
  changedAtMs: 0,
  ...wish,
})
