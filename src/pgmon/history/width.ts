/** How finely a time is told of (P-13): the longer it is, the wider its points. */
import type { Width } from './forms.js'

export interface Span {
  /** ms since 1970 UTC. */
  readonly fromMs: number
  /** The first moment that is not of it. */
  readonly toMs: number
}

const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** ms; raw points are as wide as nothing. */
export const WIDTH_MS: Readonly<Record<Exclude<Width, 'raw'>, number>> = {
  '1h': HOUR_MS,
  '4h': 4 * HOUR_MS,
  '1d': DAY_MS,
}

/** Points of an answer, at most. */
export const POINTS_MAX = 3_000

/** Returns the width that goes with a time. */
export function widthOf({ fromMs, toMs }: Span): Width {
  const days = (toMs - fromMs) / DAY_MS
  return days <= 2 ? 'raw' : days <= 14 ? '1h' : days <= 90 ? '4h' : '1d'
}

/** Returns a time with whole points at both of its ends. */
export function widened(width: Width, { fromMs, toMs }: Span): Span {
  if (width === 'raw') return { fromMs, toMs }
  const ms = WIDTH_MS[width]
  return { fromMs: Math.floor(fromMs / ms) * ms, toMs: Math.ceil(toMs / ms) * ms }
}
