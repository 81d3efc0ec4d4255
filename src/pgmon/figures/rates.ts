/** What went on between two looks. Pure: it is given what was counted at each. */
import type { DatabaseRow } from './forms.js'
import { type Count, type Counted, COUNTS } from './work.js'

export type Rates = Pick<
  DatabaseRow,
  | 'commits_per_s'
  | 'rollbacks_per_s'
  | 'cache_hit_ratio'
  | 'tuples_read_per_s'
  | 'tuples_written_per_s'
  | 'temp_bytes_per_s'
  | 'deadlocks_per_s'
>

/** What was counted in so many seconds. */
export interface Gain {
  readonly seconds: number
  readonly counts: Readonly<Record<Count, number>>
}

/** Two looks that are closer together say little, s. */
export const APART_S = 1

export const UNKNOWN_RATES: Rates = {
  commits_per_s: null,
  rollbacks_per_s: null,
  cache_hit_ratio: null,
  tuples_read_per_s: null,
  tuples_written_per_s: null,
  temp_bytes_per_s: null,
  deadlocks_per_s: null,
}

export function ratesOf(gain: Gain | null): Rates {
  if (gain === null) return UNKNOWN_RATES
  const { seconds, counts } = gain
  const blocks = counts.blocks_hit + counts.blocks_read
  return {
    commits_per_s: counts.commits / seconds,
    rollbacks_per_s: counts.rollbacks / seconds,
    cache_hit_ratio: blocks === 0 ? null : counts.blocks_hit / blocks,
    tuples_read_per_s: counts.tuples_returned / seconds,
    tuples_written_per_s: (counts.tuples_inserted + counts.tuples_updated + counts.tuples_deleted) / seconds,
    temp_bytes_per_s: counts.temp_bytes / seconds,
    deadlocks_per_s: counts.deadlocks / seconds,
  }
}

/** Returns what a database has done since; null when that is not known: it was not there, or its figures were reset. */
export function gainOf(now: Counted, before: Counted | undefined): Gain | null {
  if (before === undefined || now.stats_reset_at_ms !== before.stats_reset_at_ms) return null
  const seconds = now.at_s - before.at_s
  if (seconds < APART_S) return null
  const counts = Object.fromEntries(COUNTS.map(name => [name, (now[name] ?? 0) - (before[name] ?? 0)]))
  // After a crash, figures begin anew without a word.
  if (Object.values(counts).some(count => count < 0)) return null
  return { seconds, counts: counts as Gain['counts'] } // each of them
}

/** Returns what all databases have done that were there both times; null when one of them has been reset. */
export function totalGainOf(now: readonly Counted[], before: ReadonlyMap<string, Counted>): Gain | null {
  const gains = now.filter(({ id }) => before.has(id)).map(work => gainOf(work, before.get(work.id)))
  const [first] = gains
  if (first === undefined || gains.includes(null)) return null
  const sum = (name: Count) => gains.reduce((all, gain) => all + (gain?.counts[name] ?? 0), 0)
  const counts = Object.fromEntries(COUNTS.map(name => [name, sum(name)]))
  return first === null ? null : { seconds: first.seconds, counts: counts as Gain['counts'] } // each of them
}

/** Returns the sum of what is known; null when nothing is. */
export function sumOf(figures: readonly (number | null)[]): number | null {
  const known = figures.filter(figure => figure !== null)
  return known.length === 0 ? null : known.reduce((all, figure) => all + figure, 0)
}
