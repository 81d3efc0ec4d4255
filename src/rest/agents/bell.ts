/** Rings for whoever waits for something to change. */
import type { Clock } from '../../kit/clock.js'

export class Bell {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ring(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Resolves when it rings next, or after so many ms. */
  rung(withinMs: number): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        this.#clock.clearTimeout(late)
        this.#waiting.delete(wake)
        resolve()
      }
      const late = this.#clock.setTimeout(wake, withinMs)
      this.#waiting.add(wake)
    })
  }
}
