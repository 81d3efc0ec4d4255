/** Rows as the ports know them. */
import { type Selectable, sql } from 'kysely'
import type {
  AuditEvent,
  EnrolmentKey,
  Identity,
  PathRecord,
  StoredRoute,
  StoredSession,
  StoredSteering,
} from '../actors/ports.js'
import type { Database } from './database.js'

type Row<Table extends keyof Database> = Selectable<Database[Table]>

/** An inet as text carries its prefix length; an address alone is wanted. */
export const identityColumns = [
  'id',
  'role',
  'public_key',
  sql<string>`host(overlay4)`.as('overlay4'),
  sql<string>`host(overlay6)`.as('overlay6'),
  'generation',
  'agent',
  'country',
  'region',
  'latitude',
  'longitude',
  'max_sessions',
  'bandwidth_mbps',
  'is_exit',
  'tags',
  'cost_weight',
  'policy',
  'can',
  'created_at',
  'revoked_at',
] as const

export const identityOf = (row: Omit<Row<'identities'>, 'overlay_index'>): Identity => ({
  id: row.id,
  role: row.role,
  publicKey: Uint8Array.from(row.public_key),
  overlay4: row.overlay4,
  overlay6: row.overlay6,
  generation: row.generation,
  profile: {
    agent: row.agent,
    country: row.country,
    region: row.region,
    latitude: row.latitude,
    longitude: row.longitude,
    maxSessions: row.max_sessions,
    bandwidthMbps: row.bandwidth_mbps,
    exit: row.is_exit,
    tags: row.tags,
    costWeight: row.cost_weight,
    policy: row.policy,
    can: row.can,
  },
  createdAtMs: row.created_at.getTime(),
  revokedAtMs: msOf(row.revoked_at),
})

export const sessionOf = (row: Row<'sessions'>): StoredSession => ({
  sessionId: row.session_id,
  identityId: row.identity_id,
  generation: row.generation,
  ticketHash: row.ticket_hash === null ? null : Uint8Array.from(row.ticket_hash),
  state: row.state,
  startedAtMs: row.started_at.getTime(),
  changedAtMs: row.changed_at.getTime(),
})

export const routeOf = (row: Row<'routes'>): StoredRoute => ({
  routeId: row.route_id,
  link: row.link,
  clientId: row.client_id,
  nodeId: row.node_id,
  request: row.request,
  explanation: row.explanation,
  state: row.state,
  assignedAtMs: row.assigned_at.getTime(),
  endedAtMs: msOf(row.ended_at),
  cause: row.cause,
  ...(row.history !== null && { history: row.history }),
})

export const pathOf = (row: Row<'paths'>): PathRecord => ({
  pathId: row.path_id,
  link: row.link,
  routeId: row.route_id,
  clientId: row.client_id,
  nodeId: row.node_id,
  policy: row.policy,
  tier: row.tier,
  via: row.via,
  sinceMs: row.since.getTime(),
  reason: row.reason,
  openedAtMs: row.opened_at.getTime(),
  closedAtMs: msOf(row.closed_at),
  closedBecause: row.closed_because,
  client: row.client,
  node: row.node,
  attempts: row.attempts,
  history: row.history,
})

export const steeringOf = (row: Row<'steerings'>): StoredSteering => ({
  identityId: row.identity_id,
  steering: row.steering,
  changedAtMs: row.changed_at.getTime(),
})

export const auditEventOf = (row: Row<'audit_events'>): AuditEvent => ({
  auditId: row.audit_id,
  atMs: row.at.getTime(),
  kind: row.kind,
  actor: row.actor,
  subject: row.subject,
  detail: row.detail,
})

export const enrolmentKeyOf = (row: Row<'enrolment_keys'>): EnrolmentKey => ({
  keyId: row.key_id,
  secretHash: Uint8Array.from(row.secret_hash),
  role: row.role,
  usesLeft: row.uses_left,
  expiresAtMs: msOf(row.expires_at),
  note: row.note,
  createdAtMs: row.created_at.getTime(),
  revokedAtMs: msOf(row.revoked_at),
})

const msOf = (date: Date | null): number | null => date?.getTime() ?? null
