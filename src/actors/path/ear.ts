/**
 * Where WireGuards show by which address they are seen. An agent that is asked to (`path.reveal`) makes this key a
 * peer of its WireGuard; the handshake initiation that then arrives on the STUN port comes from WireGuard's own
 * socket, through whatever NATs, and proves whose it is. It is never answered.
 *
 * The key is made at each start: agents are told it every time, and nothing recorded before can be said again.
 */
import type { Clock } from '../../kit/clock.js'
import { TokenBucket } from '../../kit/token-bucket.js'
import type { Endpoint } from '../../protocol/address.js'
import { newKeyPair } from '../../protocol/proof.js'
import { InitiationReader } from '../../protocol/wireguard-initiation.js'
import type { Traversal } from '../ports.js'

/** Initiations read each second, and at once: at 120 µs each, a twentieth of a core. Lost ones come again. */
const READS_PER_SECOND = 400

export interface EarOptions {
  readonly clock: Clock
  readonly traversal: Pick<Traversal, 'onStray'>
}

type Heard = (mapped: Endpoint) => void

export class Ear {
  /** The WireGuard public key that it answers to. */
  readonly publicKey: Uint8Array
  readonly #reader: InitiationReader
  readonly #clock: Clock
  readonly #reads: TokenBucket
  readonly #expected = new Map<string, Set<Heard>>()
  /** The newest timestamp of each key that was ever expected and heard: an older one is a replay. */
  readonly #newest = new Map<string, Uint8Array>()
  readonly #close: () => void

  constructor({ clock, traversal }: EarOptions) {
    const pair = newKeyPair()
    this.publicKey = pair.publicKey
    this.#reader = new InitiationReader(pair)
    this.#clock = clock
    this.#reads = new TokenBucket(READS_PER_SECOND, READS_PER_SECOND, clock.now())
    this.#close = traversal.onStray((datagram, from) => this.#hear(datagram, from))
  }

  /** Calls `heard` whenever the holder of this WireGuard key shows itself; returns what ends it. */
  expect(publicKey: Uint8Array, heard: Heard): () => void {
    const key = textOf(publicKey)
    const waiting = this.#expected.get(key) ?? new Set()
    this.#expected.set(key, waiting.add(heard))
    return () => {
      waiting.delete(heard)
      if (waiting.size === 0 && this.#expected.get(key) === waiting) this.#expected.delete(key)
    }
  }

  close(): void {
    this.#close()
    this.#expected.clear()
  }

  #hear(datagram: Uint8Array, from: Endpoint): void {
    // Cheapest first: nobody is expected, not for this key, too many.
    if (this.#expected.size === 0 || !this.#reader.addressed(datagram)) return
    if (!this.#reads.take(1, this.#clock.now())) return
    const said = this.#reader.read(datagram)
    if (said === null) return
    const key = textOf(said.publicKey)
    const waiting = this.#expected.get(key)
    const newest = this.#newest.get(key)
    if (waiting === undefined || (newest && Buffer.compare(said.timestamp, newest) <= 0)) return
    this.#newest.set(key, said.timestamp)
    for (const heard of waiting) heard(from)
  }
}

const textOf = (key: Uint8Array): string => Buffer.from(key).toString('base64')
