/**
 * Which numbers of a stream have come. The highest one, and below it what is missing, so that a batch that was
 * overtaken by others still counts, once.
 *
 *   1 2 3 . . 6 . 8      last 8, missing 4–5 and 7
 */
export interface Sequence {
  readonly last: number
  /** First and last number of each gap, ascending. */
  readonly missing: readonly Gap[]
}

/** A stream of which nothing has come: numbers begin at 0, or above it. */
export const NOTHING: Sequence = { last: -1, missing: [] }

export type Gap = readonly [first: number, last: number]

/** Gaps that are remembered. An agent of ours leaves one each time its spool overflows. */
const GAPS_MAX = 64

/** Returns the sequence after `seq` has come; null when it has come before, or its gap is forgotten. */
export function arrived({ last, missing }: Sequence, seq: number): Sequence | null {
  if (seq === last + 1) return { last: seq, missing }
  if (seq > last) return { last: seq, missing: [...missing, [last + 1, seq - 1] as const].slice(-GAPS_MAX) }
  const gap = missing.find(([first, end]) => first <= seq && seq <= end)
  if (gap === undefined) return null
  const [first, end] = gap
  const rest = [
    [first, seq - 1],
    [seq + 1, end],
  ] as const
  const left = missing.flatMap(each => (each === gap ? rest.filter(([from, to]) => from <= to) : [each]))
  return { last, missing: left.slice(-GAPS_MAX) }
}

/** Returns how many numbers are missing. Most agents begin with 1, so 0 is none. */
export const missed = ({ missing }: Sequence): number =>
  missing.reduce((sum, [first, last]) => sum + last - Math.max(first, 1) + 1, 0)
