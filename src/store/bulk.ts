/**
 * Many rows in few statements: each takes its rows as one JSON parameter, which both databases unfold
 * themselves. Rows go in the order of their keys, so that two coordinators never wait for each other in a ring.
 */
import { sql, type Transaction } from 'kysely'
import type {
  AuditEvent,
  Identity,
  PathRecord,
  StoredRoute,
  StoredSession,
  StoredSteering,
} from '../actors/ports.js'
import type { Database } from './database.js'
import type { Newest } from './newest.js'
import type { OverlayPool } from './overlay-pool.js'

/** Rows of one statement: larger ones are not faster, and hold a connection longer. */
const STATEMENT_ROWS = 2_000

type Tx = Transaction<Database>

export async function writeNewest(tx: Tx, newest: Newest, pool: OverlayPool): Promise<void> {
  for (const rows of statements(newest.identities, ({ id }) => id)) await writeIdentities(tx, rows, pool)
  for (const rows of statements(newest.sessions, ({ sessionId }) => sessionId)) await writeSessions(tx, rows)
  for (const rows of statements(newest.routes, ({ routeId }) => routeId)) await writeRoutes(tx, rows)
  for (const rows of statements(newest.paths, ({ pathId }) => pathId)) await writePaths(tx, rows)
  for (const rows of statements(newest.steerings, ({ identityId }) => identityId))
    await writeSteerings(tx, rows)
  await writeAuditEvents(tx, newest.audit)
}

/** Adds events that are not there yet, in the order given. */
export async function writeAuditEvents(tx: Tx, events: readonly AuditEvent[]): Promise<void> {
  for (let at = 0; at < events.length; at += STATEMENT_ROWS) {
    const rows = JSON.stringify(events.slice(at, at + STATEMENT_ROWS))
    await sql`
      insert into audit_events (audit_id, at, kind, actor, subject, detail)
      select "auditId", to_timestamp("atMs" / 1000), kind, actor, subject, detail
      from json_to_recordset(${rows}::json) as row (
        "auditId" text, "atMs" float8, kind text, actor text, subject text, detail jsonb
      )
      on conflict (audit_id) do nothing`.execute(tx)
  }
}

/** Adds or renews identities; what was bound at first contact is never touched. See `mergeIdentity`. */
export async function writeIdentities(
  tx: Tx,
  identities: readonly Identity[],
  pool: OverlayPool,
): Promise<void> {
  const rows = JSON.stringify(
    identities.map(({ profile, ...identity }) => ({
      ...identity,
      ...profile,
      publicKey: hex(identity.publicKey),
      overlayIndex: pool.indexOf(identity.overlay4),
    })),
  )
  await sql`
    insert into identities as stored (
      id, role, public_key, overlay_index, overlay4, overlay6, generation, agent, country, region, latitude,
      longitude, max_sessions, bandwidth_mbps, is_exit, tags, cost_weight, policy, can, created_at, revoked_at
    )
    select
      id, role, decode("publicKey", 'hex'), "overlayIndex", overlay4, overlay6, generation, agent, country,
      region, latitude, longitude, "maxSessions", "bandwidthMbps", exit, tags, "costWeight",
      coalesce(policy, 'auto'), coalesce(can, '{}'),
      to_timestamp("createdAtMs" / 1000), to_timestamp("revokedAtMs" / 1000)
    from json_to_recordset(${rows}::json) as row (
      id text, role text, "publicKey" text, "overlayIndex" integer, overlay4 inet, overlay6 inet,
      generation bigint, agent text, country text, region text, latitude float8, longitude float8,
      "maxSessions" bigint, "bandwidthMbps" float8, exit boolean, tags text[], "costWeight" float8,
      policy text, can text[], "createdAtMs" float8,
      "revokedAtMs" float8
    )
    on conflict (id) do update set
      generation = excluded.generation,
      agent = excluded.agent,
      country = excluded.country,
      region = excluded.region,
      latitude = excluded.latitude,
      longitude = excluded.longitude,
      max_sessions = excluded.max_sessions,
      bandwidth_mbps = excluded.bandwidth_mbps,
      is_exit = excluded.is_exit,
      tags = excluded.tags,
      cost_weight = excluded.cost_weight,
      policy = excluded.policy,
      can = excluded.can
    where stored.generation <= excluded.generation`.execute(tx)

  const revoked = identities.filter(identity => identity.revokedAtMs !== null)
  if (revoked.length === 0) return
  await sql`
    update identities set revoked_at = to_timestamp("revokedAtMs" / 1000)
    from json_to_recordset(${JSON.stringify(revoked)}::json) as row (id text, "revokedAtMs" float8)
    where identities.id = row.id and identities.revoked_at is null`.execute(tx)
}

async function writeSessions(tx: Tx, sessions: readonly StoredSession[]): Promise<void> {
  const rows = JSON.stringify(
    sessions.map(session => ({
      ...session,
      ticketHash: session.ticketHash && hex(session.ticketHash),
      closedAtMs: session.state === 'closed' ? session.changedAtMs : null,
    })),
  )
  await sql`
    insert into sessions as stored (
      session_id, identity_id, generation, ticket_hash, state, started_at, changed_at, closed_at
    )
    select
      "sessionId", "identityId", generation, decode("ticketHash", 'hex'), state,
      to_timestamp("startedAtMs" / 1000), to_timestamp("changedAtMs" / 1000), to_timestamp("closedAtMs" / 1000)
    from json_to_recordset(${rows}::json) as row (
      "sessionId" text, "identityId" text, generation bigint, "ticketHash" text, state text,
      "startedAtMs" float8, "changedAtMs" float8, "closedAtMs" float8
    )
    on conflict (session_id) do update set
      identity_id = excluded.identity_id,
      generation = excluded.generation,
      ticket_hash = excluded.ticket_hash,
      state = excluded.state,
      started_at = excluded.started_at,
      changed_at = excluded.changed_at,
      closed_at = excluded.closed_at
    where stored.generation <= excluded.generation`.execute(tx)
}

async function writeRoutes(tx: Tx, routes: readonly StoredRoute[]): Promise<void> {
  const rows = JSON.stringify(
    routes.map(route => ({
      ...route,
      // Whatever ended has a time to be cleared out by.
      endedAtMs: route.state === 'ended' ? (route.endedAtMs ?? route.assignedAtMs) : route.endedAtMs,
    })),
  )
  await sql`
    insert into routes (
      route_id, link, client_id, node_id, request, explanation, state, assigned_at, ended_at, cause
    )
    select
      "routeId", link, "clientId", "nodeId", request, explanation, state,
      to_timestamp("assignedAtMs" / 1000), to_timestamp("endedAtMs" / 1000), cause
    from json_to_recordset(${rows}::json) as row (
      "routeId" text, link bigint, "clientId" text, "nodeId" text, request jsonb, explanation jsonb,
      state text, "assignedAtMs" float8, "endedAtMs" float8, cause text
    )
    on conflict (route_id) do update set
      link = excluded.link,
      client_id = excluded.client_id,
      node_id = excluded.node_id,
      request = excluded.request,
      explanation = excluded.explanation,
      state = excluded.state,
      assigned_at = excluded.assigned_at,
      ended_at = excluded.ended_at,
      cause = excluded.cause`.execute(tx)
}

async function writePaths(tx: Tx, paths: readonly PathRecord[]): Promise<void> {
  await sql`
    insert into paths (
      path_id, link, route_id, client_id, node_id, policy, tier, via, since, reason, opened_at, closed_at,
      closed_because, client, node, attempts, history
    )
    select
      "pathId", link, "routeId", "clientId", "nodeId", policy, tier, via, to_timestamp("sinceMs" / 1000), reason,
      to_timestamp("openedAtMs" / 1000), to_timestamp("closedAtMs" / 1000), "closedBecause", client, node,
      attempts, history
    from json_to_recordset(${JSON.stringify(paths)}::json) as row (
      "pathId" text, link bigint, "routeId" text, "clientId" text, "nodeId" text, policy text, tier text,
      via text, "sinceMs" float8, reason text, "openedAtMs" float8, "closedAtMs" float8, "closedBecause" text,
      client jsonb, node jsonb, attempts jsonb, history jsonb
    )
    on conflict (path_id) do update set
      policy = excluded.policy,
      tier = excluded.tier,
      via = excluded.via,
      since = excluded.since,
      reason = excluded.reason,
      closed_at = excluded.closed_at,
      closed_because = excluded.closed_because,
      client = excluded.client,
      node = excluded.node,
      attempts = excluded.attempts,
      history = excluded.history`.execute(tx)
}

async function writeSteerings(tx: Tx, steerings: readonly StoredSteering[]): Promise<void> {
  await sql`
    insert into steerings (identity_id, steering, changed_at)
    select "identityId", steering, to_timestamp("changedAtMs" / 1000)
    from json_to_recordset(${JSON.stringify(steerings)}::json) as row (
      "identityId" text, steering jsonb, "changedAtMs" float8
    )
    on conflict (identity_id) do update set
      steering = excluded.steering,
      changed_at = excluded.changed_at`.execute(tx)
}

/** Yields rows in the order of their keys, as many as one statement takes. */
function* statements<T>(values: readonly T[], keyOf: (value: T) => string): Generator<readonly T[]> {
  const sorted = values.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  for (let at = 0; at < sorted.length; at += STATEMENT_ROWS) yield sorted.slice(at, at + STATEMENT_ROWS)
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
