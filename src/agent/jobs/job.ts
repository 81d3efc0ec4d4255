/** A job as whoever does it sees it, and how it says that it could not be done. */
/** A job that is being done. */
export interface Job {
  readonly id: number
  readonly kind: string
  /** As it was ordered: any JSON; null when nothing goes with it. */
  readonly payload: unknown
  /** When it was ordered, ms since 1970 UTC. */
  readonly orderedAtMs: number
  /** Aborted when its time is over. */
  readonly signal: AbortSignal
  /** Tells the operator how far it is: one line. */
  readonly tell: (step: string) => void
}

/** Does a job; returns, or resolves with, what came of it, as JSON. What it throws is told as the reason of the failure. */
export type RunJob = (job: Job) => unknown

export interface JobOptions {
  /** Returns what came of a job that the process before this one began and did not end: then its end was the point. */
  readonly afterRestart?: () => unknown
}

/** Thrown by a job that could not be done: `detail` is told with the reason. */
export class JobFailed extends Error {
  override readonly name = 'JobFailed'
  readonly detail: Readonly<Record<string, unknown>>

  constructor(reason: string, detail: Readonly<Record<string, unknown>> = {}) {
    super(reason)
    this.detail = detail
  }
}
