/**
 * The one UDP socket of an agent, shared by all links and by the probe of the NAT, and what arrives on it:
 *
 *   from a TURN server that is in use   → its client
 *   STUN                                → whoever it answers, or a check of a link
 *   from an address of a link           → a packet of its peer
 *   anything else                       → dropped and counted
 */
import { type Endpoint, endpointText } from '../../protocol/address.js'
import { MAGIC_COOKIE } from '../../turn/attributes.js'
import { HEADER_BYTES, readMessage, type StunMessage } from '../../turn/codec.js'
import type { Datagrams, OpenDatagrams } from '../ports.js'

/** Hears a STUN message; returns whether it was for this ear. The bytes are only lent until it returns. */
export type StunEar = (message: StunMessage, from: Endpoint) => boolean
/** Hears what one address sends; the bytes are only lent until it returns. */
export type Ear = (datagram: Uint8Array) => void

export class DirectSocket {
  /** Datagrams that nobody wanted, by what they were. */
  readonly strays = { stun: 0, data: 0 }
  readonly #openDatagrams: OpenDatagrams
  readonly #ears = new Set<StunEar>()
  readonly #servers = new Map<string, (datagram: Buffer) => void>()
  /** Two links to the same peer share its address: the newest hears, the older one again when that is gone. */
  readonly #peers = new Map<string, Ear[]>()
  #opening: Promise<Datagrams> | null = null
  #datagrams: Datagrams | null = null
  /** Who was heard last: packets come in runs. */
  #last: { readonly from: Endpoint; readonly ear: Ear } | null = null

  constructor(openDatagrams: OpenDatagrams) {
    this.#openDatagrams = openDatagrams
  }

  /** Opens the socket when it is not; rejects when none can be had, and tries again at the next call. */
  async open(): Promise<void> {
    const opening = (this.#opening ??= this.#openDatagrams(this.#received))
    try {
      const datagrams = await opening
      // Closed meanwhile.
      if (this.#opening === opening) this.#datagrams = datagrams
      else datagrams.close()
    } catch (error) {
      if (this.#opening === opening) this.#opening = null
      throw error
    }
  }

  close(): void {
    this.#datagrams?.close()
    this.#datagrams = null
    this.#opening = null
  }

  /** One endpoint for each usable address of this machine; none before it is open. */
  local(): readonly Endpoint[] {
    return this.#datagrams?.local() ?? []
  }

  /** Sends one datagram, or loses it. The bytes may be reused when it returns. */
  send(datagram: Uint8Array, to: Endpoint): void {
    this.#datagrams?.send(datagram, to)
  }

  /** Lets `ear` hear STUN messages; returns what takes it away again. */
  onStun(ear: StunEar): () => void {
    this.#ears.add(ear)
    return () => void this.#ears.delete(ear)
  }

  /** Gives everything that a TURN server sends to its client; returns what ends that. */
  onServer(server: Endpoint, hear: (datagram: Buffer) => void): () => void {
    const key = endpointText(server)
    this.#servers.set(key, hear)
    return () => void this.#servers.delete(key)
  }

  /** Whether packets that come from there are somebody's. */
  hasPeer(from: Endpoint): boolean {
    return this.#peers.has(endpointText(from))
  }

  /** Gives the packets that come from `from` to `ear`; returns what ends that. */
  onPeer(from: Endpoint, ear: Ear): () => void {
    const key = endpointText(from)
    this.#last = null
    this.#peers.set(key, [...(this.#peers.get(key) ?? []), ear])
    return () => {
      const left = (this.#peers.get(key) ?? []).filter(each => each !== ear)
      this.#last = null
      if (left.length === 0) this.#peers.delete(key)
      else this.#peers.set(key, left)
    }
  }

  readonly #received = (datagram: Uint8Array, from: Endpoint): void => {
    // WireGuard's packets begin with 1 to 4 and three zeros: as STUN, one would be of 20 bytes, and none is.
    if (isStunLike(datagram)) return this.#stun(bufferOf(datagram), from)
    const last = this.#last
    if (last !== null && last.from.port === from.port && last.from.address === from.address)
      return last.ear(datagram)
    const key = endpointText(from)
    const ear = this.#peers.get(key)?.at(-1)
    if (ear !== undefined) {
      this.#last = { from: { address: from.address, port: from.port }, ear }
      return ear(datagram)
    }
    const server = this.#servers.get(key)
    if (server === undefined) this.strays.data++
    else server(bufferOf(datagram))
  }

  #stun(datagram: Buffer, from: Endpoint): void {
    const server = this.#servers.get(endpointText(from))
    if (server !== undefined) server(datagram)
    const message = readMessage(datagram)
    if (message !== null) for (const ear of this.#ears) if (ear(message, from)) return
    if (server === undefined) this.strays.stun++
  }
}

function isStunLike(b: Uint8Array): boolean {
  if (b.length < HEADER_BYTES || (b[0] as number) > 0x3f) return false // longer than a header
  const cookie =
    ((b[4] as number) << 24) | ((b[5] as number) << 16) | ((b[6] as number) << 8) | (b[7] as number)
  return cookie >>> 0 === MAGIC_COOKIE
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
