/** The last round trips of a session, for the latency figures of a heartbeat. */
import { Ring } from '../../kit/ring.js'
import type { Latency } from './proc.js'

/** Samples kept: five minutes at a heartbeat every ten seconds. */
const SAMPLES = 30

export class RttWindow {
  readonly #samples = new Ring<number>(SAMPLES)

  add(ms: number): void {
    this.#samples.push(ms)
  }

  /** Returns the figures of what is held; null when there is nothing. */
  to(target: string): Latency | null {
    const sorted = this.#samples.values().sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
    const [p50Ms, p95Ms] = [at(0.5), at(0.95)]
    return p50Ms === undefined || p95Ms === undefined ? null : { target, p50Ms, p95Ms, lossPct: null }
  }
}
