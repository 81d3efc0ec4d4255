/** What operators, pages and metrics may see of the mesh, read from its parts when asked. */
import type { ActorRefFrom } from 'xstate'
import type { Admissions } from '../actors/admission/admission.js'
import type { Pacing } from '../actors/admission/pacing.js'
import type { coordinatorMachine } from '../actors/coordinator/coordinator.machine.js'
import type { Fleet } from '../actors/coordinator/fleet.js'
import type { Routing } from '../actors/coordinator/routing.js'
import type { Vitals } from '../actors/coordinator/vitals.js'
import type { Drains } from '../actors/drain/drains.js'
import type { NatProbes } from '../actors/nat-probe/nat-probes.js'
import { type PathCell, reasonOf, tierOf, viaOf } from '../actors/path/path-cell.js'
import type { Paths } from '../actors/path/paths.js'
import type { ClientView, MeshApi, MeshStats, NodeView, PathCount, Role, RouteView } from '../actors/ports.js'
import type { serverMachine } from '../actors/server/server.machine.js'
import type { Cell } from '../actors/session/cell.js'
import type { Sessions } from '../actors/session/sessions.js'
import type { Snapshots } from '../actors/snapshot/snapshots.js'
import type { SocketIntake } from '../edge/intake.js'
import type { Clock } from '../kit/clock.js'
import type { HeartbeatLedger } from '../lanes/heartbeat-ledger.js'
import type { RelayLane } from '../lanes/relay-lane.js'
import type { RelayTable } from '../lanes/relay-table.js'
import { pathCounts, type PathParts, pathViews } from './path-view.js'

export interface MeshParts extends PathParts {
  readonly serverId: string
  readonly clock: Clock
  readonly server: ActorRefFrom<typeof serverMachine>
  readonly coordinator: ActorRefFrom<typeof coordinatorMachine>
  readonly sessions: Sessions
  readonly paths: Paths
  readonly natProbes: NatProbes
  readonly routing: Routing
  readonly drains: Drains
  readonly fleet: Fleet
  readonly vitals: Vitals
  readonly lane: RelayLane
  readonly table: RelayTable
  readonly ledger: HeartbeatLedger
  readonly snapshots: Snapshots
  readonly intake: SocketIntake
  readonly counters: {
    readonly registered: number
    readonly resumed: number
    readonly replaced: number
    readonly faults: number
  }
  readonly denied: Readonly<Record<string, number>>
  readonly admitted: Readonly<Admissions>
  readonly pacing: Pacing
}

type Seen = Pick<
  MeshApi,
  | 'serverId'
  | 'state'
  | 'stats'
  | 'nodes'
  | 'node'
  | 'eachNode'
  | 'busiest'
  | 'roundTrips'
  | 'clients'
  | 'client'
  | 'routes'
  | 'drains'
  | 'paths'
  | 'path'
  | 'why'
>

export function meshView(parts: MeshParts): Seen {
  const { sessions, ledger, routing, clock } = parts

  const stateOf = (cell: Cell): string => sessions.stateOf(cell)
  const silentMs = (cell: Cell): number | null =>
    cell.line === null ? null : clock.now() - ledger.heardMs(cell.slot)
  const cellsOf = (role: Role) => [...sessions.cells()].filter(cell => cell.role === role && isEnrolled(cell))
  // Field by field: to spread what both have in common would cost more than all the rest of a view.
  const nodeView = (cell: Cell): NodeView => {
    const { identity, sessionId, slot } = cell
    const place = parts.fleet.of(cell)
    return {
      id: identity.id,
      sessionId,
      state: stateOf(cell),
      generation: identity.generation,
      overlay4: identity.overlay4,
      overlay6: identity.overlay6,
      silentMs: silentMs(cell),
      rttMs: ledger.rttMs(slot),
      nat: parts.natProbes.natOf(identity.id),
      profile: identity.profile,
      links: cell.links?.size ?? 0,
      reserved: place?.reserved ?? 0,
      places: place?.maxSessions ?? null,
      ailment: parts.vitals.ailmentOf(identity.id),
      lossPct: parts.vitals.lossPctOf(identity.id),
      flaps: parts.vitals.flapsOf(identity.id),
      gauges: ledger.gauges(slot),
    }
  }
  const clientView = (cell: Cell): ClientView => {
    const { identity, sessionId, slot } = cell
    const route = routing.book.ofClient(cell)
    return {
      id: identity.id,
      sessionId,
      state: stateOf(cell),
      generation: identity.generation,
      overlay4: identity.overlay4,
      overlay6: identity.overlay6,
      silentMs: silentMs(cell),
      rttMs: ledger.rttMs(slot),
      nat: parts.natProbes.natOf(identity.id),
      nodeId: route?.node.identity.id ?? null,
      link: route?.link ?? null,
    }
  }
  const one = (role: Role, id: string): Cell | null => {
    const cell = sessions.byIdentity(id)
    return cell?.role === role && isEnrolled(cell) ? cell : null
  }

  return {
    serverId: parts.serverId,
    state: () => {
      const { value } = parts.server.getSnapshot()
      return typeof value === 'string' ? value : 'booting'
    },
    stats: () => stats(parts),
    nodes: () => cellsOf('node').map(nodeView),
    node(id) {
      const cell = one('node', id)
      return cell === null ? null : nodeView(cell)
    },
    *eachNode() {
      for (const cell of sessions.cells()) if (cell.role === 'node' && isEnrolled(cell)) yield nodeView(cell)
    },
    busiest: limit => busiest(sessions.cells(), limit).map(nodeView),
    *roundTrips(heardWithinMs) {
      const sinceMs = clock.now() - heardWithinMs
      for (const { role, line, slot } of sessions.cells()) {
        if (role !== 'node' || line === null || ledger.heardMs(slot) <= sinceMs) continue
        const rttMs = ledger.rttMs(slot)
        if (rttMs !== null) yield rttMs
      }
    },
    clients: () => cellsOf('client').map(clientView),
    client(id) {
      const cell = one('client', id)
      return cell === null ? null : clientView(cell)
    },
    routes: () =>
      [...routing.book].map(({ routeId, link, client, node, explanation }) => {
        const path = parts.paths.at(link)
        return {
          routeId,
          link,
          clientId: client.identity.id,
          nodeId: node.identity.id,
          ...carriage(path),
          sinceMs: path?.sinceMs ?? 0,
          explanation,
        }
      }),
    drains: () => parts.drains.views(),
    ...pathViews(parts, stateOf),
  }
}

/** At first contact there is a session while the store is asked; who it is of is not settled before it has addresses. */
const isEnrolled = ({ identity }: Cell): boolean => identity.overlay4 !== ''

/** How packets travel on a path, and why not directly. */
function carriage(path: PathCell | undefined): Pick<RouteView, 'tier' | 'via' | 'reason'> {
  if (path === undefined) return { tier: 'closed', via: null, reason: null }
  const tier = tierOf(path)
  return { tier, via: viaOf(path, tier), reason: reasonOf(path, tier) }
}

/** Returns the nodes with the most links, the busiest first; only those few are ever sorted. */
function busiest(cells: Iterable<Cell>, limit: number): Cell[] {
  const few: Cell[] = []
  for (const cell of cells) {
    const last = few[limit - 1]
    if (cell.role !== 'node' || (last !== undefined && !isBusier(cell, last))) continue
    const at = few.findIndex(one => isBusier(cell, one))
    few.splice(at < 0 ? few.length : at, 0, cell)
    if (few.length > limit) few.pop()
  }
  return few
}

function isBusier(a: Cell, b: Cell): boolean {
  const more = (a.links?.size ?? 0) - (b.links?.size ?? 0)
  return more > 0 || (more === 0 && a.identity.id < b.identity.id)
}

function stats(parts: MeshParts): MeshStats {
  const { sessions, routing, lane, snapshots, counters } = parts
  let live: readonly PathCount[] | undefined
  return {
    sessions: { node: sessions.census('node'), client: sessions.census('client') },
    connections: parts.intake.counts(),
    routes: {
      active: routing.book.size,
      assigned: routing.assigned,
      refused: routing.refused,
      switched: routing.switches.figures.total,
      switchMs: routing.switches.figures.tookMs,
      suppressed: { ...routing.switches.figures.suppressed },
      handingOver: routing.switches.handovers.size,
      handovers: { ...routing.switches.handovers.ended },
      waiting: routing.switches.waiting,
      degradedNodes: parts.vitals.degraded(),
    },
    relay: {
      links: parts.table.size,
      packets: lane.packets,
      bytes: lane.bytes,
      drops: { ...lane.drops },
      queueMs: lane.queueMs,
    },
    nats: parts.natProbes.stats(),
    paths: {
      // It walks all paths: only who reads it waits for that.
      get live() {
        return (live ??= pathCounts(parts.pathLedger.all()))
      },
      attempts: structuredClone(parts.pathLedger.totals.attempts),
      bytes: { ...parts.pathLedger.totals.bytes },
    },
    heartbeats: parts.ledger.beats,
    denied: { ...parts.denied },
    admissions: { admitted: { ...parts.admitted }, waiting: parts.pacing.waiting() },
    faults: counters.faults,
    resumed: counters.resumed,
    registered: counters.registered,
    replaced: counters.replaced,
    snapshot: {
      state: snapshots.state,
      dirty: snapshots.dirty,
      written: snapshots.written,
      failures: snapshots.failures,
      lost: snapshots.lost,
      lastWriteMs: snapshots.lastWriteMs,
    },
  }
}
