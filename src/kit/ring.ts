/** The last `size` values, oldest first out. */
export class Ring<T> {
  readonly #slots: (T | undefined)[]
  #next = 0
  #count = 0

  constructor(size: number) {
    this.#slots = Array.from({ length: size })
  }

  get length(): number {
    return this.#count
  }

  push(value: T): void {
    this.#slots[this.#next] = value
    this.#next = (this.#next + 1) % this.#slots.length
    this.#count = Math.min(this.#count + 1, this.#slots.length)
  }

  /** Returns what is held, oldest first. */
  values(): T[] {
    const size = this.#slots.length
    const first = (this.#next - this.#count + size) % size
    return Array.from({ length: this.#count }, (_, i) => this.#slots[(first + i) % size] as T) // filled by push
  }
}
