/**
 * WireGuard's handshakes as they pass by.
 *
 * An initiation without an answer is repeated here, the same bytes, because WireGuard itself waits five seconds:
 * the first one often leaves before the other end of a new link is set up, or while the coordinator restarts. A
 * copy that was not needed is a replay, which the other WireGuard drops.
 *
 * The round trip to the peer is read off, and nothing is sent for it. Both ends learn it, about every two minutes
 * while there is traffic:
 *
 *   initiator   initiation(index) ──►  ◄── response(index)      its round trip
 *   responder   response(index)   ──►  ◄── first data(index)    its round trip: the initiator sends at once
 */
import type { Clock, Timer } from '../../kit/clock.js'

const INITIATION = 1
const RESPONSE = 2
const COOKIE = 3
const DATA = 4

/** First wait before an initiation is repeated, ms; it doubles. A link that is being set up is ready at any moment. */
const FIRST_MS = 50
/** The same once the peer has answered before: above most round trips, so that they can be told. */
const LATER_MS = 500
/** Waits that end after this long, ms, are WireGuard's own: it makes a new initiation after 5 s. */
const LONGEST_MS = 2_000

export class Handshake {
  /** The newest round trip, ms; null before the first handshake. */
  rttMs: number | null = null
  readonly #clock: Clock
  readonly #repeat: (initiation: Uint8Array) => void
  #awaited: typeof RESPONSE | typeof DATA | null = null
  #index = 0
  #sentMs = 0
  #repeated = 0
  #answered = false
  #timer: Timer | undefined

  constructor(clock: Clock, repeat: (initiation: Uint8Array) => void) {
    this.#clock = clock
    this.#repeat = repeat
  }

  /** A packet from our WireGuard to the peer. */
  sent(packet: Uint8Array, nowMs: number): void {
    const type = packet[0]
    if (type !== INITIATION && type !== RESPONSE) return
    this.stop()
    this.#awaited = type === INITIATION ? RESPONSE : DATA
    this.#index = uint32(packet, 4)
    this.#sentMs = nowMs
    this.#repeated = 0
    if (type === INITIATION) this.#repeatAfter(this.#answered ? LATER_MS : FIRST_MS, packet.slice())
  }

  /** A packet from the peer to our WireGuard. */
  received(packet: Uint8Array, nowMs: number): void {
    if (this.#awaited === null) return
    // The index that we sent comes back as the receiver's: the second field of a response, the first elsewhere.
    const type = packet[0]
    if (uint32(packet, type === RESPONSE ? 8 : 4) !== this.#index) return
    if (type === COOKIE) this.stop()
    if (type !== this.#awaited) return
    // An answer after a repetition may be to either copy: it tells no round trip (Karn's rule).
    this.#answered = true
    if (this.#repeated === 0) this.rttMs = nowMs - this.#sentMs
    this.stop()
  }

  /** Repeats nothing any more. */
  stop(): void {
    this.#awaited = null
    this.#clock.clearTimeout(this.#timer)
  }

  #repeatAfter(waitMs: number, initiation: Uint8Array): void {
    if (waitMs > LONGEST_MS) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#repeated++
      this.#repeat(initiation)
      this.#repeatAfter(waitMs * 2, initiation)
    }, waitMs)
  }
}

const uint32 = (b: Uint8Array, at: number): number =>
  ((b[at] ?? 0) | ((b[at + 1] ?? 0) << 8) | ((b[at + 2] ?? 0) << 16) | ((b[at + 3] ?? 0) << 24)) >>> 0
