/** How long the store keeps what is over. */
export interface Retention {
  /** Closed sessions and ended routes, ms. */
  readonly endedMs: number
  /** Ended paths, ms. */
  readonly pathsMs: number
  /** Audit events, ms. */
  readonly auditMs: number
  /** How often a write also clears out what is older, ms. */
  readonly everyMs: number
  /** Rows of each kind that one write clears out, so that no write takes long. */
  readonly rows: number
}

const DAY_MS = 86_400_000

export const RETENTION: Retention = {
  // A week answers "what happened last weekend".
  endedMs: 7 * DAY_MS,
  // A month: "it used to be direct" is noticed late.
  pathsMs: 30 * DAY_MS,
  // A quarter, as long as an access review usually looks back.
  auditMs: 90 * DAY_MS,
  everyMs: 60_000,
  rows: 5_000,
}
