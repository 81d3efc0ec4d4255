/** Samples as they enter the tables: what they add to each minute, hour and day, and which are the newest. */
import { type Figures, isCounter, type Sample } from './figures.js'
import { beginOf, type Interval, INTERVALS } from './intervals.js'
import { grown, plus, type Sums, sumsOf } from './sums.js'

export interface SumsRow {
  readonly id: string
  readonly interval: Interval
  readonly atMs: number
  readonly sums: Sums
}

/** Names what has a newest sample of its own: each source of each node. */
export const sourceKey = ({ id, source }: Pick<Sample, 'id' | 'source'>): string => `${id} ${source}`

/**
 * Adds up samples that were not added before; `latest` holds the newest of those that were, by `sourceKey`. A sample that
 * arrives after a later one counts too, but of its counters nobody can say by how much they grew.
 */
export function addUp(
  samples: readonly Sample[],
  latest: ReadonlyMap<string, Sample>,
): { readonly rows: readonly SumsRow[]; readonly latest: readonly Sample[] } {
  const rows = new Map<string, SumsRow>()
  const newest = new Map<string, Sample>()
  for (const sample of samples.toSorted((a, b) => a.atMs - b.atMs)) {
    const key = sourceKey(sample)
    const before = newest.get(key) ?? latest.get(key)
    const isLate = before !== undefined && sample.atMs <= before.atMs
    const figures = grown(sample.figures, before === undefined || isLate ? null : before.figures)
    const sums = sumsOf(figures)
    for (const interval of INTERVALS) add(rows, sample, interval, sums)
    if (!isLate) newest.set(key, { ...sample, figures: carried(sample.figures, before?.figures ?? []) })
  }
  return {
    // Everyone takes rows in the same order, so that two coordinators never wait for each other in a ring.
    rows: [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
    latest: [...newest.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sample]) => sample),
  }
}

/** A counter that a sample leaves out stands where it stood. */
const carried = (figures: Figures, before: Figures): Figures =>
  figures.map((value, place) => value ?? (isCounter(place) ? (before[place] ?? null) : null))

function add(rows: Map<string, SumsRow>, { id, atMs }: Sample, interval: Interval, more: Sums): void {
  const beganMs = beginOf(interval, atMs)
  const key = `${id} ${interval} ${beganMs}`
  const known = rows.get(key)
  rows.set(key, { id, interval, atMs: beganMs, sums: known === undefined ? more : plus(known.sums, more) })
}
