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

export class Challenges {
  readonly #clock: Clock
  readonly #random: Random
  #key: { publicKey: Uint8Array; privateKey: KeyObject } | null = null
  #madeMs = 0

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
}
