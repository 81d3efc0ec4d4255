/** An exponentially weighted moving average; `null` until the first sample. */
export class Ewma {
  readonly #weight: number
  #value: number | null = null

  /** `weight` in (0, 1] is the share of the newest sample. */
  constructor(weight: number) {
    this.#weight = weight
  }

  get value(): number | null {
    return this.#value
  }

  add(sample: number): number {
    this.#value = this.#value === null ? sample : this.#value + this.#weight * (sample - this.#value)
    return this.#value
  }
}
