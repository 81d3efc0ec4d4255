/** P-12, P-13: what servers told is kept by months, and told by widths that follow from how far back one looks. */
import { sql } from 'kysely'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { seededRandom } from '../../src/kit/random.js'
import type { Width } from '../../src/pgmon/history/forms.js'
import { isKnown, lookBack } from '../../src/pgmon/history/look-back.js'
import { monthCalled, monthOf, monthsBefore } from '../../src/pgmon/history/months.js'
import { Partitions, SAMPLE_TABLES } from '../../src/pgmon/history/partitions.js'
import { DAY_MS, type Span } from '../../src/pgmon/history/width.js'
import { type MonitorRoom, onEachRoom, type OpenRoom } from './rooms.js'

const NOVEMBER = Date.UTC(2026, 10, 22, 3)

t.test('months are of UTC, and a month before the last of March is the last of February', async t => {
  t.match(monthOf(Date.UTC(2026, 11, 31, 23, 59)), { name: '2026_12', toMs: Date.UTC(2027, 0) })
  t.match(monthCalled('2026_02'), { fromMs: Date.UTC(2026, 1), toMs: Date.UTC(2026, 2) })
  for (const name of ['2026_13', '2026_00', '2026_1', 'old', '2026_02x'])
    t.equal(monthCalled(name), null, name)
  t.equal(monthsBefore(1, Date.UTC(2026, 2, 31, 5)), Date.UTC(2026, 2))
  t.equal(monthsBefore(12, NOVEMBER), Date.UTC(2025, 10, 22, 3))
})

t.test('samples', async t => {
  await onEachRoom(t, async (t, open) => {
    await inPartitions(t, open)
    await byWidths(t, await open())
  })
})

async function inPartitions(t: Test, open: OpenRoom): Promise<void> {
  const room = await open()

  await t.test(
    'P-12: several coordinators make the partitions of a month at once, each one time',
    async t => {
      const rooms = [room, await open(), await open()]
      await Promise.all(rooms.map(each => new Partitions(each).make(NOVEMBER)))
      t.strictSame(
        await partitionsIn(room),
        SAMPLE_TABLES.flatMap(table => [`${table}_2026_11`, `${table}_2026_12`]).toSorted(),
      )
    },
  )

  await t.test('P-12: a sample finds its partition when the month turns, and when clocks jump', async t => {
    const partitions = new Partitions(room)
    const moments = [
      NOVEMBER,
      Date.UTC(2026, 10, 30, 23, 59, 59, 999),
      Date.UTC(2026, 11, 1),
      Date.UTC(2027, 5),
    ]
    for (const atMs of moments) await write(partitions, atMs)
    t.strictSame(await momentsIn(room), moments)
    t.ok((await partitionsIn(room)).includes('pgmon_server_samples_2027_06'))
  })

  await t.test('P-12: what is too old goes by whole months, and what is not stays', async t => {
    const partitions = new Partitions(room)
    t.equal(await partitions.drop(Date.UTC(2026, 11, 1) - 1), 0)
    t.equal(await partitions.drop(Date.UTC(2026, 11, 1)), SAMPLE_TABLES.length)
    t.strictSame(await momentsIn(room), [Date.UTC(2026, 11, 1), Date.UTC(2027, 5)])
  })

  await t.test('P-12: a partition that another has dropped meanwhile is made again', async t => {
    const [ours, theirs] = [new Partitions(room), new Partitions(await open())]
    await write(ours, Date.UTC(2027, 0))
    await theirs.drop(Date.UTC(2027, 1))
    await write(ours, Date.UTC(2027, 0, 2))
    t.strictSame(await momentsIn(room), [Date.UTC(2027, 0, 2), Date.UTC(2027, 5)])
  })
}

async function byWidths(t: Test, room: MonitorRoom): Promise<void> {
  const toMs = Date.UTC(2026, 10, 22, 3, 17, 5)
  const samples = randomSamples(toMs)
  await keep(room, samples)
  const shared = { serverId: SERVER, database: null, figures: ['connections', 'cache_hit_ratio'] }

  await t.test('P-13: raw up to 2 days, by hours up to 14, by 4 hours up to 90, then by days', async t => {
    for (const [days, width, most] of [
      [2, 'raw', 3_000],
      [2 + 1 / DAY_MS, '1h', 49],
      [14, '1h', 14 * 24 + 1],
      [14 + 1 / DAY_MS, '4h', 14 * 6 + 1],
      [90, '4h', 90 * 6 + 1],
      [90 + 1 / DAY_MS, '1d', 92],
      [400, '1d', 401],
    ] as const) {
      const told = await lookBack(room, { ...shared, fromMs: toMs - days * DAY_MS, toMs })
      t.equal(told.width, width, `${days} days`)
      t.ok(told.at.length > 0 && told.at.length <= most, `${told.at.length} points`)
    }
  })

  await t.test('P-13: whatever time is asked for, the points are what the samples of it come to', async t => {
    const span = fc
      .tuple(fc.integer({ min: 0, max: 400 * 86_400 }), fc.constantFrom(0.2, 2, 9, 14, 60, 90, 200))
      .map(([agoS, days]) => ({ fromMs: toMs - agoS * 1_000 - days * DAY_MS, toMs: toMs - agoS * 1_000 }))
    await fc.assert(
      fc.asyncProperty(span, async span => {
        const { at, width, series } = await lookBack(room, { ...shared, ...span })
        t.strictSame({ at, series: rounded(series) }, modelled(samples, span, width))
      }),
      { numRuns: 25 },
    )
  })

  await t.test('of a database, only its own samples count', async t => {
    const wish = { fromMs: toMs - DAY_MS, toMs, figures: ['connections'] }
    const told = await lookBack(room, { ...wish, serverId: SERVER, database: 'app' })
    t.strictSame(told.series['connections']?.mean, [3])
    t.strictSame((await lookBack(room, { ...wish, serverId: SERVER, database: 'none' })).at, [])
    t.strictSame((await lookBack(room, { ...wish, serverId: SERVER + 1, database: 'app' })).at, [])
    t.same(await Promise.all(['app', 'none'].map(name => isKnown(room, SERVER, name))), [true, false])
  })

  await t.test('P-12: only the partitions of the time that is asked for are read', async t => {
    const plan = await room.ask(async db => {
      const { rows } = await sql<Record<string, string>>`
        explain select avg(connections) from pgmon_server_samples
        where server_id = ${SERVER} and at >= ${new Date(toMs - 3 * DAY_MS)} and at < ${new Date(toMs)}`.execute(
        db,
      )
      return JSON.stringify(rows)
    })
    t.match(plan, /pgmon_server_samples_2026_11/)
    t.notMatch(plan, /pgmon_server_samples_2026_1[02]|2025/)
  })

  await t.test('P-13: raw points that are too many come by hours', async t => {
    await keep(
      room,
      Array.from({ length: 3_100 }, (_, i) => ({ atMs: toMs - i * 20_000 - 1, figures: [i, null] })),
      SERVER + 7,
    )
    const told = await lookBack(room, { ...shared, serverId: SERVER + 7, fromMs: toMs - DAY_MS, toMs })
    t.match(told, { width: '1h' })
    t.equal(told.at.length, 18)
  })
}

const SERVER = 42

interface Sample {
  readonly atMs: number
  /** Connections and the cache hit ratio. */
  readonly figures: readonly (number | null)[]
}

/** About one in three hours of 401 days, and one a minute of the last five hours; each moment once. */
function randomSamples(toMs: number): readonly Sample[] {
  const random = seededRandom(13)
  const figure = () => (random.float() < 0.2 ? null : Math.round(random.float() * 1_000) / 8)
  const moments = new Set<number>()
  for (let i = 0; i < 3_000; i++) moments.add(toMs - Math.floor(random.float() * 401 * DAY_MS))
  for (let i = 0; i < 300; i++) moments.add(toMs - i * 60_000)
  return [...moments].toSorted((a, b) => a - b).map(atMs => ({ atMs, figures: [figure(), figure()] }))
}

async function keep(room: MonitorRoom, samples: readonly Sample[], serverId = SERVER): Promise<void> {
  const partitions = new Partitions(room)
  for (const { atMs } of samples) await partitions.make(atMs)
  await room.ask(db =>
    sql`
      insert into pgmon_server_samples (server_id, at, connections, cache_hit_ratio)
      select ${serverId}, to_timestamp(at / 1000), connections, ratio from unnest(
        ${samples.map(({ atMs }) => atMs)}::float8[],
        ${samples.map(({ figures }) => figures[0])}::float8[],
        ${samples.map(({ figures }) => figures[1])}::float8[]
      ) as row (at, connections, ratio)`.execute(db),
  )
  const last = new Date(samples.at(-1)?.atMs ?? 0)
  await room.ask(db =>
    sql`
      insert into pgmon_database_samples (server_id, database, at, connections)
      values (${serverId}, 'app', ${new Date(last.getTime() - 1_000)}, 3)`.execute(db),
  )
}

/** The same, without a database. */
function modelled(samples: readonly Sample[], { fromMs, toMs }: Span, width: Width) {
  const ms = { raw: 1, '1h': 3_600_000, '4h': 14_400_000, '1d': DAY_MS }[width]
  const buckets = new Map<number, (readonly (number | null)[])[]>()
  for (const { atMs, figures } of samples) {
    const isWithin = atMs >= Math.floor(fromMs / ms) * ms && atMs < Math.ceil(toMs / ms) * ms
    if (!isWithin || figures.every(figure => figure === null)) continue
    const bucket = Math.floor(atMs / ms) * ms
    buckets.set(bucket, [...(buckets.get(bucket) ?? []), figures])
  }
  const seriesOf = (place: number) => {
    const of = (sum: (known: readonly number[]) => number) =>
      [...buckets.values()].map(rows => {
        const known = rows.flatMap(row => row[place] ?? [])
        return known.length === 0 ? null : sum(known)
      })
    return {
      mean: of(known => known.reduce((all, one) => all + one) / known.length),
      min: of(known => Math.min(...known)),
      max: of(known => Math.max(...known)),
    }
  }
  return {
    at: [...buckets.keys()],
    series: rounded({ connections: seriesOf(0), cache_hit_ratio: seriesOf(1) }),
  }
}

/** Sums of fractions depend on their order. */
const rounded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, one) => (typeof one === 'number' ? Number(one.toPrecision(12)) : one)))

const write = (partitions: Partitions, atMs: number) =>
  partitions.write(
    atMs,
    sql`insert into pgmon_server_samples (server_id, at, connections) values (1, ${new Date(atMs)}, 1)`,
  )

const momentsIn = (room: MonitorRoom): Promise<readonly number[]> =>
  room.ask(async db => {
    const rows = await db.selectFrom('pgmon_server_samples').select('at').orderBy('at').execute()
    return rows.map(({ at }) => at.getTime())
  })

const partitionsIn = (room: MonitorRoom): Promise<readonly string[]> =>
  room.ask(async db => {
    const { rows } = await sql<{ name: string }>`
      select inhrelid::regclass::text as name from pg_inherits
      where inhparent::regclass::text like 'pgmon_%_samples'`.execute(db)
    return rows.map(({ name }) => name).toSorted()
  })
