/** The process's clock, whose timers run at once while it is in a hurry: for what waits for nothing but the end of its patience. */
import { type Clock, systemClock, type Timer } from '../../src/kit/clock.js'

export class ImpatientClock implements Clock {
  #hurries = false

  hurry(): void {
    this.#hurries = true
  }

  relax(): void {
    this.#hurries = false
  }

  now(): number {
    return systemClock.now()
  }

  wallMs(): number {
    return systemClock.wallMs()
  }

  setTimeout(run: () => void, ms: number): Timer {
    return systemClock.setTimeout(run, this.#hurries ? Math.min(ms, SOON_MS) : ms)
  }

  clearTimeout(timer: Timer | undefined): void {
    systemClock.clearTimeout(timer)
  }

  soon(run: () => void): void {
    systemClock.soon(run)
  }
}

/** Enough for a connection on loopback, ms. */
const SOON_MS = 100
