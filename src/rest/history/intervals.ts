/** Intervals that samples are added up by, in UTC, and which of them make up a time. */

export const INTERVALS = ['minute', 'hour', 'day'] as const
export type Interval = (typeof INTERVALS)[number]

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
export const LENGTH_MS: Readonly<Record<Interval, number>> = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS }

/** A time: from a moment up to, and without, another; ms since 1970 UTC. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}
export interface Piece extends Span {
  readonly interval: Interval
}

/** Returns when the interval with this moment in it began. */
export const beginOf = (interval: Interval, atMs: number): number =>
  Math.floor(atMs / LENGTH_MS[interval]) * LENGTH_MS[interval]

/** Returns the span widened to whole intervals. */
export const widened = (interval: Interval, { fromMs, toMs }: Span): Span => ({
  fromMs: beginOf(interval, fromMs),
  toMs: beginOf(interval, toMs + LENGTH_MS[interval] - 1),
})

/**
 * Returns the few pieces that make up a span: days inside, hours and minutes at its ends, as far back as these are kept.
 * An end that only something coarser reaches is widened to it.
 *
 *   minutes  ▪▪▪                                   ▪▪▪▪
 *   hours       ▬▬▬▬▬                        ▬▬▬▬▬
 *   days             ████████████████████████
 */
export function piecesOf(span: Span, keptSinceMs: Readonly<Record<Interval, number>>): readonly Piece[] {
  const finest = INTERVALS.find(interval => keptSinceMs[interval] <= span.fromMs) ?? 'day'
  return split(widened(finest, span), INTERVALS.indexOf('day'), INTERVALS.indexOf(finest))
}

function split(span: Span, coarse: number, finest: number): readonly Piece[] {
  const interval = INTERVALS[coarse] as Interval // between the two
  if (span.toMs <= span.fromMs) return []
  if (coarse === finest) return [{ interval, ...span }]
  const fromMs = beginOf(interval, span.fromMs + LENGTH_MS[interval] - 1)
  const toMs = beginOf(interval, span.toMs)
  if (toMs <= fromMs) return split(span, coarse - 1, finest)
  return [
    ...split({ fromMs: span.fromMs, toMs: fromMs }, coarse - 1, finest),
    { interval, fromMs, toMs },
    ...split({ fromMs: toMs, toMs: span.toMs }, coarse - 1, finest),
  ]
}
