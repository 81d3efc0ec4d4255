/** Carries batches over the agent's session: one on the way at a time, until its answer or the session's end. */
import type { Clock, Timer } from '../../kit/clock.js'
import type { Wire, WireOf } from '../../protocol/messages.js'
import type { Carrier, Outcome } from './reporter.js'

export interface SessionCarrierOptions {
  readonly clock: Clock
  readonly say: (event: Wire) => void
  readonly isOnline: () => boolean
}

/** A coordinator of ours answers within its database's patience; another may not know the message. */
const ANSWER_MS = 15_000

export class SessionCarrier {
  readonly #options: SessionCarrierOptions
  #waiting: { readonly seq: number; readonly stream: string; settle: (outcome: Outcome) => void } | null =
    null
  #timer: Timer | undefined

  constructor(options: SessionCarrierOptions) {
    this.#options = options
  }

  readonly carry: Carrier = batch => {
    const { clock, say, isOnline } = this.#options
    if (!isOnline()) return Promise.resolve({ outcome: 'later', reason: 'not connected' })
    return new Promise(resolve => {
      this.#settle({ outcome: 'later', reason: 'another batch follows' })
      this.#waiting = { seq: batch.seq, stream: batch.stream, settle: resolve }
      this.#timer = clock.setTimeout(
        () => this.#settle({ outcome: 'later', reason: 'the coordinator does not answer' }),
        ANSWER_MS,
      )
      say({ type: 'report.batch', ...batch })
    })
  }

  answered({ stream, seq, ...outcome }: WireOf<'report.ack'>): void {
    if (this.#waiting?.seq === seq && this.#waiting.stream === stream) this.#settle(outcome)
  }

  /** The session stands no more. */
  fell(): void {
    this.#settle({ outcome: 'later', reason: 'the connection was lost' })
  }

  #settle(outcome: Outcome): void {
    const waiting = this.#waiting
    this.#waiting = null
    this.#options.clock.clearTimeout(this.#timer)
    waiting?.settle(outcome)
  }
}
