/** Batches that agents report over their sessions: handed to whoever takes them, and answered in their order. */
import type { ReportBatch, TakeReports } from './ports.js'
import type { Cell } from './session/cell.js'

/** Batches of one session that may wait for their answer; agents of ours have one on the way. */
const WAITING_MAX = 4
const LATER_MS = 5_000

export class Reports {
  readonly #failed: (error: unknown, cell: Cell) => void
  #take: TakeReports | null = null
  readonly #waiting = new WeakMap<Cell, number>()

  constructor(failed: (error: unknown, cell: Cell) => void) {
    this.#failed = failed
  }

  /** Hands batches to `take` from now on; returns what ends it. */
  taken(take: TakeReports): () => void {
    this.#take = take
    return () => {
      if (this.#take === take) this.#take = null
    }
  }

  received(cell: Cell, batch: ReportBatch): void {
    const { stream, seq } = batch
    const answer = (outcome: Awaited<ReturnType<TakeReports>>) =>
      cell.line?.tell({ type: 'report.ack', stream, seq, ...outcome })
    if (this.#take === null)
      return answer({ outcome: 'refused', reason: 'nobody takes reports on this coordinator' })
    const waiting = this.#waiting.get(cell) ?? 0
    if (waiting >= WAITING_MAX)
      return answer({ outcome: 'later', reason: 'others of this session wait', retryAfterMs: LATER_MS })
    this.#waiting.set(cell, waiting + 1)
    this.#take(cell.identity.id, batch)
      .catch((error: unknown) => {
        this.#failed(error, cell)
        return { outcome: 'later', retryAfterMs: LATER_MS } as const
      })
      .then(outcome => {
        this.#waiting.set(cell, (this.#waiting.get(cell) ?? 1) - 1)
        answer(outcome)
      })
      .catch((error: unknown) => this.#failed(error, cell))
  }
}
