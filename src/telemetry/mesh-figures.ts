/**
 * What the metrics page says of the mesh. `bosonserver_…` are names that dashboards of the first
 * BosonServer know; `boson_…` are ours, in base units. Labels are bounded: reasons, roles and states come
 * from closed sets, and only the busiest nodes are named.
 */
import type { DrainView, MeshApi, MeshStats, NodeView } from '../actors/ports.js'
import type { Figure, Sample } from './figure.js'
import type { LoopDelayView } from './loop-delay.js'

/** One look at the mesh; every figure of a page is read from the same one. */
export interface Look {
  readonly stats: MeshStats
  readonly state: string
  /** At most NODES_NAMED, the busiest first. */
  readonly busiest: readonly NodeView[]
  readonly drains: readonly DrainView[]
  readonly loop: LoopDelayView
  readonly startedAtMs: number
}

/** Nodes with figures of their own. Each is a series per figure, in every database that scrapes us. */
export const NODES_NAMED = 50

/** Looks at the mesh. What it costs hardly grows with the sessions: they are counted as they come and go. */
export function look(mesh: MeshApi, loop: LoopDelayView, startedAtMs: number): Look {
  const [stats, state, drains] = [mesh.stats(), mesh.state(), mesh.drains()]
  return { stats, state, busiest: mesh.busiest(NODES_NAMED), drains, loop, startedAtMs }
}

const DRAIN_STATES = ['moving', 'waiting', 'empty', 'expired'] as const
const STATES = ['booting', 'serving', 'draining', 'stopped'] as const

export const MESH_FIGURES: readonly Figure<Look>[] = [
  // names of the first BosonServer
  {
    name: 'bosonserver_active_nodes',
    help: 'Nodes by state of their session.',
    type: 'gauge',
    read: ({ stats }) => counted(stats.sessions.node, 'status'),
  },
  {
    name: 'bosonserver_active_connections',
    help: 'WebSockets that are open, registered or not.',
    type: 'gauge',
    read: ({ stats }) => stats.connections.open,
  },
  {
    name: 'bosonserver_relay_bandwidth_bytes',
    help: 'Bytes forwarded by the relay since the start; each came in and went out once.',
    type: 'gauge',
    read: ({ stats }) =>
      ['in', 'out'].map(direction => ({ labels: { direction }, value: stats.relay.bytes })),
  },
  {
    name: 'bosonserver_node_cpu_usage_percent',
    help: 'CPU of the busiest nodes, as they report it.',
    type: 'gauge',
    read: ({ busiest }) => ofNodes(busiest, ({ gauges }) => gauges.cpuTotalPct ?? null),
  },
  {
    name: 'bosonserver_node_memory_usage_percent',
    help: 'Memory in use on the busiest nodes, as they report it.',
    type: 'gauge',
    read: ({ busiest }) => ofNodes(busiest, memoryPercent),
  },

  // ours
  {
    name: 'boson_server_state',
    help: '1 for the state the coordinator is in.',
    type: 'gauge',
    read: ({ state }) => STATES.map(name => ({ labels: { state: name }, value: name === state ? 1 : 0 })),
  },
  {
    name: 'boson_start_time_seconds',
    help: 'When the coordinator started, seconds since 1970 UTC.',
    type: 'gauge',
    read: ({ startedAtMs }) => startedAtMs / 1000,
  },
  {
    name: 'boson_sessions',
    help: 'Sessions by role and state.',
    type: 'gauge',
    read: ({ stats }) =>
      (['node', 'client'] as const).flatMap(role =>
        counted(stats.sessions[role], 'state').map(({ labels, value }) => ({
          labels: { role, ...labels },
          value,
        })),
      ),
  },
  {
    name: 'boson_connections_greeting',
    help: 'WebSockets that have not registered yet.',
    type: 'gauge',
    read: ({ stats }) => stats.connections.greeting,
  },
  {
    name: 'boson_sessions_opened_total',
    help: 'Sessions that began, came back, or took over from an older socket of the same identity.',
    type: 'counter',
    read: ({ stats: { registered, resumed, replaced } }) => counted({ registered, resumed, replaced }, 'how'),
  },
  {
    name: 'boson_admissions_total',
    help: 'Agents let in, by what they came with: a ticket, their key, or an enrolment key.',
    type: 'counter',
    read: ({ stats }) => counted(stats.admissions.admitted, 'kind'),
  },
  {
    name: 'boson_admissions_waiting',
    help: 'Agents that were told when to come back and have not come yet, by the line they stand in.',
    type: 'gauge',
    read: ({ stats }) => counted(stats.admissions.waiting, 'line'),
  },
  {
    name: 'boson_denied_total',
    help: 'Refusals and closed sockets by reason.',
    type: 'counter',
    read: ({ stats }) => counted(stats.denied, 'reason'),
  },
  {
    name: 'boson_faults_total',
    help: 'Sessions closed because our own code failed.',
    type: 'counter',
    read: ({ stats }) => stats.faults,
  },
  {
    name: 'boson_drains',
    help: 'Nodes that are drained: their clients move, wait for a node that qualifies, are gone, or were cut off.',
    type: 'gauge',
    read: ({ drains }) =>
      DRAIN_STATES.map(state => ({
        labels: { state },
        value: drains.filter(drain => drain.state === state).length,
      })),
  },
  {
    name: 'boson_nats',
    help: 'Sessions by what the NAT in front of them does (RFC 4787), of those whose agent can find out.',
    type: 'gauge',
    read: ({ stats }) =>
      stats.nats.map(({ udp, mapping, filtering, count }) => ({
        labels: { udp, mapping, filtering },
        value: count,
      })),
  },
  {
    name: 'boson_heartbeats_total',
    help: 'Heartbeats taken.',
    type: 'counter',
    read: ({ stats }) => stats.heartbeats,
  },
  {
    name: 'boson_routes',
    help: 'Routes that stand.',
    type: 'gauge',
    read: ({ stats }) => stats.routes.active,
  },
  {
    name: 'boson_route_decisions_total',
    help: 'Routes assigned, refused, and moved to another node.',
    type: 'counter',
    read: ({ stats: { routes } }) =>
      counted({ assigned: routes.assigned, refused: routes.refused, switched: routes.switched }, 'outcome'),
  },
  {
    name: 'boson_route_switch_seconds',
    help: 'From the reason why a route moves to its switch, by the reason: for `node_lost` from the loss of the socket.',
    type: 'histogram',
    scale: 0.001,
    read: ({ stats }) =>
      Object.entries(stats.routes.switchMs).map(([cause, view]) => ({ labels: { cause }, view })),
  },
  {
    name: 'boson_route_switches_suppressed_total',
    help: 'Routes that had a reason to move and stayed, by why.',
    type: 'counter',
    read: ({ stats }) => counted(stats.routes.suppressed, 'reason'),
  },
  {
    name: 'boson_route_handovers',
    help: 'Routes that have moved and whose old link is kept until the new one carries.',
    type: 'gauge',
    read: ({ stats }) => stats.routes.handingOver,
  },
  {
    name: 'boson_route_handovers_total',
    help: 'How handovers ended: the new path carried, it never did, the route went back, or it ended meanwhile.',
    type: 'counter',
    read: ({ stats }) => counted(stats.routes.handovers, 'outcome'),
  },
  {
    name: 'boson_nodes_degraded',
    help: 'Nodes that carry badly, by why: what their clients lose, their round trip, their uplink.',
    type: 'gauge',
    read: ({ stats }) => counted(stats.routes.degradedNodes, 'ailment'),
  },
  {
    name: 'boson_routes_waiting',
    help: 'Routes that have to move and for which no other node qualifies.',
    type: 'gauge',
    read: ({ stats }) => stats.routes.waiting,
  },
  {
    name: 'boson_relay_links',
    help: 'Links in the relay.',
    type: 'gauge',
    read: ({ stats }) => stats.relay.links,
  },
  {
    name: 'boson_relay_packets_total',
    help: 'Packets forwarded.',
    type: 'counter',
    read: ({ stats }) => stats.relay.packets,
  },
  {
    name: 'boson_relay_bytes_total',
    help: 'Bytes forwarded.',
    type: 'counter',
    read: ({ stats }) => stats.relay.bytes,
  },
  {
    name: 'boson_relay_dropped_packets_total',
    help: 'Packets that were not delivered, by reason.',
    type: 'counter',
    read: ({ stats }) => counted(stats.relay.drops, 'reason'),
  },
  {
    name: 'boson_relay_queue_seconds',
    help: 'How long packets waited inside the relay.',
    type: 'histogram',
    scale: 0.001,
    read: ({ stats }) => stats.relay.queueMs,
  },
  {
    name: 'boson_paths',
    help: 'Live paths by tier, and by why they are not direct.',
    type: 'gauge',
    read: ({ stats }) =>
      stats.paths.live.map(({ tier, reason, count }) => ({
        labels: { tier, reason: reason ?? 'none' },
        value: count,
      })),
  },
  {
    name: 'boson_path_attempts_total',
    help: 'Attempts to leave the relay, by the outcome for the end it went worse for. lost: what was won is gone.',
    type: 'counter',
    read: ({ stats }) =>
      Object.entries(stats.paths.attempts).flatMap(([via, outcomes]) =>
        counted(outcomes, 'outcome').map(({ labels, value }) => ({ labels: { via, ...labels }, value })),
      ),
  },
  {
    name: 'boson_path_bytes_total',
    help: 'Payload that paths carried, both ways, as agents report it, by tier.',
    type: 'counter',
    read: ({ stats }) => counted(stats.paths.bytes, 'tier'),
  },
  {
    name: 'boson_snapshot_dirty_rows',
    help: 'Changes that the database has not taken yet; the journal has them.',
    type: 'gauge',
    read: ({ stats }) => stats.snapshot.dirty,
  },
  {
    name: 'boson_snapshot_rows_total',
    help: 'Changes written to the database.',
    type: 'counter',
    read: ({ stats }) => stats.snapshot.written,
  },
  {
    name: 'boson_snapshot_failures_total',
    help: 'Writes that the database did not take.',
    type: 'counter',
    read: ({ stats }) => stats.snapshot.failures,
  },
  {
    name: 'boson_snapshot_lost_total',
    help: 'Ended sessions, routes and paths, and audit events, that could not wait for an absent database.',
    type: 'counter',
    read: ({ stats }) => stats.snapshot.lost,
  },
  {
    name: 'boson_node_links',
    help: 'Links of the busiest nodes.',
    type: 'gauge',
    read: ({ busiest }) => ofNodes(busiest, ({ links }) => links),
  },
  {
    name: 'boson_node_rtt_seconds',
    help: 'Round trip to the busiest nodes, measured by the coordinator.',
    type: 'gauge',
    read: ({ busiest }) => ofNodes(busiest, ({ rttMs }) => (rttMs === null ? null : rttMs / 1000)),
  },
  {
    name: 'boson_event_loop_delay_seconds',
    help: 'How late the event loop ran since the last look.',
    type: 'gauge',
    read: ({ loop }) => [
      { labels: { quantile: '0.5' }, value: loop.p50Ms / 1000 },
      { labels: { quantile: '0.99' }, value: loop.p99Ms / 1000 },
      { labels: { quantile: '1' }, value: loop.maxMs / 1000 },
    ],
  },
]

const counted = (counts: Readonly<Record<string, number>>, label: string): Sample[] =>
  Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }))

/** What a node does not know has no sample: a zero would be a lie. */
const ofNodes = (nodes: readonly NodeView[], read: (node: NodeView) => number | null): Sample[] =>
  nodes.flatMap(node => {
    const value = read(node)
    return value === null ? [] : [{ labels: { node_id: node.id }, value }]
  })

function memoryPercent({ gauges }: NodeView): number | null {
  const { memTotalMb = null, memFreeMb = null, memUsedPct = null } = gauges
  if (memUsedPct !== null) return memUsedPct
  if (memTotalMb === null || memFreeMb === null || memTotalMb <= 0) return null
  return Math.max(0, 100 * (1 - memFreeMb / memTotalMb))
}
