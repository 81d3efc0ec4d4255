/**
 * What a server had counted at a visit, left for the next one, so that rates are of all the time in between and not of the
 * last moment of it. Pure.
 */
import { z } from 'zod'
import { gainOf, type Rates, ratesOf, totalGainOf } from '../figures/rates.js'
import type { ServerStats } from '../figures/forms.js'
import { type Counted, COUNTS } from '../figures/work.js'

/** As it is kept; the counts of a database in the order of `COUNTS`. */
const Counters = z.object({
  at_s: z.number(),
  lsn_bytes: z.number().nullable(),
  databases: z.record(
    z.string(),
    z.object({
      reset_ms: z.number().nullable(),
      counts: z.array(z.number().nullable()).length(COUNTS.length),
    }),
  ),
})
export type Counters = z.output<typeof Counters>

/** Of which nothing more is kept than this: beyond it, rates of single databases are not known. */
const DATABASES_MAX = 1_000

/** Returns what was left; null when there is nothing, or nothing of this version. */
export const readCounters = (left: unknown): Counters | null => Counters.safeParse(left).data ?? null

export function countersOf({ checked_at, wal, databases }: ServerStats): Counters {
  return {
    at_s: Date.parse(checked_at) / 1_000,
    lsn_bytes: bytesOf(wal?.lsn ?? null),
    databases: Object.fromEntries(
      databases.slice(0, DATABASES_MAX).map(row => [
        row.name,
        {
          reset_ms: row.stats_reset_at === null ? null : Date.parse(row.stats_reset_at),
          counts: COUNTS.map(name => row[name]),
        },
      ]),
    ),
  }
}

export interface Between {
  readonly server: Rates & { readonly wal_bytes_per_s: number | null }
  readonly deadlocks: number
  /** By name. */
  readonly databases: ReadonlyMap<string, Rates>
}

/** Returns what went on between two visits; nothing of it is known without the first one. */
export function between(now: Counters, before: Counters | null): Between {
  const [after, earlier] = [countedIn(now), before === null ? new Map<string, Counted>() : countedIn(before)]
  const total = totalGainOf([...after.values()], earlier)
  return {
    server: { ...ratesOf(total), wal_bytes_per_s: before === null ? null : walRateOf(now, before) },
    deadlocks: total?.counts.deadlocks ?? 0,
    databases: new Map(
      [...after].map(([name, counted]) => [name, ratesOf(gainOf(counted, earlier.get(name)))]),
    ),
  }
}

function countedIn({ at_s, databases }: Counters): Map<string, Counted> {
  return new Map(
    Object.entries(databases).map(([id, { reset_ms, counts }]) => [
      id,
      {
        id,
        at_s,
        stats_reset_at_ms: reset_ms,
        ...(Object.fromEntries(COUNTS.map((name, i) => [name, counts[i] ?? null])) as Pick<
          Counted,
          (typeof COUNTS)[number]
        >), // each of them
      },
    ]),
  )
}

function walRateOf(now: Counters, before: Counters): number | null {
  if (now.lsn_bytes === null || before.lsn_bytes === null) return null
  const [seconds, bytes] = [now.at_s - before.at_s, now.lsn_bytes - before.lsn_bytes]
  return seconds <= 0 || bytes < 0 ? null : bytes / seconds
}

/** Returns a position in the WAL such as `16/B374D848` as bytes since its beginning. */
function bytesOf(lsn: string | null): number | null {
  const [, high, low] = /^([0-9A-F]+)\/([0-9A-F]+)$/i.exec(lsn ?? '') ?? []
  return high === undefined || low === undefined
    ? null
    : Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16)
}
