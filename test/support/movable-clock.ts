/** The process's clock, which a test may put ahead or hold: for what only reads the time and waits for no timer. */
import { type Clock, systemClock, type Timer } from '../../src/kit/clock.js'

export class MovableClock implements Clock {
  #aheadMs = 0
  #heldAtMs: number | null = null

  readonly #wallAheadMs = systemClock.wallMs() - systemClock.now()

  setTimeout(run: () => void, ms: number): Timer {
    return systemClock.setTimeout(run, ms)
  }

  clearTimeout(timer: Timer | undefined): void {
    systemClock.clearTimeout(timer)
  }

  soon(run: () => void): void {
    systemClock.soon(run)
  }

  now(): number {
    return (this.#heldAtMs ?? systemClock.now()) + this.#aheadMs
  }

  wallMs(): number {
    return Math.trunc(this.now() + this.#wallAheadMs)
  }

  /** Puts the clock ahead. */
  advance(ms: number): void {
    this.#aheadMs += ms
  }

  /** Lets time pass only by `advance` from now on. */
  hold(): void {
    this.#heldAtMs ??= systemClock.now()
  }

  /** Lets time pass again. */
  release(): void {
    if (this.#heldAtMs !== null) this.#aheadMs -= systemClock.now() - this.#heldAtMs
    this.#heldAtMs = null
  }
}
