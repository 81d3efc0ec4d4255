/** Identities that an operator keeps away for a while. Of this process: a restart forgets them. */
import type { Clock } from '../../kit/clock.js'
import type { IdentityId } from '../ports.js'

export class Bars {
  readonly #clock: Clock
  /** Until when, monotonic ms. */
  readonly #until = new Map<IdentityId, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Keeps an identity away for so long from now on, ms; 0 lets it come again. */
  set(id: IdentityId, forMs: number): void {
    const now = this.#clock.now()
    for (const [other, untilMs] of this.#until) if (untilMs <= now) this.#until.delete(other)
    if (forMs > 0) this.#until.set(id, now + forMs)
    else this.#until.delete(id)
  }

  /** Returns how long it is kept away still, ms; 0 when it is not. */
  leftMs(id: IdentityId): number {
    const untilMs = this.#until.get(id)
    return untilMs === undefined ? 0 : Math.max(0, Math.ceil(untilMs - this.#clock.now()))
  }
}
