/** Sums of what went over pairs, as the database makes them: by identity or by pair, in buckets or in all. */
import { type RawBuilder, sql } from 'kysely'
import type { Room } from '../../store/index.js'
import type { ReportTables } from '../tables.js'

export interface Wish {
  readonly by: 'identity' | 'pair'
  /** null: everyone. */
  readonly identity: string | null
  readonly width: 'hour' | 'day'
  /** Begin of the first bucket, and what the last one begins before, ms. */
  readonly fromMs: number
  readonly toMs: number
  /** Whether each bucket has rows of its own. */
  readonly isSplit: boolean
  readonly key: 'timestamp' | 'bytes'
  readonly isDown: boolean
  readonly after: Mark | null
  readonly limit: number
}

/** Where a row stands. */
export interface Mark extends Pick<Row, 'bytes' | 'one' | 'other'> {
  readonly at: Date
}

export interface Sums {
  readonly relayed: number
  readonly turned: number
  readonly direct: number
  readonly bytes: number
}

export interface Row extends Sums {
  /** null: of all the time. */
  readonly at: Date | null
  /** The identity, or the client. */
  readonly one: string
  /** The node; empty for an identity. */
  readonly other: string
  readonly sent: number
  readonly received: number
}

export interface Found {
  readonly rows: readonly Row[]
  /** Rows on all pages. */
  readonly total: number
  readonly totals: Sums
}

const RELAYED = sql`relayed_to_node + relayed_to_client`
const TURNED = sql`turned_to_node + turned_to_client`
const DIRECT = sql`direct_to_node + direct_to_client`
const TO_NODE = sql`relayed_to_node + turned_to_node + direct_to_node`
const TO_CLIENT = sql`relayed_to_client + turned_to_client + direct_to_client`
const TIERS = sql`${RELAYED} as relayed, ${TURNED} as turned, ${DIRECT} as direct`

/** Resolves with the rows that are wanted, and with what all of them come to. */
export async function sumUp(room: Room<ReportTables>, wish: Wish): Promise<Found> {
  const { identity, width, fromMs, toMs, isSplit, limit } = wish
  const pairs = sql`
    select * from traffic_pairs
    where width = ${width} and bucket >= ${new Date(fromMs)} and bucket < ${new Date(toMs)}
      and (${identity}::text is null or client_id = ${identity} or node_id = ${identity})`
  const sums = sql`
    select
      ${isSplit ? sql`bucket` : sql`null::timestamptz`} as at, one, other,
      sum(sent)::float8 as sent, sum(received)::float8 as received, sum(relayed)::float8 as relayed,
      sum(turned)::float8 as turned, sum(direct)::float8 as direct, sum(sent + received)::float8 as bytes
    from (${wish.by === 'pair' ? byPair(pairs) : byIdentity(pairs, identity)}) as ends
    group by 1, one, other`
  const order = wish.isDown ? sql`desc` : sql`asc`
  return room.ask(async db => {
    const { rows } = await sql<Row>`
      select * from (${sums}) as sums
      where ${isPast(wish)}
      order by ${keyOf(wish)} ${order}, at ${order}, one ${order}, other ${order}
      limit ${limit}`.execute(db)
    const all = await sql<Sums & { total: number }>`
      select
        (select count(*) from (${sums}) as sums) as total,
        coalesce(sum(${RELAYED}), 0)::float8 as relayed, coalesce(sum(${TURNED}), 0)::float8 as turned,
        coalesce(sum(${DIRECT}), 0)::float8 as direct,
        coalesce(sum(${RELAYED} + ${TURNED} + ${DIRECT}), 0)::float8 as bytes
      from (${pairs}) as pairs`.execute(db)
    const { total, ...totals } = all.rows[0] ?? { total: 0, relayed: 0, turned: 0, direct: 0, bytes: 0 }
    return { rows, total, totals }
  })
}

const byPair = (pairs: RawBuilder<unknown>) => sql`
  select
    bucket, client_id as one, node_id as other, ${TO_NODE} as sent, ${TO_CLIENT} as received, ${TIERS}
  from (${pairs}) as pairs`

/** Each pair is two ends, of which one may be wanted. */
const byIdentity = (pairs: RawBuilder<unknown>, identity: string | null) => sql`
  select * from (
    select bucket, client_id as one, '' as other, ${TO_NODE} as sent, ${TO_CLIENT} as received, ${TIERS}
    from (${pairs}) as pairs
    union all
    select bucket, node_id as one, '' as other, ${TO_CLIENT} as sent, ${TO_NODE} as received, ${TIERS}
    from (${pairs}) as pairs
  ) as both_ends
  where ${identity}::text is null or one = ${identity}`

const keyOf = ({ key }: Wish) => (key === 'bytes' ? sql`bytes` : sql`0::float8`)

function isPast(wish: Wish): RawBuilder<unknown> {
  if (wish.after === null) return sql`true`
  const { bytes, at, one, other } = wish.after
  const than = wish.isDown ? sql`<` : sql`>`
  const mark = wish.key === 'bytes' ? sql`${bytes}::float8` : sql`0::float8`
  // Where there are no buckets none has a time: it is left out, for null compares with nothing.
  return wish.isSplit
    ? sql`(${keyOf(wish)}, at, one, other) ${than} (${mark}, ${at}, ${one}, ${other})`
    : sql`(${keyOf(wish)}, one, other) ${than} (${mark}, ${one}, ${other})`
}
