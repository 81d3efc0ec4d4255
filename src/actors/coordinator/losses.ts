/**
 * Tells a storm from the loss of a few: when most sessions lose their sockets at about the same time, it was our own
 * network or machine, and their nodes are on their way back.
 */

/** Losses that are further apart have nothing to do with each other, ms. */
const TOGETHER_MS = 5_000
/** Fewer may well be one site that went down. */
const STORM_LEAST = 16
/** The share of all sessions that makes it a storm. */
const STORM_SHARE = 0.5

export class Losses {
  #count = 0
  #firstMs = Number.NEGATIVE_INFINITY

  /** A session has lost its socket. */
  note(nowMs: number): void {
    if (nowMs - this.#firstMs > TOGETHER_MS) {
      this.#firstMs = nowMs
      this.#count = 0
    }
    this.#count++
  }

  /** Returns whether so many were lost together, of this many sessions in all, that it is a storm. */
  isStorm(sessions: number, nowMs: number): boolean {
    const recent = nowMs - this.#firstMs <= 2 * TOGETHER_MS
    return recent && this.#count >= STORM_LEAST && this.#count > STORM_SHARE * sessions
  }
}
