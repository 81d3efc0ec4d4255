/**
 * What the parts of this room ask of each other. Types only.
 *
 *   figures ─→ databases ─→ servers      what a server tells, over a bounded pool of connections
 *      └─────→ disks ─────→ ssh-keys     what its machine tells, by SSH
 *   history ─→ figures                   the same, every so often, and kept
 */
import type { ParsedKey } from 'ssh2'
import type { Disk, ServerStats } from './figures/forms.js'

// ── servers ──────────────────────────────────────────────────────────────────────────────────────

export const TLS = ['disable', 'require', 'verify-full'] as const
/** As libpq’s `sslmode` says it; what it has beside these would fall back to plain text. */
export type Tls = (typeof TLS)[number]

export const SSH_AUTHS = ['none', 'key', 'password'] as const
export type SshAuth = (typeof SSH_AUTHS)[number]

export const POOL_PROFILES = ['default', 'stats_db', 'high_load'] as const
export type PoolProfile = (typeof POOL_PROFILES)[number]

export interface Server {
  readonly serverId: number
  readonly name: string
  /** The coordinator’s own database, which is reached as the settings say. */
  readonly isOwn: boolean
  readonly isEnabled: boolean
  readonly description: string
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  /** Whether it has one: what it is, only `Servers.passwordOf` says. */
  readonly hasPassword: boolean
  readonly tls: Tls
  readonly tlsCa: string | null
  readonly pool: PoolProfile
  readonly ssh: SshPlace | null
  /** Counts its changes: what was made of an older one is thrown away. */
  readonly revision: number
  readonly createdBy: string
  readonly createdAtMs: number
  readonly changedAtMs: number
}

/** Where its machine is reached by SSH, and as whom. */
export interface SshPlace {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly auth: Exclude<SshAuth, 'none'>
  readonly keyId: number | null
  readonly hasPassword: boolean
  /** `SHA256:…`; null: not pinned yet, and nothing is asked of it. */
  readonly hostKey: string | null
}

export interface Servers {
  /** Returns every server by name, the own one first; those that are not enabled too. From memory. */
  all(): readonly Server[]
  /** Returns a server; throws a 404 when there is none. */
  called(name: string): Server
  /** Returns a server; null when there is none any more. */
  byId(serverId: number): Server | null
  /** Resolves with a secret of a server; null: it has none, or the vault cannot open it any more. */
  passwordOf(server: Server): Promise<string | null>
  sshPasswordOf(server: Server): Promise<string | null>
  /** Pins the key by which the machine of a server is known, `SHA256:…`. */
  pinHostKey(server: Server, hostKey: string): Promise<void>
  /** Calls `hear` when a server was added, changed or removed, here or elsewhere; returns what ends it. */
  onChange(hear: (serverId: number) => void): () => void
}

// ── databases ────────────────────────────────────────────────────────────────────────────────────

/** One connection to a database, in which every transaction is read only. */
export interface Asking {
  /** Resolves with the rows. Rejects with a `ServerFault` when there is no answer, and with PostgreSQL’s own error, its SQLSTATE as `code`, when the answer is one. Wanted numbers are cast to int or float8: of a numeric, the embedded database tells text. */
  ask<R extends object>(sql: string, parameters?: readonly unknown[]): Promise<readonly R[]>
  /** Of the server, as PostgreSQL numbers it: 150014 is 15.14. */
  readonly version: number
  readonly kind: 'postgres' | 'pglite'
}

export interface Databases {
  /**
   * Runs statements on one connection to a server, in this database or the one that it is known by (null). Waits a bounded
   * time for a connection and for each answer; rejects with a `ServerFault`, at once while the server is known to be away.
   */
  use<T>(server: Server, database: string | null, work: (db: Asking) => Promise<T>): Promise<T>
  /** Runs statements on a connection of their own, made now, however long the server is known to be away. */
  useNew<T>(server: Server, work: (db: Asking) => Promise<T>): Promise<T>
  /** Returns the pools that are open. */
  pools(): readonly PoolView[]
}

export interface PoolView {
  readonly server: string
  readonly database: string
  readonly profile: PoolProfile
  readonly min: number
  readonly max: number
  readonly total: number
  readonly idle: number
  readonly waiting: number
  readonly state: 'open' | 'away'
  /** Why it is away; null: it is not. */
  readonly fault: string | null
  /** When it is tried again, ms since 1970 UTC; null: it is not away. */
  readonly retryAtMs: number | null
}

/** Why a server told nothing. */
export type ServerFaultCode =
  /** It cannot be reached, does not answer in time, or has shut down. */
  | 'SERVER_AWAY'
  /** All of its connections are busy, here or there. */
  | 'SERVER_BUSY'
  /** It does not let us in: user, password, database, pg_hba.conf, TLS. */
  | 'SERVER_REFUSED'
  /** Its address may not be called. */
  | 'SERVER_DESTINATION'
  /** It is not enabled. */
  | 'SERVER_DISABLED'
  /** Its password cannot be opened: the key of the vault is another. */
  | 'SERVER_SECRET'

// ── ssh keys and disks ───────────────────────────────────────────────────────────────────────────

export interface Keys {
  /** Resolves with a private key; null: there is none, or the vault cannot open it any more. */
  privateKey(sshKeyId: number): Promise<ParsedKey | null>
  /** Resolves with whether there is one. */
  has(sshKeyId: number): Promise<boolean>
}

export interface Disks {
  /**
   * Resolves with the file systems of a server’s machine, at most 30 s old; null: nobody has said how to reach it. Rejects
   * with an `SshError`. Which of them holds the data follows from the data directory; who does not know it (absent) is told
   * by what was last said.
   */
  of(server: Server, dataDirectory?: string): Promise<readonly Disk[] | null>
}

// ── figures ──────────────────────────────────────────────────────────────────────────────────────

export interface Looks {
  /** Resolves with what a server tells of itself, at most 5 s old; one that is away is told as `down`. Never rejects. */
  stats(server: Server): Promise<ServerStats>
  /** Returns what was last seen, whenever that was; null: nothing yet. Asks nothing. */
  last(serverId: number): ServerStats | null
  /** Somebody looks at all servers: what is older than 5 s is asked for again, in the background. */
  refresh(): void
  /** Calls `hear` after each look; returns what ends it. */
  onLook(hear: (server: Server, now: ServerStats, before: ServerStats | null) => void): () => void
}
