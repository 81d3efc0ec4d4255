/** A token bucket that refills with time and never allocates after it is made. */
export class TokenBucket {
  readonly #ratePerMs: number
  readonly #burst: number
  // From the start numbers: a field that was undefined first gets a new object for every fraction it is set to.
  #tokens = 0
  #at = 0

  /** `ratePerSecond` tokens flow in, at most `burst` are kept; the bucket starts full. */
  constructor(ratePerSecond: number, burst: number, nowMs: number) {
    this.#ratePerMs = ratePerSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#at = nowMs
  }

  /** Takes `count` tokens and returns true, or takes none and returns false. */
  take(count: number, nowMs: number): boolean {
    // Packets of one turn come at the same time: nothing has flowed in since.
    if (nowMs !== this.#at) this.#refill(nowMs)
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }

  /** Returns how long until `count` tokens are there, ms. */
  waitMs(count: number, nowMs: number): number {
    const tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#at) * this.#ratePerMs)
    return tokens >= count ? 0 : (count - tokens) / this.#ratePerMs
  }
  #refill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#at) * this.#ratePerMs)
    this.#at = nowMs
  }
}
