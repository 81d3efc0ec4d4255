/** One attempt of a link: the peer's candidates paired with what this end has, punched through, TURN as the last resort. */
import type { Base } from './pair.js'
import type { Pairs } from './pairs.js'
import type { Punch } from './punch.js'
import { readCandidate } from './reach.js'

export interface TryingOptions {
  readonly pairs: Pairs
  readonly punch: Punch
  /** The socket itself. */
  readonly base: Base
  /** Whether a relay may carry the packets. */
  readonly mayTurn: boolean
}

export class Trying {
  readonly pairs: Pairs
  readonly punch: Punch
  /** Whether a TURN server is worth asking, and was not asked. */
  wantsRelay: boolean
  readonly #base: Base
  readonly #mayTurn: boolean
  readonly #remotes = new Set<string>()
  #relay: Base | null = null

  constructor({ pairs, punch, base, mayTurn }: TryingOptions) {
    this.pairs = pairs
    this.punch = punch
    this.wantsRelay = mayTurn
    this.#base = base
    this.#mayTurn = mayTurn
  }

  /** Adds where the peer may be, as `path.signal` spells it. */
  learn(candidates: readonly string[]): void {
    for (const text of candidates) {
      if (this.#remotes.has(text)) continue
      this.#remotes.add(text)
      this.#pair(text)
    }
  }

  /** A TURN server relays for us from now on. */
  addRelay(relay: Base): void {
    this.#relay = relay
    for (const text of this.#remotes) this.#pair(text)
  }

  #pair(text: string): void {
    const candidate = readCandidate(text)
    if (candidate === null || (candidate.type === 'relay' && !this.#mayTurn)) return
    const { type, endpoint } = candidate
    this.pairs.add(this.#base, endpoint, type)
    // A TURN server reaches what the world reaches.
    if (this.#relay !== null && type !== 'host') this.pairs.add(this.#relay, endpoint, type)
  }
}
