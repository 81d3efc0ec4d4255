/**
 * Notices a coordinator that says nothing any more: a peer that died without closing leaves a socket that
 * looks open for minutes.
 */
import type { Clock, Timer } from '../kit/clock.js'

/** A timer this late means that this process was not running; what arrived meanwhile is still unread, ms. */
const STALLED_MS = 1_000
/** How long the unread messages get after a stall, ms. */
const CATCH_UP_MS = 2_000

export interface SilenceOptions {
  readonly clock: Clock
  /** When the last complete valid message arrived; monotonic ms. */
  readonly lastHeardMs: () => number
  readonly silent: () => void
}

export class Silence {
  readonly #options: SilenceOptions
  #timer: Timer | undefined
  #sooner: Timer | undefined

  constructor(options: SilenceOptions) {
    this.#options = options
  }

  /** Calls `silent` once when nothing was heard for `silenceMs`. */
  watch(silenceMs: number): void {
    this.stop()
    this.#look(silenceMs, silenceMs)
  }

  /** Asks for a sign of life sooner: calls `silent` when nothing is heard within `withinMs` from now. */
  expect(withinMs: number): void {
    const { clock, lastHeardMs, silent } = this.#options
    const askedMs = clock.now()
    clock.clearTimeout(this.#sooner)
    this.#sooner = clock.setTimeout(() => {
      if (lastHeardMs() < askedMs) silent()
    }, withinMs)
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#sooner)
    this.#options.clock.clearTimeout(this.#timer)
  }

  #look(inMs: number, silenceMs: number): void {
    const { clock, lastHeardMs, silent } = this.#options
    const dueMs = clock.now() + inMs
    this.#timer = clock.setTimeout(() => {
      const now = clock.now()
      const leftMs = lastHeardMs() + silenceMs - now
      if (leftMs > 0) this.#look(leftMs, silenceMs)
      else if (now - dueMs > STALLED_MS) this.#look(CATCH_UP_MS, silenceMs)
      else silent()
    }, inMs)
  }
}
