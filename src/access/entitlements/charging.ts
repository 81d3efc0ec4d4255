/**
 * Charges bytes to subscriptions. What was charged of a source stands beside what was used, and changes in the same
 * transaction: nothing is charged twice, whoever tells it and however often.
 */
import { sql, type Transaction } from 'kysely'
import { column } from '../../kit/column.js'
import type { AccessTables } from '../tables.js'
import type { Stored } from './roll.js'
import { beyond, type Reading } from './sources.js'

type Tx = Transaction<AccessTables>

export interface Charged {
  /** Of each source, in their order: how much of it is charged by now. */
  readonly chargedBytes: readonly number[]
  /** What of the current subscriptions is used by now, by account. */
  readonly used: ReadonlyMap<string, Stored>
  readonly bytes: number
}

/** Charges what is new of the sources, at this moment, ms since 1970 UTC. */
export async function charge(tx: Tx, sources: readonly Reading[], nowMs: number): Promise<Charged> {
  const stored = await lockSources(tx, sources, nowMs)
  const byAccount = new Map<string, number>()
  const chargedBytes: number[] = []
  let bytes = 0
  for (const each of sources) {
    const before = stored.get(each.source) ?? 0
    const more = beyond(each.totalBytes, before)
    bytes += more
    byAccount.set(each.accountId, (byAccount.get(each.accountId) ?? 0) + more)
    // What is told late does not take back what was charged.
    chargedBytes.push(Math.max(before, each.totalBytes))
  }
  await saveSources(tx, sources, chargedBytes)
  return { chargedBytes, used: await use(tx, byAccount), bytes }
}

/** Returns what was charged of each; its row is held until the transaction ends. */
async function lockSources(
  tx: Tx,
  sources: readonly Reading[],
  nowMs: number,
): Promise<ReadonlyMap<string, number>> {
  const sorted = sources.toSorted((a, b) => (a.source < b.source ? -1 : 1))
  const { rows } = await sql<{ source: string; charged_bytes: number }>`
    insert into peer_usage as stored (source, peer_id, charged_bytes, changed_at)
    select source, peer_id, 0, ${new Date(nowMs)}
    from unnest(
      ${column(sorted, ({ source }) => source)}::text::text[],
      ${column(sorted, ({ peerId }) => peerId)}::text::bigint[]
    ) as row (source, peer_id)
    on conflict (source) do update set changed_at = excluded.changed_at
    returning stored.source, stored.charged_bytes`.execute(tx)
  return new Map(rows.map(row => [row.source, row.charged_bytes]))
}

async function saveSources(
  tx: Tx,
  sources: readonly Reading[],
  chargedBytes: readonly number[],
): Promise<void> {
  const rows = sources.map((each, i) => ({ ...each, chargedBytes: chargedBytes[i] }))
  await sql`
    update peer_usage as stored set
      charged_bytes = row.charged_bytes,
      ended_at = coalesce(stored.ended_at, to_timestamp(row.ended_ms / 1000))
    from unnest(
      ${column(rows, row => row.source)}::text::text[],
      ${column(rows, row => row.chargedBytes)}::text::bigint[],
      ${column(rows, row => row.endedAtMs)}::text::float8[]
    ) as row (source, charged_bytes, ended_ms)
    where stored.source = row.source`.execute(tx)
}

/** Adds to what accounts have used of what they have now; each is held in the order of all, so that nobody waits in a circle. */
async function use(tx: Tx, byAccount: ReadonlyMap<string, number>): Promise<Charged['used']> {
  const rows = [...byAccount].filter(([, bytes]) => bytes > 0)
  if (rows.length === 0) return new Map()
  const accountIds = column(rows, ([accountId]) => accountId)
  await sql`
    select from subscriptions
    where is_current and account_id = any(${accountIds}::text::text[])
    order by subscription_id for update`.execute(tx)
  const { rows: used } = await sql<{ account_id: string; subscription_id: number; used_bytes: number }>`
    update subscriptions as stored set used_bytes = stored.used_bytes + row.bytes
    from unnest(
      ${accountIds}::text::text[],
      ${column(rows, ([, bytes]) => bytes)}::text::bigint[]
    ) as row (account_id, bytes)
    where stored.account_id = row.account_id and stored.is_current
    returning stored.account_id, stored.subscription_id, stored.used_bytes`.execute(tx)
  return new Map(
    used.map(row => [row.account_id, { subscriptionId: row.subscription_id, usedBytes: row.used_bytes }]),
  )
}
