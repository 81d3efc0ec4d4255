/**
 * Many rows in few statements. What every agent has comes as a parameter per column, what has parts of its own as one
 * JSON parameter. Rows go in the order of their keys, so that two coordinators never wait for each other in a ring.
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
import { column, literalOf } from '../kit/column.js'
import type { Database } from './database.js'
import { inOrder } from './in-order.js'
import type { Newest } from './newest.js'
import type { OverlayPool } from './overlay-pool.js'

/** Rows of one statement: larger ones are hardly faster, and keep the event loop while they are spelled. */
const STATEMENT_ROWS = 1_000

type Tx = Transaction<Database>

export async function writeNewest(tx: Tx, newest: Newest, pool: OverlayPool): Promise<void> {
  for await (const rows of statements(newest.identities, ({ id }) => id))
    await writeIdentities(tx, rows, pool)
  for await (const rows of statements(newest.sessions, ({ sessionId }) => sessionId))
    await writeSessions(tx, rows)
  for await (const rows of statements(newest.routes, ({ routeId }) => routeId)) await writeRoutes(tx, rows)
  for await (const rows of statements(newest.paths, ({ pathId }) => pathId)) await writePaths(tx, rows)
  for await (const rows of statements(newest.steerings, ({ identityId }) => identityId))
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
  const cells = (cellOf: Parameters<typeof column<Identity>>[1]) => column(identities, cellOf)
  await sql`
    insert into identities as stored (
      id, role, public_key, overlay_index, overlay4, overlay6, generation, agent, country, region, latitude,
      longitude, max_sessions, bandwidth_mbps, is_exit, tags, cost_weight, policy, can, created_at, revoked_at
    )
    select
      id, role, decode(public_key, 'hex'), overlay_index, overlay4, overlay6, generation, agent, country,
      region, latitude, longitude, max_sessions, bandwidth_mbps, is_exit, tags::text[], cost_weight,
      coalesce(policy, 'auto'), coalesce(can, '{}')::text[],
      to_timestamp(created_at / 1000), to_timestamp(revoked_at / 1000)
    from unnest(
      ${cells(one => one.id)}::text::text[],
      ${cells(one => one.role)}::text::text[],
      ${cells(one => hex(one.publicKey))}::text::text[],
      ${cells(one => pool.indexOf(one.overlay4))}::text::integer[],
      ${cells(one => one.overlay4)}::text::inet[],
      ${cells(one => one.overlay6)}::text::inet[],
      ${cells(one => one.generation)}::text::bigint[],
      ${cells(one => one.profile.agent)}::text::text[],
      ${cells(one => one.profile.country)}::text::text[],
      ${cells(one => one.profile.region)}::text::text[],
      ${cells(one => one.profile.latitude)}::text::float8[],
      ${cells(one => one.profile.longitude)}::text::float8[],
      ${cells(one => one.profile.maxSessions)}::text::bigint[],
      ${cells(one => one.profile.bandwidthMbps)}::text::float8[],
      ${cells(one => one.profile.exit)}::text::boolean[],
      ${cells(one => literalOf(one.profile.tags))}::text::text[],
      ${cells(one => one.profile.costWeight)}::text::float8[],
      ${cells(one => one.profile.policy)}::text::text[],
      ${cells(one => one.profile.can && literalOf(one.profile.can))}::text::text[],
      ${cells(one => one.createdAtMs)}::text::float8[],
      ${cells(one => one.revokedAtMs)}::text::float8[]
    ) as row (
      id, role, public_key, overlay_index, overlay4, overlay6, generation, agent, country, region, latitude,
      longitude, max_sessions, bandwidth_mbps, is_exit, tags, cost_weight, policy, can, created_at, revoked_at
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
  const cells = (cellOf: Parameters<typeof column<StoredSession>>[1]) => column(sessions, cellOf)
  await sql`
    insert into sessions as stored (
      session_id, identity_id, generation, ticket_hash, state, started_at, changed_at, closed_at
    )
    select
      session_id, identity_id, generation, decode(ticket_hash, 'hex'), state,
      to_timestamp(started_at / 1000), to_timestamp(changed_at / 1000), to_timestamp(closed_at / 1000)
    from unnest(
      ${cells(one => one.sessionId)}::text::text[],
      ${cells(one => one.identityId)}::text::text[],
      ${cells(one => one.generation)}::text::bigint[],
      ${cells(one => one.ticketHash && hex(one.ticketHash))}::text::text[],
      ${cells(one => one.state)}::text::text[],
      ${cells(one => one.startedAtMs)}::text::float8[],
      ${cells(one => one.changedAtMs)}::text::float8[],
      ${cells(one => (one.state === 'closed' ? one.changedAtMs : null))}::text::float8[]
    ) as row (session_id, identity_id, generation, ticket_hash, state, started_at, changed_at, closed_at)
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
      route_id, link, client_id, node_id, request, explanation, state, assigned_at, ended_at, cause, history
    )
    select
      "routeId", link, "clientId", "nodeId", request, explanation, state,
      to_timestamp("assignedAtMs" / 1000), to_timestamp("endedAtMs" / 1000), cause, history
    from json_to_recordset(${rows}::json) as row (
      "routeId" text, link bigint, "clientId" text, "nodeId" text, request jsonb, explanation jsonb,
      state text, "assignedAtMs" float8, "endedAtMs" float8, cause text, history jsonb
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
      cause = excluded.cause,
      history = excluded.history`.execute(tx)
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

const statements = <T>(values: readonly T[], keyOf: (value: T) => string) =>
  inOrder(values, keyOf, STATEMENT_ROWS)

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
