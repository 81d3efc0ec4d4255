/** How often each of many may do something: a token bucket for each, and a bounded number of them. */
import type { Clock } from '../../kit/clock.js'
import { TokenBucket } from '../../kit/token-bucket.js'

/** The one not seen for longest goes first. */
const REMEMBERED_MAX = 10_000

export class Buckets {
  readonly #clock: Clock
  readonly #perS: number
  readonly #burst: number
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(clock: Clock, perS: number, burst: number) {
    this.#clock = clock
    this.#perS = perS
    this.#burst = burst
  }

  /** Returns how long until the next may be taken, ms. */
  waitMs(key: string): number {
    return this.#buckets.get(key)?.waitMs(1, this.#clock.now()) ?? 0
  }

  /** Takes one, or none when there is none. */
  take(key: string): void {
    const now = this.#clock.now()
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#perS, this.#burst, now)
    bucket.take(1, now)
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > REMEMBERED_MAX) this.#buckets.delete(this.#buckets.keys().next().value ?? '')
  }

  giveBack(key: string): void {
    this.#buckets.get(key)?.take(-1, this.#clock.now())
  }
}
