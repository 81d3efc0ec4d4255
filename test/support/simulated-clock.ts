/**
 * Time that stands still until a test moves it. What is due runs in order of time, then of setting;
 * everything given to `soon` runs before time moves on. The same calls always run in the same order.
 *
 *   clock.advance(500)     timers only, synchronously: for code without promises
 *   await clock.run(500)   promises settle before each step: for whole agents and meshes
 */
import type { Clock, Timer } from '../../src/kit/clock.js'

interface Due {
  readonly atMs: number
  run: (() => void) | undefined
}

/** More callbacks than this without time moving is a loop, not a test. */
const RUNAWAY = 1_000_000

export class SimulatedClock implements Clock {
  #nowMs = 0
  #wallAheadMs: number
  /** Latest first, so that the next one is popped off the end. */
  readonly #timers: Due[] = []
  #soon: (() => void)[] = []

  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallAheadMs = wallMs
  }

  now(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return Math.trunc(this.#nowMs + this.#wallAheadMs) // whole, as Date.now gives it
  }

  /** Timers that are set. */
  get waiting(): number {
    return this.#timers.reduce((count, due) => (due.run === undefined ? count : count + 1), 0)
  }

  /** Moves the wall clock alone, as a time server would; no timer notices. */
  jumpWall(ms: number): void {
    this.#wallAheadMs += ms
  }

  setTimeout(run: () => void, ms: number): Timer {
    const due: Due = { atMs: this.#nowMs + Math.max(0, ms), run }
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#timers[middle] as Due).atMs > due.atMs) low = middle + 1
      else high = middle
    }
    this.#timers.splice(low, 0, due)
    return due
  }

  clearTimeout(timer: Timer | undefined): void {
    if (timer !== undefined) (timer as Due).run = undefined // made by setTimeout above
  }

  soon(run: () => void): void {
    this.#soon.push(run)
  }

  /** Runs what is due within `ms` from now, and ends that much later. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    this.#drain()
    while (this.#fire(untilMs)) this.#drain()
    this.#nowMs = untilMs
  }

  /** As `advance`, and lets promises settle before every step. */
  async run(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await this.settle()
    while (this.#fire(untilMs)) await this.settle()
    this.#nowMs = untilMs
  }

  /** Runs everything that needs no time: promises and what was given to `soon`. */
  async settle(): Promise<void> {
    do {
      this.#drain()
      await new Promise(resolve => setImmediate(resolve)) // all promise jobs run before it
    } while (this.#soon.length > 0)
  }

  /** Runs the next timer that is due by `untilMs`; returns false when there is none. */
  #fire(untilMs: number): boolean {
    for (;;) {
      const due = this.#timers.at(-1)
      if (due === undefined || due.atMs > untilMs) return false
      this.#timers.pop()
      if (due.run === undefined) continue
      this.#nowMs = due.atMs
      due.run()
      return true
    }
  }

  #drain(): void {
    for (let left = RUNAWAY; this.#soon.length > 0; ) {
      const turn = this.#soon
      this.#soon = []
      for (const run of turn) {
        if (left-- === 0) throw new Error(`${RUNAWAY} callbacks ran at ${this.#nowMs} ms: a loop`)
        run()
      }
    }
  }
}
