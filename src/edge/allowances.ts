/** How often an address may ask without being known: one token bucket each, and a bounded number of them. */
import type { Clock } from '../kit/clock.js'
import { TokenBucket } from '../kit/token-bucket.js'
import { allowanceKey } from '../http/allowance-key.js'

/** Addresses that are remembered; the one not seen for longest goes first. */
const ADDRESSES_MAX = 10_000
/** A bucket holds this share of a minute's allowance: a page that loads at once is no flood. */
const BURST_SHARE = 1 / 3

export class Allowances {
  readonly #clock: Clock
  readonly #perMinute: number
  readonly #burst: number
  readonly #buckets = new Map<string, TokenBucket>()

  /** `burst`: requests at once; a third of a minute's when absent. */
  constructor(clock: Clock, perMinute: number, burst: number = Math.max(1, perMinute * BURST_SHARE)) {
    this.#clock = clock
    this.#perMinute = perMinute
    this.#burst = burst
  }

  /** Takes one request from the address's allowance. Returns 0, or the seconds to wait when there is none left. */
  take(address: string): number {
    const key = allowanceKey(address)
    const now = this.#clock.now()
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#perMinute / 60, this.#burst, now)
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > ADDRESSES_MAX) this.#buckets.delete(this.#buckets.keys().next().value ?? '')
    return bucket.take(1, now) ? 0 : Math.max(1, Math.ceil(bucket.waitMs(1, now) / 1000))
  }
}
