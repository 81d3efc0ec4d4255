/** `/api/v1/status`: the figures that `boson status` prints. */
import { z } from 'zod'
import type { HistogramView, MeshApi, PathCount } from '../../actors/ports.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { json } from '../../http/reply.js'
import type { Timing as TimingView } from '../timing.js'
import type { ApiParts } from './routes.js'
import { tier } from './shapes/path.js'

const counted = z.object({ online: z.int(), total: z.int() })
/** Since the start. */
const total = z.int().meta({ description: 'Since the start.' })

const ms = (description: string) => z.number().meta({ description: `${description}, ms.` })

const Timing = z
  .object({
    beatEveryMs: ms('How often an agent sends a heartbeat'),
    lapseAfterMs: ms('A node that is silent for this long gets no new routes'),
    silenceMs: ms('A socket that is silent for this long is closed, by either side'),
    failoverAfterMs: ms('The clients of a node without a socket move to others after this'),
    resumeWindowMs: ms('A session without a socket for this long ends, and its node is offline'),
    tokenLifeMs: ms('How long the token of an agent that speaks HTTP is good'),
  })
  .meta({
    id: 'Timing',
    description: 'The times that hold for agents with a WebSocket; /api/v1/timing has those of the others.',
  }) satisfies z.ZodType<TimingView>

const Status = z
  .object({
    version: z.string(),
    serverId: z.string(),
    state: z.string().meta({ description: '`booting`, `serving`, `draining` or `stopped`.' }),
    uptimeS: z.number(),
    store: z.object({
      kind: z.string(),
      status: z.string(),
      latencyMs: z.number().nullable(),
      snapshot: z.string().meta({ description: 'State of the actor that writes what changed.' }),
      dirty: z.int().meta({ description: 'What changed and is not written yet; the journal has it.' }),
    }),
    nodes: counted,
    clients: counted,
    connections: z.object({ open: z.int(), greeting: z.int() }),
    routes: z.object({ active: z.int(), assigned: total, refused: total, switched: total }),
    paths: z.partialRecord(tier, z.int()).meta({ description: 'Live paths by tier.' }),
    reasons: z
      .array(z.object({ tier, reason: z.string(), count: z.int() }))
      .meta({ description: 'Why live paths are not direct, the commonest first.' }),
    relay: z.object({
      links: z.int(),
      packets: total,
      bytes: total,
      mbps: z.number().meta({ description: 'Over the last few seconds.' }),
      dropped: total,
      queueP99Ms: z.number().nullable(),
    }),
    turn: z
      .object({ mode: z.string(), state: z.string(), allocations: z.int().nullable() })
      .nullable()
      .meta({ description: 'STUN and TURN; null when they are off.' }),
    loopP99Ms: z.number().meta({ description: 'Delay of the event loop, ms.' }),
    faults: z.int().meta({ description: 'Sessions that were closed because our own code threw.' }),
    timing: Timing,
  })
  .meta({ id: 'Status' })
export type Status = z.output<typeof Status>

export function statusRoute(
  parts: Pick<
    ApiParts,
    'mesh' | 'storeKind' | 'health' | 'loop' | 'turn' | 'relayBytes' | 'version' | 'timing'
  >,
): Endpoint {
  const { mesh, storeKind, health, loop, turn, relayBytes, version, timing } = parts
  return endpoint({
    method: 'GET',
    path: '/api/v1/status',
    access: 'viewer',
    tag: 'status',
    summary: 'Tells what the coordinator does now',
    replies: { 200: { description: 'Its figures.', schema: Status } },
    handle: async () => {
      const { uptime, services } = await health.health()
      const { sessions, connections, routes, paths, relay, snapshot, faults } = mesh.stats()
      const { active, assigned, refused, switched } = routes
      return json({
        version,
        serverId: mesh.serverId,
        state: mesh.state(),
        uptimeS: uptime,
        store: {
          kind: storeKind,
          status: services.database.status,
          latencyMs: services.database.latency,
          snapshot: snapshot.state,
          dirty: snapshot.dirty,
        },
        nodes: countOf(sessions.node),
        clients: countOf(sessions.client),
        connections,
        routes: { active, assigned, refused, switched },
        paths: byTier(paths.live),
        reasons: reasonsOf(paths.live),
        relay: {
          links: relay.links,
          packets: relay.packets,
          bytes: relay.bytes,
          mbps: Math.round(relayBytes.perSecond * 8e-4) / 100,
          dropped: Object.values(relay.drops).reduce((sum, count) => sum + count, 0),
          queueP99Ms: quantile(relay.queueMs, 0.99),
        },
        turn: turn && turnOf(turn()),
        loopP99Ms: Math.round(loop.peek().p99Ms * 10) / 10,
        faults,
        timing,
      } satisfies Status)
    },
  })
}

type Counts = ReturnType<MeshApi['stats']>['sessions']['node']

const turnOf = ({ mode, state, allocations }: NonNullable<Status['turn']>) => ({ mode, state, allocations })

const countOf = ({ registering, online, lapsed, suspended }: Counts) => ({
  online,
  total: registering + online + lapsed + suspended,
})

function byTier(live: readonly PathCount[]): Status['paths'] {
  const counts: Status['paths'] = {}
  for (const { tier, count } of live) counts[tier] = (counts[tier] ?? 0) + count
  return counts
}

const reasonsOf = (live: readonly PathCount[]): Status['reasons'] =>
  live
    .flatMap(({ tier, reason, count }) => (reason === null ? [] : [{ tier, reason, count }]))
    .sort((a, b) => b.count - a.count)

/** Returns the bound below which this share of the values lies; null when there are none. */
function quantile(view: HistogramView, share: number): number | null {
  if (view.count === 0) return null
  let upTo = 0
  for (const [i, bound] of view.bounds.entries()) {
    upTo += view.counts[i] ?? 0
    if (upTo >= view.count * share) return bound
  }
  return view.bounds.at(-1) ?? null
}
