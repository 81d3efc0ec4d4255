/**
 * Whether a path off the relay is kept: only while it is better, with hysteresis, so that two that are alike do not
 * take turns. A round trip that is not known decides nothing.
 */

/** A way off the relay may be this much slower before it counts as worse: a share of the relay's round trip, and ms. */
const MARGIN_SHARE = 0.25
const MARGIN_MS = 10
/** It is given up when it was worse for this long without a break, ms. */
const PATIENCE_MS = 10_000

export interface RoundTrips {
  /** Off the relay, ms; null: unknown. */
  readonly own: number | null
  /** By the relay, ms; null: unknown. */
  readonly relayed: number | null
}

/** Returns whether the way is worse than the relay by more than the margin. */
export function isSlower({ own, relayed }: RoundTrips): boolean {
  return own !== null && relayed !== null && own > relayed * (1 + MARGIN_SHARE) + MARGIN_MS
}

/** Returns since when the way has been worse; null when it is not. Feed the last answer back in. */
export function slowSince(sinceMs: number | null, trips: RoundTrips, nowMs: number): number | null {
  return isSlower(trips) ? (sinceMs ?? nowMs) : null
}

/** Returns whether it is time to go back to the relay. */
export const isTooSlow = (sinceMs: number | null, nowMs: number): boolean =>
  sinceMs !== null && nowMs - sinceMs >= PATIENCE_MS
