/** The tables of this room, as Kysely sees them. */
import type { Interval } from './history/intervals.js'
import type { Source } from './history/figures.js'

export interface RestDatabase {
  metric_samples: MetricSamples
  metric_latest: MetricSamples
  metric_sums: MetricSums
}

/** Figures are at the places of `history/figures.ts`; rows of older versions have fewer. */
interface MetricSamples {
  id: string
  source: Source
  at: Date
  figures: (number | null)[]
}

interface MetricSums {
  id: string
  interval: Interval
  /** When the interval began. */
  at: Date
  samples: number
  counts: number[]
  sums: number[]
  mins: (number | null)[]
  maxs: (number | null)[]
}
