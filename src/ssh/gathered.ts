/** Text that comes in pieces, of a bounded size. */
export class Gathered {
  readonly #max: number
  readonly #pieces: Buffer[] = []
  #size = 0

  /** At most so many bytes. */
  constructor(max: number) {
    this.#max = max
  }

  /** Returns whether there was room for it. */
  add(piece: Buffer): boolean {
    this.#size += piece.length
    if (this.#size > this.#max) return false
    this.#pieces.push(piece)
    return true
  }

  text(): string {
    return Buffer.concat(this.#pieces).toString()
  }
}
