/** Clearing out what is older than it is kept, a bounded number of rows at a time. */
import { sql } from 'kysely'
import type { Room } from '../store/index.js'
import type { ReportTables, Width } from './tables.js'

/** How long each table keeps its rows, ms. */
export interface Retention {
  readonly clientsMs: number
  readonly logsMs: number
  readonly sumsMs: Readonly<Record<Width, number>>
  /** What an ended path was accounted for: longer than the mesh itself knows of the path. */
  readonly pathsMs: number
}

/** Rows of each kind that one round clears out, so that no round takes long. */
const ROWS = 5_000
/** A request that comes again does so within a week, ms: agents that were offline for longer may be counted twice. */
const KEYS_MS = 7 * 86_400_000
/** A spool that was offline for so long is given up, ms. */
const STREAMS_MS = 400 * 86_400_000

/** Resolves with whether there may be more to clear out. */
export async function prune(
  room: Room<ReportTables>,
  { clientsMs, logsMs, sumsMs, pathsMs }: Retention,
  nowMs: number,
): Promise<boolean> {
  const before = (keptMs: number) => new Date(nowMs - keptMs)
  const old = [
    sql`delete from report_keys where ctid in (
      select ctid from report_keys where at < ${before(KEYS_MS)} limit ${ROWS}
    )`,
    sql`delete from report_streams where ctid in (
      select ctid from report_streams where changed_at < ${before(STREAMS_MS)} limit ${ROWS}
    )`,
    sql`delete from report_clients where ctid in (
      select ctid from report_clients where last_seen < ${before(clientsMs)} limit ${ROWS}
    )`,
    sql`delete from report_logs where ctid in (
      select ctid from report_logs where at < ${before(logsMs)} limit ${ROWS}
    )`,
    sql`delete from traffic_paths where ctid in (
      select ctid from traffic_paths where ended_at < ${before(pathsMs)} limit ${ROWS}
    )`,
    ...Object.entries(sumsMs).flatMap(([width, keptMs]) =>
      [sql.table('report_traffic'), sql.table('traffic_pairs')].map(
        table => sql`delete from ${table} where ctid in (
          select ctid from ${table} where width = ${width} and bucket < ${before(keptMs)} limit ${ROWS}
        )`,
      ),
    ),
  ]
  let more = false
  // Each for itself: nothing else waits for more than one of them.
  for (const each of old) {
    const { numAffectedRows = 0n } = await room.ask(db => each.execute(db))
    more ||= numAffectedRows === BigInt(ROWS)
  }
  return more
}
