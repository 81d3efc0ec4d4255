/** How long things take, ms. */
export interface WebhookTiming {
  /** For a name to be looked up, a connection to be made, and an answer to begin. */
  readonly timeoutMs: number
  /** An attempt that nobody has reported on for this long is made again: longer than any attempt takes. */
  readonly leaseMs: number
  /** Ceiling of the first wait before another attempt, and of every wait; between them it doubles. */
  readonly firstRetryMs: number
  readonly maxRetryMs: number
  /** After this the delivery is given up. */
  readonly giveUpMs: number
  /** How long the log of deliveries goes back. */
  readonly keptMs: number
  /** How often what is over is cleared out. */
  readonly tidyEveryMs: number
}

const DAY_MS = 86_400_000

export const TIMING: WebhookTiming = {
  timeoutMs: 5_000,
  leaseMs: 20_000,
  firstRetryMs: 5_000,
  maxRetryMs: 3_600_000,
  giveUpMs: DAY_MS,
  keptMs: 7 * DAY_MS,
  tidyEveryMs: 60_000,
}
