/**
 * What a plug-in is, and what it is given. It sees the mesh by `MeshApi` and everything else by its host; the mesh
 * knows nothing of it, and serves without it.
 */
import type { z } from 'zod'
import type { AuditEvent, ClientView, MeshApi, NodeView, Traversal } from '../actors/ports.js'
import type { Question } from '../edge/ask.js'
import type { Channel } from '../edge/channel.js'
import type { Caller } from '../http/caller.js'
import type { Endpoint } from '../http/endpoint.js'
import type { Reply } from '../http/reply.js'
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import type { Migrations, Room } from '../store/index.js'
import type { Figure } from '../telemetry/figure.js'
import type { LogTail } from '../telemetry/log-tail.js'
import type { Config } from './config.js'
import type { Log } from './mesh.js'

export interface Plugin {
  /** Names its tables' versions and its log lines. */
  readonly name: string
  /** Of its tables, in order; absent: it has none. */
  readonly migrations?: Migrations
  /** Resolves when it works. Its routes are served once every plug-in has started. */
  start(mesh: MeshApi, host: PluginHost): Promise<RunningPlugin>
}

export interface RunningPlugin {
  readonly routes: readonly Endpoint[]
  /** Recognises a bearer token that it issued; null: it is none of its own. */
  readonly recognise?: (bearer: string) => Caller | null | Promise<Caller | null>
  /** WebSockets of its own. */
  readonly channels?: readonly Channel[]
  /** What it tells on the metrics page. */
  readonly figures?: readonly Figure<void>[]
  /** What it adds to the rows of the lists of nodes and clients. */
  readonly rows?: { readonly nodes?: RowsOf<NodeView>; readonly clients?: RowsOf<ClientView> }
  /** Finishes what it has acknowledged. The mesh still serves meanwhile, and no request comes any more. */
  stop(): Promise<void>
}

/** Fields of rows, and what they are in a row. */
export interface RowsOf<V> {
  readonly fields: z.ZodRawShape
  of(view: V): object
}

export interface PluginHost {
  readonly config: Config
  /** Of the program. */
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Opens the plug-in's tables, in the version of its migrations. */
  readonly room: <DB>() => Promise<Room<DB>>
  readonly tokens: AgentTokens
  /** Recognises a bearer token, whoever issued it; what nobody knows is a stranger's. */
  recognise(bearer: string): Caller | Promise<Caller>
  /**
   * Answers a question as the HTTP interface does, at once when the endpoint does: the same rights, faults and figures.
   * Never throws.
   */
  ask(question: Question): Reply | Promise<Reply>
  /** Throws what would be in the way of a question, and asks nothing. */
  admit(question: Question): void
  readonly revocations: Revocations
  /** Returns keys for this purpose, 32 bytes each, of JWT_SECRET and JWT_OLD_SECRET: the first signs, each of them verifies. */
  signingKeys(purpose: string): readonly Uint8Array[]
  readonly vault: Vault
  /** STUN and TURN; null when there are none. */
  readonly traversal: Traversal | null
  /** The last lines of the log. */
  readonly tail: LogTail
  /** Keeps a line of the audit. */
  audit(event: Omit<AuditEvent, 'auditId' | 'atMs'>): void
}

/** Tokens that end before their time. Who holds a socket by a token has it recognised again when its account is told of. */
export interface Revocations {
  tell(revoked: Revoked): void
  /** Returns what ends the hearing. */
  on(hear: (revoked: Revoked) => void): () => void
}

export interface Revoked {
  readonly accountId: string
  /** null: every sign-in of the account. */
  readonly signInId: string | null
}

/** Seals what is secret and has to be read again. `about` names its place: what was sealed for one opens in no other. */
export interface Vault {
  seal(secret: string, about: string): Uint8Array
  /** Returns null when it was not sealed by this key, for this place, or is no longer as it was. */
  open(sealed: Uint8Array, about: string): string | null
}

export interface TokenOf {
  readonly id: string
  readonly role: 'node' | 'client'
  /** What else the token is bound to, as claims of it; and a life of its own, ms. */
  readonly claims?: Readonly<Record<string, string>>
  readonly lifeMs?: number
}

/** Tokens of agents that speak HTTP: signed by us, bound to one identity, good for a while. */
export interface AgentTokens {
  issue(agent: TokenOf): Promise<{ readonly token: string; readonly expiresAtMs: number }>
  /** Resolves with whom the token belongs to; a stranger when it is not ours, over, or of a revoked identity. */
  recognise(token: string): Caller | Promise<Caller>
}
