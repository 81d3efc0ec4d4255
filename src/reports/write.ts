/** Batches into tables, in one transaction: of what has come before nothing is counted again. */
import type { Transaction } from 'kysely'
import type { Batch } from './batch.js'
import { type Verdict, verdictsOn } from './once.js'
import { writeClients, writeLogs, writeTraffic } from './rows.js'
import type { ReportTables } from './tables.js'

/** Applies what has not come before; returns what became of each batch. */
export async function writeBatches(
  tx: Transaction<ReportTables>,
  batches: readonly Batch[],
  nowMs: number,
): Promise<readonly Verdict[]> {
  const verdicts = await verdictsOn(tx, batches, nowMs)
  const fresh = batches.filter((_, i) => verdicts[i] === 'counted')
  await writeClients(tx, fresh)
  await writeTraffic(tx, fresh)
  await writeLogs(tx, fresh)
  return verdicts
}
