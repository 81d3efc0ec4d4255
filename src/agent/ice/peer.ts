/** What the ICE way asks of an ICE stack: one connection with two channels of datagrams. */
import type { IceServers } from '../ports.js'

export interface IceEvents {
  /** Our description has changed: it begins, or it has one candidate more. */
  described(sdp: string): void
  /** Both channels are open. */
  opened(): void
  /** A packet of the peer; the bytes are only lent. */
  packet(bytes: Uint8Array): void
  /** A check of the peer, or the answer to one of ours; the bytes are only lent. */
  check(bytes: Uint8Array): void
  /** It is over, whoever ended it; called once, and not after `close`. */
  closed(): void
}

export interface IcePeerOptions {
  readonly iceServers: IceServers
  /** Makes the offer; the other end answers it (RFC 3264). */
  readonly offers: boolean
  readonly events: IceEvents
}

/** The pair that packets travel on, each end as the wire spells a candidate. */
export interface IcePair {
  readonly local: string
  readonly remote: string
  /** One of the two is a relay of a TURN server. */
  readonly relayed: boolean
}

export interface IcePeer {
  /** Takes the peer's description, or a later one with more candidates. Throws when it is none. */
  hear(sdp: string): void
  /** Sends a datagram, or drops it while the channel is full: returns whether it was taken. The bytes are copied. */
  send(packet: Uint8Array): boolean
  check(bytes: Uint8Array): void
  /** The pair in use; null while there is none. It may change by itself. */
  pair(): IcePair | null
  close(): void
}

export type OpenIce = (options: IcePeerOptions) => IcePeer
