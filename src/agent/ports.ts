/**
 * What an agent asks of the world. The Node adapters are beside this file; `test/lab` has others on a
 * simulated clock.
 */
import type { LinkMetrics } from './link.js'
import type { WireOf } from '../protocol/messages.js'

/** A WebSocket to the coordinator, already speaking `boson.v1`. */
export interface AgentSocket {
  /** Sends one binary message. The bytes may be reused when it returns. */
  send(bytes: Uint8Array): void
  /** Bytes accepted but not yet taken by the operating system. */
  buffered(): number
  close(code: number, reason: string): void
}

export interface SocketEvents {
  opened(): void
  /** A binary message; the bytes are only lent until the call returns. */
  received(message: Uint8Array): void
  /**
   * The socket is gone, or never came to be; called once. 1006 when no close frame arrived.
   * `retryAfterMs` is what an HTTP refusal asked for.
   */
  closed(code: number, reason: string, retryAfterMs?: number): void
}

/** Dials the coordinator. Never throws: what goes wrong arrives as `closed`, after the call has returned. */
export type Dial = (url: string, events: SocketEvents) => AgentSocket

/** A peer as the coordinator introduced it: everything that a WireGuard peer entry needs. */
export type Peer = Omit<WireOf<'path.open'>, 'type'>

/**
 * What carries a link's packets on this machine: a WireGuard interface, or a program's own datagrams.
 * Opening a link that is open only updates it, and must not disturb the traffic on it.
 */
export interface Tunnel {
  /** Makes the peer reachable. `send` takes what the peer shall receive; the bytes are only lent until it returns. */
  open(peer: Peer, send: (packet: Uint8Array) => void): Promise<void>
  /** A packet of the peer arrived on this link. The bytes are only lent. */
  deliver(link: number, packet: Uint8Array): void
  close(link: number): Promise<void>
  /** Ends all links and gives back what the tunnel took. */
  stop(): Promise<void>
  /** This identity's own addresses, as the coordinator gave them; called before any `open` and again when they change. */
  addressed(own: {
    readonly overlay4: string
    readonly overlay6: string
    readonly mtu: number
  }): Promise<void>
  /** What the tunnel knows of a link; null when it knows nothing. */
  metrics?(link: number): LinkMetrics | null
}

/** The gauges of a heartbeat, read when one is due. What cannot be measured is left out. */
export type Gauges = () => Omit<
  WireOf<'heartbeat'>,
  'type' | 'seq' | 'echoStamp' | 'echoHeldMs' | 'activeSessions' | 'serverId' | 'generatedAt' | 'readyAt'
>

/** What an agent needs to go on with its session after its own restart. */
export interface SavedSession {
  /** For one `resume`. A secret. */
  readonly ticket: Uint8Array
  /** What `registered` said and `resumed` does not repeat. */
  readonly overlay4: string
  readonly overlay6: string
  readonly beatEveryMs: number
  readonly silenceMs: number
  readonly relayMtu: number
}

/** Where an agent keeps its session. An adapter belongs to one identity: another's session is never returned. */
export interface AgentMemory {
  load(): SavedSession | null
  /** null forgets it. */
  save(session: SavedSession | null): void
}
