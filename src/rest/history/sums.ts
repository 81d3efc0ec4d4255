/**
 * What is left of many samples: how many, their sum, the least and the greatest of each figure. Sums of parts are added
 * up to the sums of the whole, so an average is that of the samples however it was come by.
 */
import { FIGURES, type Figures, isCounter } from './figures.js'

export interface Sums {
  readonly samples: number
  /** By place: how many samples knew the figure. */
  readonly counts: readonly number[]
  readonly sums: Figures
  readonly mins: Figures
  readonly maxs: Figures
}

export const NO_SUMS: Sums = { samples: 0, counts: [], sums: [], mins: [], maxs: [] }

/** Returns the sums of one sample; of a counter it is how much it grew. */
export const sumsOf = (figures: Figures): Sums => ({
  samples: 1,
  counts: figures.map(figure => (figure === null ? 0 : 1)),
  sums: figures,
  mins: figures,
  maxs: figures,
})

/** Returns the sums of both; either may be of an older version, which knew fewer figures. */
export function plus(a: Sums, b: Sums): Sums {
  return {
    samples: a.samples + b.samples,
    counts: FIGURES.map((_, place) => (a.counts[place] ?? 0) + (b.counts[place] ?? 0)),
    sums: both(a.sums, b.sums, (x, y) => x + y),
    mins: both(a.mins, b.mins, Math.min),
    maxs: both(a.maxs, b.maxs, Math.max),
  }
}

function both(a: Figures, b: Figures, join: (x: number, y: number) => number): Figures {
  return FIGURES.map((_, place) => {
    const [x, y] = [a[place] ?? null, b[place] ?? null]
    return x === null ? y : y === null ? x : join(x, y)
  })
}

/** Returns the average of a figure; null when no sample knew it. */
export function averageAt(of: Sums, place: number): number | null {
  const total = totalAt(of, place)
  return total === null ? null : total / (of.counts[place] as number) // whoever has a sum has a count
}

/** Returns the sum of a figure; null when no sample knew it. */
export const totalAt = (of: Sums, place: number): number | null => of.sums[place] ?? null

/**
 * Returns the sample as it is added up: of each counter by how much it has grown since `before`. One that is smaller
 * than before has begun anew. Without a sample before, nobody knows; nor of a sample that arrives late.
 */
export function grown(sample: Figures, before: Figures | null): Figures {
  return sample.map((value, place) => {
    if (value === null || !isCounter(place)) return value
    const last = before?.[place] ?? null
    return last === null ? null : value >= last ? value - last : value
  })
}
