/** What a server told before, as a plot takes it: times in s, a mean with its band, and a gap where nothing was told. */
import type { Band } from '../ui/band.js'
import type { History } from './kinds.js'

/** How far one can look back: what is in the address, and how it is called. */
export const SPANS = [
  ['24h', '24 h', 1],
  ['7d', '7 d', 7],
  ['30d', '30 d', 30],
  ['90d', '90 d', 90],
  ['12mo', '12 months', 365],
] as const

/** Every figure of a history is asked for from the same moment, which moves on in steps of this, s: not with each look. */
const STEP_S = 300
const DAY_S = 86_400

/** Returns where a span begins, as the endpoint takes it. An unknown span is a day. */
export function spanFrom(span: string | undefined, nowMs: number): string {
  const days = SPANS.find(([name]) => name === span)?.[2] ?? 1
  const endS = Math.floor(nowMs / 1000 / STEP_S) * STEP_S
  return new Date((endS - days * DAY_S) * 1000).toISOString()
}

/** How wide points are, in words. */
export const WIDTH_WORDS: Readonly<Record<History['width'], string>> = {
  raw: 'as collected',
  '1h': 'by hours',
  '4h': 'by 4 hours',
  '1d': 'by days',
}

/**
 * Points that are further apart than so many usual distances have a gap between them: one that is missing is seen. Each
 * figure has a distance of its own, since sizes are kept more rarely than the rest.
 */
const GAP = 1.6

/** Returns a figure of a history; null: it was never told. */
export function bandOf({ at, series }: History, name: string): Band | null {
  const { mean = [], min = [], max = [] } = series[name] ?? {}
  const told = at.flatMap((moment, i) => {
    const value = mean[i] ?? null
    return value === null ? [] : [{ time: Date.parse(moment) / 1000, i, value }]
  })
  if (told.length === 0) return null
  const apart = usualDistance(told.map(({ time }) => time))
  const band: { times: number[]; mean: Value[]; min: Value[]; max: Value[] } = {
    times: [],
    mean: [],
    min: [],
    max: [],
  }
  const add = (time: number, ...values: readonly [mean: Value, min: Value, max: Value]) => {
    band.times.push(time)
    for (const [k, line] of [band.mean, band.min, band.max].entries()) line.push(values[k] ?? null)
  }
  for (const [k, { time, i, value }] of told.entries()) {
    const before = told[k - 1]?.time
    if (before !== undefined && time - before > apart * GAP) add(before + apart, null, null, null)
    add(time, value, min[i] ?? null, max[i] ?? null)
  }
  return [band.times, band.mean, band.min, band.max]
}

type Value = number | null

/** The median: one that was late, or a night without any, does not change it. */
function usualDistance(times: readonly number[]): number {
  const distances = times.slice(1).map((time, i) => time - (times[i] ?? time))
  return distances.toSorted((a, b) => a - b)[distances.length >> 1] ?? DAY_S
}
