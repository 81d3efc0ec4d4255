/** A process of the lab: when it is dead, its timers do not run and it writes nothing any more. */
import type { Journal } from '../../src/actors/ports.js'
import type { Clock, Timer } from '../../src/kit/clock.js'

export class Process implements Clock {
  dead = false
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }
  wallMs(): number {
    return this.#clock.wallMs()
  }
  setTimeout(run: () => void, ms: number): Timer {
    return this.#clock.setTimeout(() => this.dead || run(), ms)
  }
  clearTimeout(timer: Timer | undefined): void {
    this.#clock.clearTimeout(timer)
  }
  soon(run: () => void): void {
    this.#clock.soon(() => this.dead || run())
  }

  /** Returns the journal as this process sees it: what is written after its death goes nowhere. */
  journal(journal: Journal): Journal {
    return {
      append: change => this.dead || journal.append(change),
      replay: () => journal.replay(),
      rotate: () => journal.rotate(),
      drop: mark => this.dead || journal.drop(mark),
      close: () => {},
    }
  }
}
