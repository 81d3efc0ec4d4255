/** P-11, P-12: servers are visited at the intervals that are set, each visit by one coordinator; what befalls them is told once. */
import { setImmediate as immediate } from 'node:timers/promises'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import type { ServerStats } from '../../src/pgmon/figures/forms.js'
import type { Visited } from '../../src/pgmon/history/collectors.js'
import { nextDueMs } from '../../src/pgmon/history/due.js'
import type { KeptRound } from '../../src/pgmon/history/round-table.js'
import { EventLog } from '../../src/pgmon/history/event-log.js'
import { Watch } from '../../src/pgmon/history/watch.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { until } from '../support/until.js'
import { type MonitorRoom, onEachRoom, type OpenRoom } from './rooms.js'
import { addServers, collecting, type Coordinator, Watched } from './watched.js'

const MINUTE_MS = 60_000
const NOON = Date.UTC(2026, 10, 22, 12)

t.test(
  'P-12: fifty servers are spread over the ten minutes, and rarer visits fall on moments of frequent ones',
  async t => {
    const [every, rare] = [10 * MINUTE_MS, 30 * MINUTE_MS]
    const dues = Array.from({ length: 50 }, (_, id) => nextDueMs(id + 1, every, every, NOON))
    t.ok(dues.every(due => due > NOON && due <= NOON + every))
    t.ok(dues.every((due, i) => nextDueMs(i + 1, every, every, due) === due + every))
    t.ok(dues.every((due, i) => (nextDueMs(i + 1, rare, every, NOON) - due) % every === 0))
    for (let minute = 0; minute < 10; minute++) {
      const inIt = dues.filter(due => Math.ceil((due - NOON) / MINUTE_MS) - 1 === minute)
      t.ok(inIt.length >= 4 && inIt.length <= 6, `${inIt.length} in minute ${minute}`)
    }
  },
)

t.test('visits', async t => {
  await onEachRoom(t, async (t, open) => {
    await visits(t, open)
    await events(t, open)
  })
})

async function visits(t: Test, open: OpenRoom): Promise<void> {
  const room = await open()
  const names = Array.from({ length: 12 }, (_, i) => `db-${String(i + 1).padStart(2, '0')}`)
  await addServers(room, names)
  const clock = new SimulatedClock(NOON)
  const watched = new Watched(clock)
  for (const name of names) watched.tell(name, working(clock, 0))
  const one = await collecting(room, clock, watched)
  const other = await collecting(await open(), clock, watched)
  const both = [one, other]

  await t.test('P-12: of two coordinators, one does each round', async t => {
    await settle(both)
    t.strictSame(countOf(watched.visited.map(each => `${each.server} ${each.collector}`)), [1])
    t.equal(watched.visited.length, names.length * 4)
    t.strictSame(countOf(watched.visited.map(({ outcome }) => outcome)).length, 1)
    t.equal(await count(room, 'pgmon_server_samples'), names.length)
  })

  await t.test('P-12: in an hour, activity comes every ten minutes and sizes every half an hour', async t => {
    watched.visited.length = 0
    for (let minute = 1; minute <= 60; minute++) {
      clock.advance(MINUTE_MS)
      for (const name of names) watched.tell(name, working(clock, minute * 60 * 100))
      await settle(both)
    }
    const of = (collector: string) => watched.visited.filter(visit => visit.collector === collector).length
    t.equal(of('activity'), names.length * 6)
    t.equal(of('sizes'), names.length * 2)
    t.equal(of('disk'), names.length * 2)
    t.equal(of('upkeep'), 0)
  })

  await t.test('a rate is of the time since the sample before, and unknown of the first one', async t => {
    const rates = await ask(
      room,
      'select commits_per_s from pgmon_server_samples where server_id = 1 order by at',
    )
    t.strictSame(
      rates.map(row => row['commits_per_s'] === null || Math.round(Number(row['commits_per_s']))),
      [true, 100, 100, 100, 100, 100, 100],
    )
    const wal = await ask(
      room,
      'select wal_bytes_per_s from pgmon_server_samples where server_id = 1 order by at desc limit 1',
    )
    t.equal(Math.round(Number(wal[0]?.['wal_bytes_per_s'])), 1_000)
    const [database] = await ask(
      room,
      `select commits_per_s from pgmon_database_samples where server_id = 1 and database = 'app' order by at desc limit 1`,
    )
    t.equal(Math.round(Number(database?.['commits_per_s'])), 100)
  })

  await t.test('what several collectors tell of one moment is one sample', async t => {
    const rows = await ask(
      room,
      'select connections, size_bytes from pgmon_server_samples where server_id = 1 order by at',
    )
    t.strictSame(rows.filter(row => row['size_bytes'] === 4_096 && row['connections'] === 7).length, 3)
    t.equal(rows.length, 7)
  })

  await t.test('a sample is of the moment at which its round was due', async t => {
    const rows = await ask(
      room,
      `select date_part('epoch', at) as at from pgmon_server_samples where server_id = 2 order by at offset 1`,
    )
    const every = 10 * MINUTE_MS
    t.strictSame(
      rows.map(row => Number(row['at']) * 1_000),
      rows.map((_, i) => nextDueMs(2, every, every, NOON) + i * every),
    )
  })

  await t.test('counters that begin anew make a rate unknown once, and no rate negative', async t => {
    const at = (minutes: number) => minutes * 60 * 100
    for (const minutes of [70, 80]) {
      clock.advance(10 * MINUTE_MS)
      for (const name of names) watched.tell(name, working(clock, at(minutes) - at(69)))
      await settle(both)
    }
    const rates = await ask(
      room,
      'select commits_per_s as rate from pgmon_server_samples where server_id = 1 order by at desc limit 2',
    )
    t.strictSame(
      rates.map(row => row['rate'] === null || Math.round(Number(row['rate']))),
      [100, true],
    )
  })

  await t.test('P-12: what was missed while nobody was there is not made up', async t => {
    const before = await count(room, 'pgmon_server_samples')
    clock.advance(4 * 60 * MINUTE_MS)
    await settle(both)
    t.equal(await count(room, 'pgmon_server_samples'), before + names.length)
    const [late] = await ask(
      room,
      `select commits_per_s as rate, date_part('epoch', at) * 1000 as at from pgmon_server_samples where server_id = 1 order by at desc limit 1`,
    )
    t.equal(late?.['rate'], null)
    t.ok(
      Math.abs(clock.wallMs() - Number(late?.['at'])) < 1_000,
      'it is of when it came, not of when it was due',
    )
  })

  await t.test('a server that is down leaves a gap, and its round says why', async t => {
    watched.tell('db-03', { status: 'down', fault: 'nothing listens there' })
    const before = await count(room, 'pgmon_server_samples where server_id = 3')
    clock.advance(30 * MINUTE_MS)
    await settle(both)
    t.equal(await count(room, 'pgmon_server_samples where server_id = 3'), before)
    const rounds = (await one.collectors.rounds()).filter(({ serverId }) => serverId === 3)
    t.match(
      rounds.find(({ collector }) => collector === 'activity'),
      { error: 'nothing listens there', endedAtMs: clock.wallMs() },
    )
    watched.tell('db-03', { status: 'up', fault: null })
  })

  await t.test(
    'P-12: servers that hang delay no other’s round, and are not asked again before they answer',
    async t => {
      const hanging = names.slice(0, 5)
      const others = names.slice(5)
      for (const name of hanging) watched.hanging.add(name)
      watched.looks.clear()
      watched.visited.length = 0
      clock.advance(30 * MINUTE_MS)
      await Promise.all(both.map(({ collectors }) => collectors.look()))
      await until('the others are visited', () => others.every(name => isVisited(watched, name)))
      t.notOk(hanging.some(name => isVisited(watched, name)))
      clock.advance(20_000)
      await until('the hanging ones are given up', () => hanging.every(name => isVisited(watched, name)))
      t.strictSame(
        new Set(
          watched.visited.flatMap(({ server, outcome }) => (hanging.includes(server) ? [outcome] : [])),
        ),
        new Set(['down']),
      )
      clock.advance(30 * MINUTE_MS)
      await Promise.all(both.map(({ collectors }) => collectors.look()))
      for (const name of hanging) t.ok((watched.looks.get(name) ?? 0) <= both.length, name)
      for (const { collectors } of both) collectors.stop()
    },
  )

  await t.test('what is to come oftener does not wait for when it would have come', async t => {
    const late = await collecting(room, clock, new Watched(clock))
    await late.settings.change({ sizes_minutes: 5, activity_minutes: 5 }, 'ada')
    await until('rounds are nearer', async () => {
      const rounds = await late.collectors.rounds()
      return furthest(rounds, 'activity') <= 5 && furthest(rounds, 'sizes') <= 5
    })
    t.ok(furthest(await late.collectors.rounds(), 'disk') > 0)
    late.collectors.stop()

    /** In minutes. */
    function furthest(rounds: readonly KeptRound[], collector: string): number {
      const dues = rounds.filter(round => round.collector === collector).map(({ dueAtMs }) => dueAtMs)
      return (Math.max(...dues) - clock.wallMs()) / MINUTE_MS
    }
  })
}

async function events(t: Test, open: OpenRoom): Promise<void> {
  const clock = new SimulatedClock(NOON)
  const room = await open()
  const watched = new Watched(clock)
  const { servers, collectors } = await collecting(room, clock, watched)
  collectors.stop()
  const server = servers.called('db-07')
  const log = { level: 'info', debug() {}, info() {}, warn() {}, error() {} }
  const watches = [room, await open()].map(each => new Watch({ clock, log, events: new EventLog(each) }))
  for (const watch of watches) watch.looked(server, watched.of(server))
  await until('what was before is known', () => watches.every(watch => watch.knows(server.serverId)))

  /** What both coordinators see each time, a minute apart; resolves with what is new in the log. */
  let told = 0
  const see = async (...sights: Partial<ServerStats>[]): Promise<readonly (readonly [string, string])[]> => {
    for (const sight of sights) {
      clock.advance(MINUTE_MS)
      watched.tell('db-07', { checked_at: new Date(clock.wallMs()).toISOString(), ...sight })
      for (const watch of watches) watch.looked(server, watched.of(server))
    }
    await until('it is written down', () => watches.every(({ waiting }) => waiting === 0))
    const rows = await ask(
      room,
      `select kind, message from pgmon_events where server_id = 7 order by at, event_id offset ${told}`,
    )
    told += rows.length
    return rows.map(row => [String(row['kind']), String(row['message'])] as const)
  }

  await t.test(
    'P-11: a server that is down is told once, when that is sure, and how long it was when it is up',
    async t => {
      const down = { status: 'down', fault: 'nothing listens there' } as const
      t.strictSame(await see(down, { status: 'up', fault: null }), [], 'once may be bad luck')
      t.strictSame(await see(down, down, down), [['server.down', 'nothing listens there']])
      t.strictSame(await see({ status: 'up', fault: null }, {}), [
        ['server.up', 'it answers again, after 3 min 0 s'],
      ])
    },
  )

  await t.test('P-11: a figure that wavers around its bound is told once', async t => {
    const inUse = (total: number) => ({
      connections: {
        total,
        active: 1,
        idle: 0,
        idle_in_transaction: 0,
        other: 0,
        waiting: 0,
        max: 100,
        reserved: 3,
      },
    })
    t.strictSame(await see(inUse(90), inUse(91), inUse(89), inUse(92), inUse(80)), [
      ['connections.near_limit', '91 of 100 connections are in use'],
    ])
    t.strictSame(await see(inUse(79)), [
      ['connections.eased', 'connections are well below their limit again, after 4 min 0 s'],
    ])
    const disk = (used_bytes: number) => ({
      disks: [
        { mount: '/', filesystem: 'ext4', size_bytes: 100, used_bytes, available_bytes: 0, holds_data: true },
      ],
    })
    t.match(await see(disk(95), disk(88), disk(84)), [['disk.nearly_full', /95 % full/], ['disk.eased']])
    t.match(await see({ freeze_age: 1.2e9 }, { freeze_age: 7e8 }), [
      ['wraparound.near', /1200 million/],
      ['wraparound.eased'],
    ])
  })

  await t.test(
    'P-11: restarts, failovers and other versions are told, a replica’s lag only when it is long',
    async t => {
      const replica = (lag_s: number, is_replica = true) => ({
        replication: { is_replica, lag_s, lag_bytes: 0, receiver: null, replicas: [], slots: [] },
      })
      const first = { started_at: '2026-11-20T00:00:00.000Z', version: '15.13' }
      t.strictSame(await see({ ...first, ...replica(10) }, replica(59)), [])
      t.match(await see(replica(61), replica(45), replica(0)), [
        ['replication.behind', 'replication is 61 s behind'],
        ['replication.caught_up'],
      ])
      t.strictSame(
        await see({ started_at: '2026-11-22T12:30:00.000Z', version: '15.14', ...replica(0, false) }),
        [
          ['server.primary', 'it has become a primary'],
          ['server.version', 'from 15.13 to 15.14'],
          ['server.restarted', 'it has been started at 2026-11-22T12:30:00.000Z'],
        ],
      )
    },
  )

  await t.test(
    'P-11: what was begun is ended by another coordinator, that was started meanwhile',
    async t => {
      t.match(await see({ status: 'down', fault: 'gone' }, {}), [['server.down', 'gone']])
      const later = new Watch({ clock, log, events: new EventLog(room) })
      watched.tell('db-07', { status: 'up', fault: null })
      await until('it is up again', async () => {
        later.looked(server, watched.of(server))
        return (await see()).some(([kind]) => kind === 'server.up')
      })
    },
  )

  await t.test('P-11: a collector that fails is told once, and deadlocks each time', async t => {
    const visit = {
      collector: 'disk',
      tookMs: 1,
      samples: 0,
      error: 'no route to host',
      deadlocks: 0,
    } as const
    const of = async (...visits: Visited[]) => {
      for (const each of visits) {
        clock.advance(MINUTE_MS)
        watches[0]?.visited(server, each)
      }
      return see()
    }
    t.match(
      await of(
        { ...visit, outcome: 'failed' },
        { ...visit, outcome: 'failed' },
        { ...visit, outcome: 'kept', error: null },
      ),
      [['disk.failed', 'its disk cannot be collected: no route to host'], ['disk.recovered']],
    )
    const locked = { ...visit, outcome: 'kept', collector: 'activity', error: null, deadlocks: 2 } as const
    t.match(await of(locked, locked), [['deadlocks', '2 deadlocks were broken'], ['deadlocks']])
    t.strictSame(await of({ ...visit, outcome: 'lost' }, { ...visit, outcome: 'down' }), [])
  })

  await t.test('P-12: events go when they are old', async t => {
    const log = new EventLog(room)
    await log.prune(clock.wallMs() + 1)
    t.equal(await count(room, 'pgmon_events'), 0)
  })
}

/** What a server tells that has committed so much, and written ten bytes for each. */
function working(clock: SimulatedClock, commits: number): Parameters<Watched['tell']>[1] {
  const rest = {
    rollbacks: 0,
    blocks_hit: 0,
    blocks_read: 0,
    tuples_returned: 0,
    tuples_fetched: 0,
    tuples_inserted: 0,
    tuples_updated: 0,
    tuples_deleted: 0,
    temp_files: 0,
    temp_bytes: 0,
    deadlocks: 0,
    checksum_failures: null,
  }
  return {
    checked_at: new Date(clock.wallMs()).toISOString(),
    size_bytes: 4_096,
    connections: {
      total: 7,
      active: 1,
      idle: 6,
      idle_in_transaction: 0,
      other: 0,
      waiting: 0,
      max: 100,
      reserved: 3,
    },
    wal: {
      lsn: `1/${(commits * 10).toString(16).toUpperCase()}`,
      bytes_per_s: null,
      directory_bytes: null,
      files: null,
      archive_failures: null,
      last_archived_at: null,
    },
    databases: [
      {
        name: 'app',
        owner: 'ada',
        connections: 6,
        size_bytes: 4_096,
        commits_per_s: 1,
        rollbacks_per_s: 0,
        cache_hit_ratio: null,
        tuples_read_per_s: 0,
        tuples_written_per_s: 0,
        temp_bytes_per_s: 0,
        deadlocks_per_s: 0,
        commits,
        ...rest,
        freeze_age: 0,
        stats_reset_at: null,
      },
    ],
  }
}

/** Begins what is due until nothing is, and waits for it. */
async function settle(coordinators: readonly Coordinator[]): Promise<void> {
  for (let idle = 0; idle < 2; ) {
    await Promise.all(coordinators.map(({ collectors }) => collectors.look()))
    await immediate()
    idle = coordinators.some(({ collectors }) => collectors.visiting > 0) ? 0 : idle + 1
  }
}

const isVisited = ({ visited }: Watched, name: string): boolean =>
  visited.some(({ server }) => server === name)

/** How often each occurs; one number when all occur as often. */
function countOf(values: readonly string[]): readonly number[] {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...new Set(counts.values())]
}

async function count(room: MonitorRoom, from: string): Promise<number> {
  const [row] = await ask(room, `select count(*)::float8 as rows from ${from}`)
  return Number(row?.['rows'])
}

const ask = (room: MonitorRoom, text: string): Promise<readonly Record<string, unknown>[]> =>
  room.ask(async db => (await sql.raw<Record<string, unknown>>(text).execute(db)).rows)
