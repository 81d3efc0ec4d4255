/**
 * The round trip to the peer, read off WireGuard's own handshakes: nothing is sent for it. Both ends learn it,
 * about every two minutes while there is traffic:
 *
 *   initiator   initiation(index) ──►  ◄── response(index)      its round trip
 *   responder   response(index)   ──►  ◄── first data(index)    its round trip: the initiator sends at once
 */
const INITIATION = 1
const RESPONSE = 2
const DATA = 4

export class HandshakeRtt {
  /** The newest round trip, ms; null before the first handshake. */
  ms: number | null = null
  #awaited: typeof RESPONSE | typeof DATA | 0 = 0
  #index = 0
  #sentMs = 0

  /** A packet from our WireGuard to the peer. */
  sent(packet: Uint8Array, nowMs: number): void {
    const type = packet[0]
    if (type !== INITIATION && type !== RESPONSE) return
    this.#awaited = type === INITIATION ? RESPONSE : DATA
    this.#index = uint32(packet, 4)
    this.#sentMs = nowMs
  }

  /** A packet from the peer to our WireGuard. */
  received(packet: Uint8Array, nowMs: number): void {
    if (this.#awaited === 0 || packet[0] !== this.#awaited) return
    // The index that we sent comes back as the receiver's: second field of a response, first of data.
    if (uint32(packet, this.#awaited === RESPONSE ? 8 : 4) !== this.#index) return
    this.ms = nowMs - this.#sentMs
    this.#awaited = 0
  }
}

const uint32 = (b: Uint8Array, at: number): number =>
  ((b[at] ?? 0) | ((b[at + 1] ?? 0) << 8) | ((b[at + 2] ?? 0) << 16) | ((b[at + 3] ?? 0) << 24)) >>> 0
