/** Distance on one machine: what arrives is held back for as long as it would have travelled, in its order. */
import type { Clock } from '../../kit/clock.js'
import type { Dial } from '../../agent/ports.js'

/** Runs what it is given `ms` later. One timer serves all that waits. */
export class Delay {
  readonly #clock: Clock
  readonly #ms: number
  #waiting: { readonly atMs: number; readonly run: () => void }[] = []

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  after(run: () => void): void {
    this.#waiting.push({ atMs: this.#clock.now() + this.#ms, run })
    if (this.#waiting.length === 1) this.#clock.setTimeout(() => this.#due(), this.#ms)
  }

  #due(): void {
    const nowMs = this.#clock.now()
    const next = this.#waiting.findIndex(({ atMs }) => atMs > nowMs)
    const due = this.#waiting.splice(0, next === -1 ? this.#waiting.length : next)
    const [first] = this.#waiting
    if (first !== undefined) this.#clock.setTimeout(() => this.#due(), first.atMs - nowMs)
    for (const { run } of due) run()
  }
}

/** Returns a dial by which the coordinator's messages arrive later. */
export function distantDial(dial: Dial, delay: Delay): Dial {
  return (url, events) =>
    dial(url, {
      opened: () => delay.after(() => events.opened()),
      received(message) {
        // The bytes are only lent.
        const kept = Buffer.from(message)
        delay.after(() => events.received(kept))
      },
      closed: (code, reason, retryAfterMs) => delay.after(() => events.closed(code, reason, retryAfterMs)),
    })
}
