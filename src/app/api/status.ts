/** `/api/v1/status`: the figures that `boson status` prints. */
import type { HistogramView, MeshApi, PathCount, PathTier, TurnView } from '../../actors/ports.js'
import { json } from '../../http/reply.js'
import type { Route } from '../../http/router.js'
import type { ApiParts } from './routes.js'

export interface Status {
  readonly version: string
  readonly serverId: string
  readonly state: string
  readonly uptimeS: number
  readonly store: {
    readonly kind: string
    readonly status: string
    readonly latencyMs: number | null
    readonly snapshot: string
    readonly dirty: number
  }
  readonly nodes: { readonly online: number; readonly total: number }
  readonly clients: { readonly online: number; readonly total: number }
  readonly connections: { readonly open: number; readonly greeting: number }
  readonly routes: {
    readonly active: number
    readonly assigned: number
    readonly refused: number
    readonly switched: number
  }
  /** Live paths by tier. */
  readonly paths: Readonly<Partial<Record<PathTier, number>>>
  readonly relay: {
    readonly links: number
    readonly packets: number
    readonly bytes: number
    /** Over the last few seconds. */
    readonly mbps: number
    readonly dropped: number
    readonly queueP99Ms: number | null
  }
  /** STUN and TURN; null when they are off. */
  readonly turn: Pick<TurnView, 'mode' | 'state' | 'allocations'> | null
  readonly loopP99Ms: number
  readonly faults: number
}

export function statusRoute(
  parts: Pick<ApiParts, 'mesh' | 'storeKind' | 'health' | 'loop' | 'turn' | 'relayBytes' | 'version'>,
): Route {
  const { mesh, storeKind, health, loop, turn, relayBytes, version } = parts
  return {
    method: 'GET',
    path: '/api/v1/status',
    access: 'operator',
    handle: async () => {
      const { uptime, services } = await health.health()
      const { sessions, connections, routes, paths, relay, snapshot, faults } = mesh.stats()
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
        nodes: counted(sessions.node),
        clients: counted(sessions.client),
        connections,
        routes,
        paths: byTier(paths.live),
        relay: {
          links: relay.links,
          packets: relay.packets,
          bytes: relay.bytes,
          mbps: Math.round(relayBytes.perSecond * 8e-4) / 100,
          dropped: Object.values(relay.drops).reduce((sum, count) => sum + count, 0),
          queueP99Ms: quantile(relay.queueMs, 0.99),
        },
        turn: turn && turnStatus(turn()),
        loopP99Ms: Math.round(loop.peek().p99Ms * 10) / 10,
        faults,
      } satisfies Status)
    },
  }
}

type Counts = ReturnType<MeshApi['stats']>['sessions']['node']

const turnStatus = ({ mode, state, allocations }: TurnView) => ({ mode, state, allocations })

const counted = ({ registering, online, lapsed, suspended }: Counts) => ({
  online,
  total: registering + online + lapsed + suspended,
})

function byTier(live: readonly PathCount[]): Status['paths'] {
  const counts: Partial<Record<PathTier, number>> = {}
  for (const { tier, count } of live) counts[tier] = (counts[tier] ?? 0) + count
  return counts
}

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
