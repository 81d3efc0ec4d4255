/**
 * Time as an argument. Everything that waits or measures takes a `Clock`, so that a test can own time.
 * `now` is monotonic: a wall clock that jumps moves no timer. `wallMs` is only for what people and
 * databases read.
 */
export interface Clock {
  /** Monotonic milliseconds; the origin means nothing. */
  now(): number
  /** Whole milliseconds since 1970-01-01T00:00Z. */
  wallMs(): number
  setTimeout(run: () => void, ms: number): Timer
  clearTimeout(timer: Timer | undefined): void
  /** Runs when the current turn of the event loop is over: the place to flush what was gathered during it. */
  soon(run: () => void): void
}

/** A timer handle; opaque to everyone but the clock that made it. */
export type Timer = object | number

/** The process's own clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms).unref(),
  clearTimeout: timer => clearTimeout(timer as NodeJS.Timeout | undefined), // made by setTimeout above
  soon: run => void setImmediate(run),
}

/** Calls `run` every `everyMs` until the returned function is called. The next wait starts when `run` returns. */
export function every(clock: Clock, everyMs: number, run: () => void): () => void {
  let timer: Timer | undefined
  let stopped = false
  const again = () => {
    if (stopped) return
    timer = clock.setTimeout(() => {
      run()
      again()
    }, everyMs)
  }
  again()
  return () => {
    stopped = true
    clock.clearTimeout(timer)
  }
}
