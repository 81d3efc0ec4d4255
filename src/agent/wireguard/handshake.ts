/**
 * WireGuard's handshakes as they pass by.
 *
 * An initiation without a response, and a response without data, are repeated here, the same bytes, because
 * WireGuard itself waits five seconds: the first one often leaves before the other end of a new link is set up, or
 * while the peer moves to another link. A copy that was not needed is dropped by the other WireGuard.
 *
 * When both ends begin at the same moment, each answer would find that its initiation was given up for the
 * other's, and both would wait five seconds. So one end, always the same, does not hear of the other's while its
 * own is under way.
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

/** First wait before a message is repeated, ms; it doubles. A link that is being set up is ready at any moment. */
const FIRST_MS = 50
/** The same once the peer has answered before: above most round trips, so that they can be told. */
const LATER_MS = 300
/** Waits that end after this long, ms, are WireGuard's own: it makes a new initiation after 5 s. */
const LONGEST_MS = 2_000
/** An initiation is under way for this long, ms; then WireGuard makes a new one. */
const UNDER_WAY_MS = 5_000

export interface HandshakeOptions {
  readonly clock: Clock
  /** Whether this end goes first when both begin at the same moment; the other end says the opposite. */
  readonly first: boolean
  /** Sends a message to the peer once more. */
  readonly repeat: (message: Uint8Array) => void
  /** A handshake is over: packets of both sides are understood. */
  readonly agreed: () => void
}

export class Handshake {
  /** The newest round trip, ms; null before the first handshake. */
  rttMs: number | null = null
  readonly #options: HandshakeOptions
  #awaited: typeof RESPONSE | typeof DATA | null = null
  #index = 0
  #sentMs = 0
  #repeated = 0
  #answered = false
  #timer: Timer | undefined

  constructor(options: HandshakeOptions) {
    this.#options = options
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
    this.#repeatAfter(this.#answered ? LATER_MS : FIRST_MS, packet.slice())
  }

  /** A packet from the peer; returns whether our WireGuard should get it. */
  received(packet: Uint8Array, nowMs: number): boolean {
    if (this.#awaited === null) return true
    const type = packet[0]
    if (type === INITIATION) return !this.#goesFirst(nowMs)
    // The index that we sent comes back as the receiver's: the second field of a response, the first elsewhere.
    if (uint32(packet, type === RESPONSE ? 8 : 4) !== this.#index) return true
    if (type === this.#awaited) {
      this.#answered = true
      // An answer after a repetition may be to either copy: it tells no round trip (Karn's rule).
      if (this.#repeated === 0) this.rttMs = nowMs - this.#sentMs
      this.stop()
      this.#options.agreed()
    } else if (type === COOKIE) this.stop()
    return true
  }

  /** Repeats nothing any more. */
  stop(): void {
    this.#awaited = null
    this.#options.clock.clearTimeout(this.#timer)
  }

  #goesFirst(nowMs: number): boolean {
    return this.#options.first && this.#awaited === RESPONSE && nowMs - this.#sentMs < UNDER_WAY_MS
  }

  #repeatAfter(waitMs: number, message: Uint8Array): void {
    if (waitMs > LONGEST_MS) return
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#repeated++
      this.#options.repeat(message)
      this.#repeatAfter(waitMs * 2, message)
    }, waitMs)
  }
}

const uint32 = (b: Uint8Array, at: number): number =>
  ((b[at] ?? 0) | ((b[at + 1] ?? 0) << 8) | ((b[at + 2] ?? 0) << 16) | ((b[at + 3] ?? 0) << 24)) >>> 0
