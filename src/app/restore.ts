/**
 * What a start finds of the process before: identities and what is laid down for them, sessions that wait to be
 * resumed, routes between them and how these were carried. The store's snapshot comes first, then what only the journal had. No session is online until its
 * agent has come back, and a route without both its sessions is ended.
 */
import type { Identities } from '../actors/admission/identities.js'
import type { Fleet } from '../actors/coordinator/fleet.js'
import type { Routing } from '../actors/coordinator/routing.js'
import type { PathLedger } from '../actors/path/ledger.js'
import type {
  Change,
  Identity,
  PathRecord,
  Restored,
  StoredRoute,
  StoredSession,
  StoredSteering,
} from '../actors/ports.js'
import { ticketKey } from '../actors/session/session.effects.js'
import type { Sessions } from '../actors/session/sessions.js'
import type { Snapshots } from '../actors/snapshot/snapshots.js'
import type { Steerings } from '../actors/steering/steerings.js'

export interface RestoreOptions {
  readonly found: Restored
  readonly replayed: readonly Change[]
  readonly identities: Identities
  readonly steerings: Steerings
  readonly sessions: Sessions
  readonly routing: Routing
  readonly fleet: Fleet
  readonly snapshots: Snapshots
  readonly ledger: PathLedger
  readonly wallMs: number
}

const NOT_RESTORED = 'not restored: a session or the link is gone'

/** Returns how many sessions wait to be resumed. */
export function restore(options: RestoreOptions): number {
  const { identities, sessions, routing, fleet, snapshots, ledger, wallMs } = options
  const { known, waiting, routes, paths, steerings } = merged(options.found, options.replayed)
  // What only the journal had goes to the store with the next snapshot.
  for (const change of options.replayed) snapshots.touch(change)
  for (const identity of known.values()) identities.set(identity)
  options.steerings.restore(steerings.values())

  let count = 0
  for (const stored of newestPerIdentity(waiting.values())) {
    const identity = known.get(stored.identityId)
    if (identity === undefined || identity.revokedAtMs !== null || stored.ticketHash === null) continue
    const generation = Math.max(identity.generation, stored.generation)
    const cell = sessions.begin({
      sessionId: stored.sessionId,
      role: identity.role,
      identity: { ...identity, generation },
      startedAtMs: stored.startedAtMs,
      incoming: null,
    })
    identities.set(cell.identity)
    sessions.setTicket(cell, ticketKey(stored.ticketHash))
    // The coordinator is not started yet, so the fleet learns of the node here.
    if (cell.role === 'node') fleet.set(cell, false)
    sessions.deliver(cell, { type: 'restored' })
    count++
  }
  ledger.restore(paths.values())
  for (const route of routes.values()) {
    const client = sessions.byIdentity(route.clientId)
    const node = sessions.byIdentity(route.nodeId)
    if (client !== undefined && node !== undefined && routing.restore(route, client, node)) continue
    snapshots.touch({
      kind: 'route',
      key: route.routeId,
      value: {
        ...route,
        state: 'ended',
        endedAtMs: wallMs,
        cause: NOT_RESTORED,
      },
    })
  }
  ledger.closeRestored(NOT_RESTORED)
  return count
}

function merged(found: Restored, replayed: readonly Change[]) {
  const known = new Map<string, Identity>(found.identities.map(identity => [identity.id, identity]))
  const waiting = new Map<string, StoredSession>(found.sessions.map(session => [session.sessionId, session]))
  const routes = new Map<string, StoredRoute>(found.routes.map(route => [route.routeId, route]))
  const paths = new Map<string, PathRecord>(found.paths.map(path => [path.pathId, path]))
  const steerings = new Map<string, StoredSteering>(found.steerings.map(each => [each.identityId, each]))
  for (const change of replayed) {
    if (change.kind === 'identity') known.set(change.key, change.value)
    else if (change.kind === 'session') {
      if (change.value.state === 'closed') waiting.delete(change.key)
      else waiting.set(change.key, change.value)
    } else if (change.kind === 'route') {
      if (change.value.state === 'ended') routes.delete(change.key)
      else routes.set(change.key, change.value)
    } else if (change.kind === 'path') {
      if (change.value.closedAtMs !== null) paths.delete(change.key)
      else paths.set(change.key, change.value)
    } else if (change.kind === 'steering') steerings.set(change.key, change.value)
  }
  return { known, waiting, routes, paths, steerings }
}

/** An identity has one session; should a crash have left two, the newer generation is the one. */
function newestPerIdentity(sessions: Iterable<StoredSession>): Iterable<StoredSession> {
  const newest = new Map<string, StoredSession>()
  for (const session of sessions) {
    const other = newest.get(session.identityId)
    if (other === undefined || other.generation < session.generation) newest.set(session.identityId, session)
  }
  return newest.values()
}
