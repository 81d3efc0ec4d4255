/** How long what is asked of a server may take, ms. Shorter in tests of what happens when it takes longer. */

export interface LineTiming {
  /** To make a connection: TCP, TLS and signing in. */
  readonly connectMs: number
  /** For one statement; the server gives up first: its answer says why, and the connection stays usable. */
  readonly statementMs: number
  readonly answerMs: number
  /** For a lock that a statement needs: nobody shall queue behind the monitor. */
  readonly lockMs: number
}

export interface DatabaseTiming extends LineTiming {
  /** For a connection to become free; longer than it takes to find out that a server does not answer. */
  readonly waitMs: number
}

export const TIMING: DatabaseTiming = {
  connectMs: 3_000,
  statementMs: 5_000,
  answerMs: 5_500,
  lockMs: 1_000,
  waitMs: 3_500,
}
