/** How fast routes leave a node that is drained: at even distances, and none too great. */

/** Without a deadline so many a second: a hundred thousand do not move at once, and nobody waits long. */
const PER_SECOND = 100
/** The share of the time that there is over which moves are spread; the rest is for those that are slow to carry. */
const SPREAD = 0.8
/** Moves are at most this far apart, ms: a thinner spread spares nobody anything and keeps the node waiting. */
const APART_MAX_MS = 250
/** At one look at most so many move: others want to run in between. */
const AT_ONCE_MAX = 100
/** After our own standing still at most this much is made up for, ms. */
const CATCH_UP_MS = 1_000

export class Pace {
  /** How far apart moves are, ms. */
  readonly everyMs: number
  #nextMs: number

  /** `count` routes are to move within `withinMs`; null: there is no deadline. The first one may go at once. */
  constructor(count: number, withinMs: number | null, nowMs: number) {
    this.everyMs =
      withinMs === null
        ? 1_000 / PER_SECOND
        : Math.min(APART_MAX_MS, (SPREAD * withinMs) / Math.max(1, count))
    this.#nextMs = nowMs
  }

  /** Returns how many should move now, those that went before not counted. */
  due(nowMs: number): number {
    if (nowMs < this.#nextMs) return 0
    if (this.everyMs === 0) return AT_ONCE_MAX
    this.#nextMs = Math.max(this.#nextMs, nowMs - CATCH_UP_MS)
    const count = Math.min(AT_ONCE_MAX, Math.floor((nowMs - this.#nextMs) / this.everyMs) + 1)
    this.#nextMs += count * this.everyMs
    return count
  }
}
