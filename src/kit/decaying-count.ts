/** A count that forgets: what was counted one half-life ago counts half. */
export class DecayingCount {
  readonly #halfLifeMs: number
  #value = 0
  #atMs = 0

  constructor(halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs
  }

  add(nowMs: number): void {
    this.#value = this.at(nowMs) + 1
    this.#atMs = nowMs
  }

  /** Returns what is left of the count. */
  at(nowMs: number): number {
    return this.#value === 0 ? 0 : this.#value * 2 ** ((this.#atMs - nowMs) / this.#halfLifeMs)
  }
}
