/** Full-jitter exponential back-off: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/ */
import type { Random } from './random.js'

export interface BackoffOptions {
  /** Ceiling of the first wait, ms. */
  readonly firstMs?: number
  /** Ceiling of every wait, ms. */
  readonly maxMs?: number
}

/** Returns how long to wait before attempt `attempt` (0 is the first retry): uniform in [0, min(max, first·2^attempt)]. */
export function backoffMs(
  attempt: number,
  random: Random,
  { firstMs = 500, maxMs = 60_000 }: BackoffOptions = {},
): number {
  return random.float() * Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30))
}
