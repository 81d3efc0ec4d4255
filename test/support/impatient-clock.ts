/** The process's clock, whose timers are short while it is in a hurry: for what waits for nothing but the end of its patience. */
import { type Clock, systemClock, type Timer } from '../../src/kit/clock.js'

export class ImpatientClock implements Clock {
  #mostMs = Number.POSITIVE_INFINITY

  /** No timer takes longer from now on: enough for a connection on loopback. */
  hurry(mostMs = 100): void {
    this.#mostMs = mostMs
  }

  relax(): void {
    this.#mostMs = Number.POSITIVE_INFINITY
  }

  now(): number {
    return systemClock.now()
  }

  wallMs(): number {
    return systemClock.wallMs()
  }

  setTimeout(run: () => void, ms: number): Timer {
    return systemClock.setTimeout(run, Math.min(ms, this.#mostMs))
  }

  clearTimeout(timer: Timer | undefined): void {
    systemClock.clearTimeout(timer)
  }

  soon(run: () => void): void {
    systemClock.soon(run)
  }
}
