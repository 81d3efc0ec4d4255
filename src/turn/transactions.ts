/** Requests of a client and the answers to them: sent again until one comes (RFC 8489 §6.2.1). */
import type { Clock, Timer } from '../kit/clock.js'
import { type StunMessage } from './codec.js'
import { TurnError } from './errors.js'

export interface TransactionOptions {
  readonly clock: Clock
  readonly send: (bytes: Buffer) => void
  /** A stream loses nothing: the request is sent once. */
  readonly reliable?: boolean
  /** How often a request is sent in all; 7, as RFC 8489 has it, unless given. */
  readonly tries?: number
  /** What is waited after the last one, in first waits; 16 unless given. */
  readonly lastWait?: number
}

/** First wait for an answer, ms; each further one is twice as long. */
const FIRST_WAIT_MS = 500
/** How often a request is sent in all. */
const TRIES = 7
/** After the last one, as many times the first wait. */
const LAST_WAIT = 16

interface Waiting {
  readonly done: (answer: StunMessage) => void
  readonly gone: (error: Error) => void
  timer: Timer
}

export class Transactions {
  readonly #options: TransactionOptions
  readonly #waiting = new Map<string, Waiting>()

  constructor(options: TransactionOptions) {
    this.#options = options
  }

  /** Sends a request; resolves to its answer, success or error, or rejects when none comes. */
  ask(request: Buffer): Promise<StunMessage> {
    const id = request.toString('hex', 8, 20)
    return new Promise((done, gone) => {
      this.#waiting.set(id, { done, gone, timer: 0 })
      this.#send(id, request, 1)
    })
  }

  /** Takes a message; returns whether it answered a request. */
  take(message: StunMessage): boolean {
    if (message.class !== 'success' && message.class !== 'error') return false
    const id = message.transactionId.toString('hex')
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return false
    this.#forget(id, waiting)
    waiting.done(message)
    return true
  }

  /** Gives up everything that is waited for. */
  stop(): void {
    for (const [id, waiting] of this.#waiting) {
      this.#forget(id, waiting)
      waiting.gone(new TurnError('no_answer', 'the client was stopped before an answer came'))
    }
  }

  #send(id: string, request: Buffer, tries: number): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    const { clock, send, reliable = false, tries: most = TRIES, lastWait = LAST_WAIT } = this.#options
    const last = reliable || tries === most
    const waitMs = FIRST_WAIT_MS * (reliable ? 2 ** TRIES : last ? lastWait : 2 ** (tries - 1))
    waiting.timer = clock.setTimeout(() => {
      if (!last) return this.#send(id, request, tries + 1)
      this.#forget(id, waiting)
      waiting.gone(new TurnError('no_answer', `no answer to ${tries} requests`))
    }, waitMs)
    send(request)
  }

  #forget(id: string, waiting: Waiting): void {
    this.#options.clock.clearTimeout(waiting.timer)
    this.#waiting.delete(id)
  }
}
