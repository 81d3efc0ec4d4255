/** Relay ports: which are taken, and a next one that nobody can guess. */
import type { Random } from '../kit/random.js'

export interface PortRange {
  /** Inclusive. */
  readonly first: number
  readonly last: number
}

/** Tries before the range is searched from end to end. */
const GUESSES = 16

export class RelayPorts {
  readonly #range: PortRange
  readonly #random: Random
  readonly #taken = new Set<number>()

  constructor(range: PortRange, random: Random) {
    this.#range = range
    this.#random = random
  }

  get size(): number {
    return this.#range.last - this.#range.first + 1
  }

  /** Takes a port, or an even one, or an even one and the next; null when none is left. */
  take(kind: 'any' | 'even' | 'pair'): number | null {
    const step = kind === 'any' ? 1 : 2
    const first = kind === 'any' ? this.#range.first : this.#range.first + (this.#range.first & 1)
    const last = kind === 'pair' ? this.#range.last - 1 : this.#range.last
    const choices = Math.floor((last - first) / step) + 1
    if (choices < 1) return null
    // Random at first; when most are taken, one after the other from the last guess on.
    let choice = 0
    for (let tries = 0; tries < choices + GUESSES; tries++) {
      choice = (tries < GUESSES ? this.#number() : choice + 1) % choices
      const port = first + step * choice
      if (this.#taken.has(port) || (kind === 'pair' && this.#taken.has(port + 1))) continue
      this.#taken.add(port)
      if (kind === 'pair') this.#taken.add(port + 1)
      return port
    }
    return null
  }

  release(port: number): void {
    this.#taken.delete(port)
  }

  /** A 32-bit number from the source of secrets: a guessable port invites blind injection. */
  #number(): number {
    return Buffer.from(this.#random.bytes(4)).readUInt32BE(0)
  }
}
