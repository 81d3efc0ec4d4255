/** What the pages of agents that speak HTTP share. */
import type { IdentityId, MeshApi, Traversal } from '../../actors/ports.js'
import type { AgentTokens } from '../../app/plugin.js'
import type { Clock } from '../../kit/clock.js'
import type { Mailboxes } from './mailboxes.js'
import type { Notes } from './notes.js'
import type { HttpTiming } from './timing.js'

export interface Agents {
  readonly clock: Clock
  readonly mesh: MeshApi
  readonly mailboxes: Mailboxes
  readonly notes: Notes
  readonly tokens: AgentTokens
  readonly timing: HttpTiming
  /** STUN and TURN; null when there are none. */
  readonly traversal: Traversal | null
  /** Realm of TURN. */
  readonly realm: string
  readonly whereabouts: Whereabouts
  /** Resolves with what a node is to do; each is told again until it is acknowledged. */
  readonly actionsFor: (nodeId: IdentityId) => Promise<readonly NodeAction[]>
}

export interface NodeAction {
  /** What it is acknowledged by, and known by when it comes again. */
  readonly id: number
  /** Such as `updateConfig`, `restart`, `maintenance`. */
  readonly type: string
  readonly payload: unknown
  /** When it is not wanted any more. */
  readonly expiresAt: Date
}

/** Where this coordinator is, as far as answers tell it. */
export interface Whereabouts {
  /** Returns where agents reach it; `called` is the host that the caller named. */
  of(called: string | undefined): Whereabout
  /** Returns the address under which a caller is known to the world; null when it is no public one. */
  publicIpOf(remote: string): string | null
}

export interface Whereabout {
  readonly isSecure: boolean
  readonly host: string
  readonly port: number
}
