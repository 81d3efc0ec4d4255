/** The tables, as Kysely sees them. Written by hand; a test compares it with the database's own catalogue. */
import type { ColumnType, Generated, JSONColumnType } from 'kysely'
import type {
  Ability,
  Explanation,
  PathAttempt,
  PathEnd,
  PathPolicy,
  PathStay,
  PathTier,
  PathVia,
  Role,
  RouteHistory,
  RouteWish,
  Steering,
  StoredRoute,
  StoredSession,
} from '../actors/ports.js'

export interface Database {
  identities: Identities
  sessions: Sessions
  routes: Routes
  paths: Paths
  steerings: Steerings
  audit_events: AuditEvents
  enrolment_keys: EnrolmentKeys
  server_meta: ServerMeta
}

/** PGlite gives a Uint8Array, pg a Buffer, which is one. */
type Bytes = Uint8Array

interface Identities {
  id: string
  role: Role
  public_key: Bytes
  /** Which address of the pool; null for one that is outside of it. */
  overlay_index: number | null
  overlay4: string
  overlay6: string
  generation: number
  agent: string
  country: string | null
  region: string | null
  latitude: number | null
  longitude: number | null
  max_sessions: number | null
  bandwidth_mbps: number | null
  is_exit: boolean
  tags: string[]
  cost_weight: number | null
  policy: PathPolicy
  can: Ability[]
  created_at: Date
  revoked_at: Date | null
}

interface Sessions {
  session_id: string
  identity_id: string
  generation: number
  ticket_hash: Bytes | null
  state: StoredSession['state']
  started_at: Date
  changed_at: Date
  /** When it was closed. Set once, so that the index on it costs the many other updates nothing. */
  closed_at: Date | null
}

interface Routes {
  route_id: string
  link: number
  client_id: string
  node_id: string
  request: JSONColumnType<RouteWish>
  explanation: JSONColumnType<Explanation>
  state: StoredRoute['state']
  assigned_at: Date
  ended_at: Date | null
  cause: string | null
  /** Null in rows of older versions. */
  history: JSONColumnType<RouteHistory> | null
}

interface Paths {
  path_id: string
  link: number
  route_id: string
  client_id: string
  node_id: string
  policy: PathPolicy
  tier: PathTier
  via: PathVia | null
  since: Date
  reason: string | null
  opened_at: Date
  closed_at: Date | null
  closed_because: string | null
  /** What each end said. */
  client: JSONColumnType<PathEnd>
  node: JSONColumnType<PathEnd>
  attempts: JSONColumnType<readonly PathAttempt[]>
  history: JSONColumnType<readonly PathStay[]>
}

interface Steerings {
  identity_id: string
  steering: JSONColumnType<Steering>
  changed_at: Date
}

interface AuditEvents {
  /** The order of arrival, for events of one moment. */
  seq: Generated<number>
  audit_id: string
  at: Date
  kind: string
  actor: string
  subject: string
  detail: JSONColumnType<Record<string, unknown>>
}

interface EnrolmentKeys {
  key_id: string
  secret_hash: Bytes
  role: Role | null
  uses_left: number | null
  expires_at: Date | null
  note: string
  created_at: Date
  revoked_at: Date | null
}

interface ServerMeta {
  key: string
  value: ColumnType<unknown, string, string>
}
