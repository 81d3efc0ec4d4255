/**
 * What is left of many samples: how many, their sum, the least and the greatest of each figure. Sums of parts are added
 * up to the sums of the whole, so an average is that of the samples however it was come by.
 */
import { FIGURES, type Figures, isCounter } from './figures.js'

export interface Sums {
  samples: number
  /** By place: how many samples knew the figure. */
  readonly counts: number[]
  readonly sums: number[]
  readonly mins: (number | null)[]
  readonly maxs: (number | null)[]
}

export const noSums = (): Sums => ({
  samples: 0,
  counts: FIGURES.map(() => 0),
  sums: FIGURES.map(() => 0),
  mins: FIGURES.map(() => null),
  maxs: FIGURES.map(() => null),
})

/** Adds one sample; of a counter it is how much it grew. */
export function addSample(to: Sums, figures: Figures): void {
  to.samples++
  for (const [place, value] of figures.entries()) if (value !== null) add(to, place, 1, value, value, value)
}

/** Adds the sums of other samples; they may be of an older version, which knew fewer figures. */
export function addSums(to: Sums, other: Readonly<Sums>): void {
  to.samples += other.samples
  for (const place of FIGURES.keys()) {
    const count = other.counts[place] ?? 0
    if (count > 0)
      add(to, place, count, other.sums[place] ?? 0, other.mins[place] ?? 0, other.maxs[place] ?? 0)
  }
}

function add(to: Sums, place: number, count: number, sum: number, min: number, max: number): void {
  to.counts[place] = (to.counts[place] as number) + count // places are of FIGURES
  to.sums[place] = (to.sums[place] as number) + sum
  to.mins[place] = Math.min(to.mins[place] ?? min, min)
  to.maxs[place] = Math.max(to.maxs[place] ?? max, max)
}

/** Returns the average of a figure; null when no sample knew it. */
export function averageAt(of: Readonly<Sums>, place: number): number | null {
  const count = of.counts[place] ?? 0
  return count === 0 ? null : (of.sums[place] as number) / count
}

/** Returns the sum of a figure; null when no sample knew it. */
export const totalAt = (of: Readonly<Sums>, place: number): number | null =>
  (of.counts[place] ?? 0) === 0 ? null : (of.sums[place] as number)

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
