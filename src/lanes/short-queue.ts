/**
 * The few packets that wait for a socket which takes no more. A ring whose places keep their memory: a reader
 * that never catches up costs one copy for each packet, and no garbage.
 */

export interface Waiting {
  link: number
  /** When it began to wait, monotonic ms. */
  sinceMs: number
  size: number
  /** The packet's value is the first `size` bytes. */
  bytes: Uint8Array
}

/** What a place has room for at first, bytes: a packet of the usual size. */
const PLACE_BYTES = 2_048

export class ShortQueue {
  readonly #places: Waiting[] = []
  readonly #limit: number
  #first = 0
  #length = 0

  /** Holds at most `limit` packets. */
  constructor(limit: number) {
    this.#limit = Math.max(1, limit)
  }

  get length(): number {
    return this.#length
  }

  get full(): boolean {
    return this.#length >= this.#limit
  }

  /** Copies `message[start, end)` behind the others. There must be a place. */
  push(link: number, message: Uint8Array, start: number, end: number, sinceMs: number): void {
    const at = (this.#first + this.#length++) % this.#limit
    const size = end - start
    const place = (this.#places[at] ??= { link, sinceMs, size, bytes: new Uint8Array(PLACE_BYTES) })
    if (place.bytes.length < size) place.bytes = new Uint8Array(size)
    place.bytes.set(message.subarray(start, end))
    place.link = link
    place.sinceMs = sinceMs
    place.size = size
  }

  /** Returns the oldest; null when none waits. */
  oldest(): Waiting | null {
    return this.#length === 0 ? null : (this.#places[this.#first] as Waiting) // a filled place
  }

  /** Takes the oldest out; its bytes are good until the next `push`. */
  shift(): Waiting | null {
    const oldest = this.oldest()
    if (oldest !== null) {
      this.#first = (this.#first + 1) % this.#limit
      this.#length--
    }
    return oldest
  }

  clear(): void {
    this.#first = this.#length = 0
  }
}
