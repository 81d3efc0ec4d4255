/** P-12, P-13: what servers told is kept by months, and told by widths that follow from how far back one looks. */
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { monthCalled, monthOf, monthsBefore } from '../../src/pgmon/history/months.js'
import { Partitions, SAMPLE_TABLES } from '../../src/pgmon/history/partitions.js'
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
