/** What was kept of a server or of one of its databases over a time, added up by the database that has it. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Room } from '../../store/rooms.js'
import type { MonitorTables } from '../tables.js'
import type { Width } from './forms.js'
import { POINTS_MAX, type Span, WIDTH_MS, widened, widthOf } from './width.js'

export interface LookBack extends Span {
  readonly serverId: number
  /** null: the whole server. */
  readonly database: string | null
  readonly figures: readonly string[]
}

export interface Points extends Span {
  readonly width: Width
  /** ms since 1970 UTC. */
  readonly at: readonly number[]
  readonly series: Readonly<Record<string, Series>>
}
interface Series {
  readonly mean: Values
  readonly min: Values
  readonly max: Values
}
type Values = readonly (number | null)[]

/** Resolves with at most `POINTS_MAX` points: raw ones that are more come by hours. */
export async function lookBack(room: Room<MonitorTables>, wish: LookBack): Promise<Points> {
  const width = widthOf(wish)
  if (width !== 'raw') return wide(room, wish, width)
  const points = await raw(room, wish)
  return points.at.length > POINTS_MAX ? wide(room, wish, '1h') : points
}

/** Resolves with whether anything is kept of a database. */
export const isKnown = (room: Room<MonitorTables>, serverId: number, database: string): Promise<boolean> =>
  room.ask(async db => {
    const row = await db
      .selectFrom('pgmon_database_samples')
      .select('at')
      .where('server_id', '=', serverId)
      .where('database', '=', database)
      .limit(1)
      .executeTakeFirst()
    return row !== undefined
  })

type Row = Readonly<Record<string, number | null>> & { readonly at_ms: number }

async function raw(room: Room<MonitorTables>, wish: LookBack): Promise<Points> {
  const { fromMs, toMs, figures } = wish
  const columns = figures.map(name => sql.ref(name))
  const rows = await ask(
    room,
    sql`
      select date_part('epoch', at) * 1000 as at_ms, ${sql.join(columns)} from ${source(wish)}
      and num_nonnulls(${sql.join(columns)}) > 0
      order by at limit ${POINTS_MAX + 1}`,
  )
  const seriesOf = (name: string): Series => {
    const values = rows.map(row => row[name] ?? null)
    return { mean: values, min: values, max: values }
  }
  return pointsOf({ fromMs, toMs }, 'raw', rows, figures, seriesOf)
}

async function wide(
  room: Room<MonitorTables>,
  wish: LookBack,
  width: Exclude<Width, 'raw'>,
): Promise<Points> {
  const { figures } = wish
  const span = widened(width, wish)
  const seconds = `${WIDTH_MS[width] / 1_000} s`
  const sums = figures.flatMap((name, i) => {
    const column = sql.ref(name)
    return [
      sql`avg(${column}) as ${sql.ref(`mean${i}`)}`,
      sql`min(${column}) as ${sql.ref(`min${i}`)}`,
      sql`max(${column}) as ${sql.ref(`max${i}`)}`,
    ]
  })
  const rows = await ask(
    room,
    sql`
      select date_part('epoch', bucket) * 1000 as at_ms, ${sql.join(sums)}
      from (
        select *, date_bin(${seconds}::interval, at, 'epoch') as bucket from ${source({ ...wish, ...span })}
        and num_nonnulls(${sql.join(figures.map(name => sql.ref(name)))}) > 0
      ) as samples
      group by bucket order by bucket`,
  )
  const seriesOf = (_: string, i: number): Series => {
    const of = (sum: string): Values => rows.map(row => row[`${sum}${i}`] ?? null)
    return { mean: of('mean'), min: of('min'), max: of('max') }
  }
  return pointsOf(span, width, rows, figures, seriesOf)
}

/** The rows of a time: its bounds are what prunes partitions. */
function source({ serverId, database, fromMs, toMs }: Omit<LookBack, 'figures'>): RawBuilder<unknown> {
  const [table, whose] =
    database === null
      ? [sql.table('pgmon_server_samples'), sql``]
      : [sql.table('pgmon_database_samples'), sql`and database = ${database}`]
  return sql`${table} where server_id = ${serverId} ${whose}
    and at >= ${new Date(fromMs)} and at < ${new Date(toMs)}`
}

async function ask(room: Room<MonitorTables>, query: RawBuilder<unknown>): Promise<readonly Row[]> {
  const { rows } = await room.ask((db: Kysely<MonitorTables>) => query.execute(db))
  return rows as Row[] // as it was asked
}

function pointsOf(
  { fromMs, toMs }: Span,
  width: Width,
  rows: readonly Row[],
  figures: readonly string[],
  seriesOf: (name: string, i: number) => Series,
): Points {
  return {
    fromMs,
    toMs,
    width,
    at: rows.map(row => Math.round(row.at_ms)),
    series: Object.fromEntries(figures.map((name, i) => [name, seriesOf(name, i)])),
  }
}
