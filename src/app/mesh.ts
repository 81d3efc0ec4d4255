/** The coordinator without a shell: every room wired together, no socket and no process-wide state. */
import type { Intake, Journal, MeshApi, Store } from '../actors/ports.js'
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import type { TIMING } from '../protocol/timing.js'

/** What the mesh needs of a logger; pino fits. Values are fields, never in the text. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface Limits {
  /** Sockets that have not registered, from one address and in all. */
  readonly greetingPerAddress: number
  readonly greetingTotal: number
  /** Sessions from one address. */
  readonly sessionsPerAddress: number
  /** `register` and `resume` messages from one address, 1/s, and how many at once. */
  readonly hellosPerSecond: number
  readonly helloBurst: number
  /** Misshapen or misplaced messages before a socket is closed, within a minute. */
  readonly strikesPerMinute: number
  readonly pingsPerSecond: number
  /** Control messages of one session, 1/s, and how many at once. */
  readonly controlPerSecond: number
  readonly controlBurst: number
  readonly linksPerSession: number
}

export interface RelayOptions {
  /** What one identity may send, Mbit/s; 0 is no limit. */
  readonly mbpsPerIdentity: number
  /** Which payloads are carried: `wireguard` looks at the message header, `any` at nothing. */
  readonly payload: 'wireguard' | 'any'
  /** Packets kept for a destination that reads too slowly; the oldest go first. */
  readonly queuePackets: number
  /** How long a packet may wait, ms. */
  readonly queueMs: number
}

export type Timing = { readonly [K in keyof typeof TIMING]: number }

export interface MeshOptions {
  readonly serverId: string
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  readonly journal: Journal
  readonly log: Log
  readonly timing?: Partial<Timing>
  readonly limits?: Partial<Limits>
  readonly relay?: Partial<RelayOptions>
  /** How often what changed is written to the store, ms. */
  readonly snapshotEveryMs?: number
}

export interface Mesh extends MeshApi {
  readonly intake: Intake
  /** Restores what the store and the journal hold, then serves. */
  start(): Promise<void>
  /** Tells every session its slot within `spreadMs`, writes the snapshot, then closes the sockets. */
  stop(options?: { readonly spreadMs?: number; readonly tryForMs?: number }): Promise<void>
}
