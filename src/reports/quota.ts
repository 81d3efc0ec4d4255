/** How much one agent may report: a bucket of records each, and a bounded number of them. */
import type { Clock } from '../kit/clock.js'
import { TokenBucket } from '../kit/token-bucket.js'

/** Reporters that are remembered; the one not heard of for longest goes first. */
const REPORTERS_MAX = 20_000
/** A bucket holds so many minutes' worth: an agent that comes back empties a spool of 10,000 records. */
const BURST_MINUTES = 2

export class Quota {
  readonly #clock: Clock
  readonly #perMinute: number
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock
    this.#perMinute = perMinute
  }

  /** Takes records from the reporter's quota. Returns 0, or how long to wait when it does not suffice, ms. */
  take(reporter: string, records: number): number {
    const now = this.#clock.now()
    const burst = this.#perMinute * BURST_MINUTES
    const bucket = this.#buckets.get(reporter) ?? new TokenBucket(this.#perMinute / 60, burst, now)
    this.#buckets.delete(reporter)
    this.#buckets.set(reporter, bucket)
    if (this.#buckets.size > REPORTERS_MAX) this.#buckets.delete(this.#buckets.keys().next().value ?? '')
    // An empty batch is a transaction too, and one larger than the bucket waits for a full one.
    const cost = Math.min(Math.max(1, records), burst)
    return bucket.take(cost, now) ? 0 : Math.max(1, Math.ceil(bucket.waitMs(cost, now)))
  }
}
