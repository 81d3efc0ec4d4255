/**
 * What an agent asks of the world. The Node adapters are beside this file; `test/lab` has others on a
 * simulated clock.
 */
import type { Endpoint } from '../protocol/address.js'
import type { TunnelMetrics } from './link.js'
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
  /**
   * Whether its packets protect themselves, as WireGuard's do: only those may travel by plain UDP, where anyone
   * can forge a sender. Absent: they do not.
   */
  readonly sealed?: boolean
  /**
   * The UDP port of the tunnel’s own socket, where it has one that is open to the world; null until it is known.
   * Absent: it has none.
   */
  readonly ownPort?: number | null
  /** What the tunnel knows of a link; null when it knows nothing. */
  metrics?(link: number): TunnelMetrics | null
}

/**
 * A tunnel’s own UDP socket, as the way sees it that lets packets past this process: WireGuard’s. A public key is 32
 * bytes. What cannot be done rejects, and is put right by the next call.
 */
export interface OwnSocket {
  /**
   * Sends to the peer of this link at `to`, past this process, with a keepalive every so many seconds, the first one
   * at once; null: through the link again, as it was opened.
   */
  steer(link: number, to: { readonly at: Endpoint; readonly keepaliveS: number } | null): Promise<void>
  /**
   * Sends a handshake initiation to `at`, `host:port`, for the holder of this key, and again every few seconds.
   * Nothing else ever goes there, and nothing is taken from there.
   */
  beckon(publicKey: Uint8Array, at: string): Promise<void>
  /** Ends that. */
  unbeckon(publicKey: Uint8Array): Promise<void>
  /** Returns what the socket knows of each open link. */
  figures(): Promise<ReadonlyMap<number, OwnFigures>>
}

export interface OwnFigures {
  /** Where it sends to this peer now; null: through the link. It follows the peer by itself. */
  readonly at: Endpoint | null
  /** Sent to and received from the peer, either way, bytes. */
  readonly sentBytes: number
  readonly receivedBytes: number
}

/**
 * A UDP socket of this machine that is open to the world: what checks and packets of direct paths travel on,
 * and the requests to STUN and TURN servers. One socket a family at most; both look like one here.
 */
export interface Datagrams {
  /** Where it is bound: one endpoint for each usable address of this machine, now. */
  local(): readonly Endpoint[]
  /** Sends one datagram, or loses it. The bytes may be reused when it returns. */
  send(datagram: Uint8Array, to: Endpoint): void
  close(): void
}

/** Opens a UDP socket; rejects when none can be had. The bytes of `received` are only lent until it returns. */
export type OpenDatagrams = (received: (datagram: Uint8Array, from: Endpoint) => void) => Promise<Datagrams>

/**
 * One way off the relay. Every link starts on the relay; a way carries it from the moment that it has proved
 * itself to this end until it is lost, and says both to the coordinator by `path.attempt`.
 */
export interface Way {
  readonly via: 'udp' | 'wireguard' | 'ice'
  /** Begins for a link that is set up at this end. */
  open(peer: Peer, host: WayHost): LinkWay
  /** The network of this machine has changed: addresses that were gathered are of no use any more. */
  networkChanged(): void
  /** Gives back what was taken; links may be opened again afterwards. */
  stop(): Promise<void>
}

/** What a way may ask of the link that it serves. */
export interface WayHost {
  /** Sends to the coordinator: `path.signal` and `path.attempt`. Lost when there is no connection. */
  say(event: WireOf<'path.signal'> | WireOf<'path.attempt'>): void
  /** A packet of the peer arrived this way; the bytes are only lent. */
  deliver(packet: Uint8Array, tier: 'direct' | 'turned'): void
  /** `direct-only` uses no TURN server; with `relay-only` no way is opened at all. */
  readonly policy: PathPolicy
  /** STUN and TURN servers as the coordinator gave them last: URI, username, password. */
  iceServers(): IceServers
  /** The last round trip to the peer that was seen on the relay, ms; null when unknown. */
  relayedRttMs(): number | null
}

/** A way's side of one link. */
export interface LinkWay {
  /** What the coordinator says about this link and way. */
  hear(event: PathWord): void
  /** The coordinator introduces the peer again, as after a resume: it may have forgotten what was signalled. */
  introduced(peer: Peer): void
  /** The tier that it carries on now; null when packets are for the next way, or for the relay. */
  readonly tier: 'direct' | 'turned' | null
  /** Takes a packet for the peer while `tier` is not null; the bytes are only lent until it returns. */
  send(packet: Uint8Array): void
  /** Smoothed round trip of the pair in use, ms, and checks of it without an answer, %; null when unknown. */
  readonly rttMs: number | null
  readonly lossPct: number | null
  /** While true, packets also go the next way, or by the relay: this one may be gone, and the peer drops copies. */
  readonly isInDoubt?: boolean
  /**
   * Hears that a packet of the peer arrived another way; returns whether it may be delivered. WireGuard’s own
   * socket would take its sender for where the peer is now. Absent: it may.
   */
  strayed?(): boolean
  /** What it carried past this process, where nobody else can count it. */
  readonly unseen?: Unseen
  close(): void
}

export interface Unseen {
  /** Payload, bytes. */
  readonly sentBytes: number
  readonly receivedBytes: number
  /** When something was received last, monotonic ms; null: never. */
  readonly lastReceivedAtMs: number | null
}

/** What the coordinator says about the ways of a link. */
export type PathWord =
  | WireOf<'path.signal'>
  | WireOf<'path.punch'>
  | WireOf<'path.reveal'>
  | WireOf<'path.settled'>

/** Which ways packets may travel. */
export type PathPolicy = NonNullable<WireOf<'register'>['policy']>

/** STUN and TURN servers: URI, username, password. */
export type IceServers = NonNullable<WireOf<'registered'>['iceServers']>

/** Finds out what the NAT in front of this machine does, when the coordinator asks. */
export interface Prober {
  /** Begins; a newer plan takes the place of an older one. `say` may be called more than once, or never. */
  probe(plan: WireOf<'probe.plan'>, say: (report: WireOf<'probe.report'>) => void): void
  /** Gives up what is under way. */
  stop(): void
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
  /** Newest of `registered`, `resumed` and `renewed`; passwords are secrets. */
  readonly iceServers: IceServers
}

/** Where an agent keeps its session. An adapter belongs to one identity: another's session is never returned. */
export interface AgentMemory {
  load(): SavedSession | null
  /** null forgets it. */
  save(session: SavedSession | null): void
}
