/** Remembers which of the newest numbers of a sequence have come, as IPsec does (RFC 4303 §3.4.3). */

/** How far back a number may come late: more checks than are ever under way at once. */
const SIZE = 256
const WORDS = SIZE / 32

export class ReplayWindow {
  #highest = -1
  readonly #bits = new Uint32Array(WORDS)

  /** Returns whether `number` is new; one that is too old to tell counts as known. */
  take(number: number): boolean {
    if (number > this.#highest) this.#moveTo(number)
    else if (this.#highest - number >= SIZE) return false
    const word = (number % SIZE) >>> 5
    const bit = 1 << (number & 31)
    const bits = this.#bits[word] as number // within the window
    if ((bits & bit) !== 0) return false
    this.#bits[word] = bits | bit
    return true
  }

  #moveTo(number: number): void {
    const steps = Math.min(number - this.#highest, SIZE)
    for (let each = number - steps + 1; each <= number; each++) {
      const word = (each % SIZE) >>> 5
      this.#bits[word] = (this.#bits[word] as number) & ~(1 << (each & 31)) // within the window
    }
    this.#highest = number
  }
}
