/** How late the event loop runs: the first sign that the coordinator has too much to do. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface LoopDelayView {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Resolution of the monitor, ms; it reports a timer's own period of this length as well, which is taken off. */
const RESOLUTION_MS = 10

export class LoopDelay {
  readonly #monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

  start(): void {
    this.#monitor.enable()
  }

  stop(): void {
    this.#monitor.disable()
  }

  /** Returns the figures since the last `read`, and begins anew. */
  read(): LoopDelayView {
    const view = this.peek()
    this.#monitor.reset()
    return view
  }

  /** Returns the figures since the last `read`. */
  peek(): LoopDelayView {
    const late = (nanoseconds: number) =>
      this.#monitor.count === 0 ? 0 : Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
    return {
      p50Ms: late(this.#monitor.percentile(50)),
      p99Ms: late(this.#monitor.percentile(99)),
      maxMs: late(this.#monitor.max),
    }
  }
}
