/** What the rest of the server sees of STUN and TURN, whoever provides it. */
import type { Loss, Refusal, Tally } from './counters.js'

export interface TurnService {
  /** Returns what a client puts into its `iceServers`, valid only while `id` has a live session. */
  issueCredentials(id: string): readonly IceServer[]
  endpoints(): TurnEndpoints
  /** Asks for a Binding response over the network: not whether it was started, but whether it answers. */
  health(): Promise<TurnHealth>
  /** Opens nothing any more; resolves when nothing is open, or when `withinMs` is over. */
  drain(withinMs: number): Promise<void>
  stats(): TurnStats
  /** Looks again, at once, at who may be here and whom they may reach. Sessions that ended are noticed anyway within a second, routes within five. */
  review(): void
  /** The files of the certificate have changed. */
  certificateChanged(): void
  stop(): Promise<void>
}

/** As browsers spell it. */
export interface IceServer {
  readonly urls: readonly string[]
  readonly username?: string
  readonly credential?: string
}

export interface TurnEndpoints {
  /** `stun:host:port` */
  readonly stun: readonly string[]
  /** `turn:host:port?transport=udp`, `turns:host:port?transport=tcp` */
  readonly turn: readonly string[]
  /** As `stun`, one for each address and port that shows what a NAT does; the first one first. */
  readonly probed: readonly string[]
}

export interface TurnHealth {
  readonly status: 'healthy' | 'unhealthy' | 'disabled'
  /** Round trip of the probe, ms; null when there was no answer. */
  readonly latencyMs: number | null
}

export interface TurnStats {
  /** Open allocations; null where only another process knows. */
  readonly allocations: number | null
  readonly connections: number
  readonly bindings: number
  /** Datagrams handed on that were neither STUN nor TURN. */
  readonly strays: number
  readonly toPeers: Traffic
  readonly toClients: Traffic
  readonly refused: Readonly<Partial<Tally<Refusal>>>
  readonly lost: Readonly<Partial<Tally<Loss>>>
}

export interface Traffic {
  readonly packets: number
  readonly bytes: number
}

export const NO_STATS: TurnStats = {
  allocations: null,
  connections: 0,
  bindings: 0,
  strays: 0,
  toPeers: { packets: 0, bytes: 0 },
  toClients: { packets: 0, bytes: 0 },
  refused: {},
  lost: {},
}
