/**
 * What went over paths, into sums of their pairs. Paths tell what they have carried so far; what a path has been
 * accounted for stands beside the sums and changes in the same transaction, so that nothing is added twice, whoever
 * tells it and however often.
 */
import { sql, type Transaction } from 'kysely'
import type { PathTraffic } from '../../actors/ports.js'
import { column } from '../../kit/column.js'
import { type ReportTables, WIDTHS } from '../tables.js'
import { COUNTS, type Counts, countsOf, difference, isNothing, larger, NOTHING, sum } from './counts.js'

type Tx = Transaction<ReportTables>

/** Adds what the paths have carried beyond what was accounted for. Traffic belongs to when it was heard of, ms. */
export async function account(tx: Tx, paths: readonly PathTraffic[], nowMs: number): Promise<void> {
  const sorted = [...paths].sort((a, b) => (a.pathId < b.pathId ? -1 : 1))
  const before = await lockPaths(tx, sorted, nowMs)
  const pairs = new Map<string, PairRow>()
  for (const { pathId, clientId, nodeId, closedAtMs, bytes } of sorted) {
    const grown = difference(countsOf(bytes), before.get(pathId) ?? NOTHING)
    if (isNothing(grown)) continue
    const atMs = Math.min(closedAtMs ?? nowMs, nowMs)
    for (const width of ['hour', 'day'] as const) {
      const bucketMs = atMs - (atMs % WIDTHS[width])
      const key = `${width} ${bucketMs} ${clientId} ${nodeId}`
      const counts = sum(pairs.get(key)?.counts ?? NOTHING, grown)
      pairs.set(key, { width, bucketMs, clientId, nodeId, counts })
    }
  }
  await savePaths(tx, sorted, before)
  if (pairs.size > 0)
    await addToPairs(
      tx,
      [...pairs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
    )
}

/** Returns what each path was accounted for; its row is held until the transaction ends. */
async function lockPaths(
  tx: Tx,
  paths: readonly PathTraffic[],
  nowMs: number,
): Promise<ReadonlyMap<string, Counts>> {
  const { rows } = await sql<Counts & { path_id: string }>`
    insert into traffic_paths as stored (path_id, client_id, node_id, seen_at)
    select path_id, client_id, node_id, ${new Date(nowMs)}
    from unnest(
      ${column(paths, path => path.pathId)}::text::text[],
      ${column(paths, path => path.clientId)}::text::text[],
      ${column(paths, path => path.nodeId)}::text::text[]
    ) as row (path_id, client_id, node_id)
    on conflict (path_id) do update set seen_at = excluded.seen_at
    returning stored.path_id, ${sql.join(COUNTS.map(name => sql.ref(`stored.${name}`)))}`.execute(tx)
  return new Map(rows.map(row => [row.path_id, row]))
}

async function savePaths(
  tx: Tx,
  paths: readonly PathTraffic[],
  before: ReadonlyMap<string, Counts>,
): Promise<void> {
  const after = paths.map(({ pathId, closedAtMs, bytes }) => ({
    pathId,
    closedAtMs,
    // A crash may have taken from the ledger what was accounted for already.
    counts: larger(countsOf(bytes), before.get(pathId) ?? NOTHING),
  }))
  await sql`
    update traffic_paths as stored set
      ended_at = coalesce(stored.ended_at, to_timestamp(row.ended_ms / 1000)),
      ${sql.join(COUNTS.map(name => sql`${sql.ref(name)} = ${sql.ref(`row.${name}`)}`))}
    from unnest(
      ${column(after, path => path.pathId)}::text::text[],
      ${column(after, path => path.closedAtMs)}::text::float8[],
      ${unnested(after)}
    ) as row (path_id, ended_ms, ${sql.join(COUNTS.map(name => sql.ref(name)))})
    where stored.path_id = row.path_id`.execute(tx)
}

interface PairRow {
  readonly width: 'hour' | 'day'
  readonly bucketMs: number
  readonly clientId: string
  readonly nodeId: string
  readonly counts: Counts
}

async function addToPairs(tx: Tx, rows: readonly PairRow[]): Promise<void> {
  const names = sql.join(COUNTS.map(name => sql.ref(name)))
  await sql`
    insert into traffic_pairs as stored (width, bucket, client_id, node_id, ${names})
    select width, to_timestamp(bucket_ms / 1000), client_id, node_id, ${names}
    from unnest(
      ${column(rows, row => row.width)}::text::text[],
      ${column(rows, row => row.bucketMs)}::text::float8[],
      ${column(rows, row => row.clientId)}::text::text[],
      ${column(rows, row => row.nodeId)}::text::text[],
      ${unnested(rows)}
    ) as row (width, bucket_ms, client_id, node_id, ${names})
    on conflict (width, bucket, client_id, node_id) do update set
      ${sql.join(
        COUNTS.map(
          name => sql`${sql.ref(name)} = ${sql.ref(`stored.${name}`)} + ${sql.ref(`excluded.${name}`)}`,
        ),
      )}`.execute(tx)
}

/** Returns the columns of all counts. */
const unnested = (rows: readonly { readonly counts: Counts }[]) =>
  sql.join(COUNTS.map(name => sql`${column(rows, ({ counts }) => counts[name])}::text::bigint[]`))
