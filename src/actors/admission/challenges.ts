/**
 * The coordinator's side of the key proof. Its X25519 key is ephemeral: new every minute, never written
 * anywhere, shared by the connections of that minute; the nonce is what is new for each of them.
 */
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { newKeyPair, privateKeyOf } from '../../protocol/proof.js'

export interface Challenge {
  /** Raw X25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly privateKey: KeyObject
  readonly nonce: Uint8Array
}

/** How long one key serves, ms. Longer than a connection may take to register. */
const KEY_LIFE_MS = 60_000
/** How long a challenge that was lent waits for its proof, ms, and how many do at most; the oldest goes first. */
const LENT_MS = 60_000
const LENT_MAX = 10_000

export class Challenges {
  readonly #clock: Clock
  readonly #random: Random
  #key: { publicKey: Uint8Array; privateKey: KeyObject } | null = null
  #madeMs = 0
  /** Challenges of agents without a socket, by nonce, in the order of their time. */
  readonly #lent = new Map<string, { readonly challenge: Challenge; readonly untilMs: number }>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  next(): Challenge {
    const now = this.#clock.now()
    if (this.#key === null || now - this.#madeMs > KEY_LIFE_MS) {
      const { privateKey, publicKey } = newKeyPair()
      this.#key = { privateKey: privateKeyOf(privateKey), publicKey }
      this.#madeMs = now
    }
    return { ...this.#key, nonce: this.#random.bytes(32) }
  }

  /** Returns a challenge that `redeem` knows by its nonce: for agents that have no connection to keep it. */
  lend(): Challenge {
    const challenge = this.next()
    const now = this.#clock.now()
    for (const [nonce, { untilMs }] of this.#lent) {
      if (untilMs > now && this.#lent.size < LENT_MAX) break
      this.#lent.delete(nonce)
    }
    this.#lent.set(keyOf(challenge.nonce), { challenge, untilMs: now + LENT_MS })
    return challenge
  }

  /** Returns the challenge of a nonce, once; null when there is none, or its time is over. */
  redeem(nonce: Uint8Array): Challenge | null {
    const lent = this.#lent.get(keyOf(nonce))
    this.#lent.delete(keyOf(nonce))
    return lent !== undefined && lent.untilMs > this.#clock.now() ? lent.challenge : null
  }
}

const keyOf = (nonce: Uint8Array): string => Buffer.from(nonce).toString('base64')
