/** A route as its client is told of it, by the names of the first BosonServer. What is not known is null. */
import { z } from 'zod'
import type { NodeView, RouteStory } from '../../actors/ports.js'
import { MESH_PATH } from '../../protocol/timing.js'
import type { Agents, Whereabout } from '../agents/agents.js'
import { isDirect, wireguardEndpointOf } from './reach.js'

/** Steps between one alternative and the next. */
const PRIORITY = { first: 100, step: 10 }

export const RouteRow = z.object({
  id: z.string().meta({ description: 'Of the route; an alternative has no page.' }),
  type: z.enum(['direct', 'relay', 'cascade']).meta({
    description:
      '`direct`: the client’s WireGuard may reach the node’s. `relay` always works. `cascade` is not given.',
  }),
  path: z.array(z.string()).meta({ description: 'Nodes on the way.' }),
  estimatedLatency: z.number().nullable().meta({ description: 'Round trip as measured, ms.' }),
  estimatedBandwidth: z.number().nullable().meta({ description: 'What the node has left, Mbit/s.' }),
  cost: z.number().nullable().meta({ description: 'Lower is better.' }),
  priority: z.int().meta({ description: 'The best has the largest.' }),
  nodeRttMs: z.number().nullable().meta({ description: 'From the coordinator to the node and back, ms.' }),
})

export const SelectedRoute = z.object({
  id: z.string(),
  relayEndpoint: z.string().meta({
    description:
      'The coordinator’s WebSocket, which speaks boson.v1. Who does not sends packets to `/api/v1/packets/from-client`.',
    example: 'wss://mesh.example.org:443/mesh',
  }),
  nodeEndpoint: z.object({ nodeId: z.string(), directConnection: z.boolean() }),
  wireguardConfig: z.object({
    serverPublicKey: z.string().meta({ description: 'Of the node’s WireGuard, base64.' }),
    serverEndpoint: z.string().nullable().meta({
      description: 'Where the node’s WireGuard says it is, `host:port`; null: only by the relay.',
    }),
    serverPort: z.int().nullable(),
    allowedIPs: z.string().meta({ description: 'By commas, as in a configuration of WireGuard.' }),
    address: z.string().meta({ description: 'The client’s own addresses in the mesh, by commas.' }),
    privateKey: z
      .string()
      .exactOptional()
      .meta({ description: 'The key that was made for a new client. Told this once, kept nowhere.' }),
  }),
})

type Seen = Pick<Agents, 'mesh' | 'notes' | 'whereabouts'>
type Row = z.output<typeof RouteRow>

/** Returns the route that stands, after it those that would be next, and all that the client's WireGuard needs. */
export function routeAnswer(agents: Seen, story: RouteStory, calledAs: string | undefined) {
  const routes = rowsOf(agents, story)
  const isDirect = routes[0]?.type === 'direct'
  return { routes, selectedRoute: selected(agents, story, agents.whereabouts.of(calledAs), isDirect) }
}

function rowsOf(agents: Seen, story: RouteStory): readonly Row[] {
  const { routeId, nodeId, explanation } = story
  const costs = new Map(explanation.compared.map(one => [one.nodeId, one.cost]))
  const nodes = [nodeId, ...[...costs.keys()].filter(id => id !== nodeId)]
  const clientRttMs = agents.mesh.client(story.clientId)?.rttMs ?? null
  return nodes.map((id, rank) => ({
    ...rowOf(agents, story, id, clientRttMs),
    id: rank === 0 ? routeId : `${routeId}.${rank}`,
    cost: costs.get(id) ?? null,
    priority: PRIORITY.first - rank * PRIORITY.step,
  }))
}

function rowOf(
  { mesh, notes }: Seen,
  { clientId, nodeId, link }: RouteStory,
  id: string,
  clientRttMs: number | null,
) {
  const node = mesh.node(id)
  const nodeRttMs = node?.rttMs ?? null
  const measuredMs = id === nodeId ? (mesh.path(link)?.rttMs ?? null) : null
  const throughUsMs = clientRttMs === null || nodeRttMs === null ? null : clientRttMs + nodeRttMs
  return {
    type: isDirect(node, notes.of(clientId), notes.of(id)) ? ('direct' as const) : ('relay' as const),
    path: [id],
    estimatedLatency: measuredMs ?? throughUsMs,
    estimatedBandwidth: node === null ? null : bandwidthLeft(node),
    nodeRttMs,
  }
}

function selected(
  { mesh, notes }: Seen,
  { routeId, nodeId, clientId, wish }: RouteStory,
  { isSecure, host, port }: Whereabout,
  directConnection: boolean,
): z.output<typeof SelectedRoute> {
  const [node, client] = [mesh.identity(nodeId), mesh.identity(clientId)]
  if (node === null || client === null) throw new Error('a route leads from one identity to another')
  const endpoint = wireguardEndpointOf(notes.of(nodeId))
  const addressesOf = ({ overlay4, overlay6 }: typeof node) => `${overlay4}/32, ${overlay6}/128`
  return {
    id: routeId,
    relayEndpoint: `${isSecure ? 'wss' : 'ws'}://${host}:${port}${MESH_PATH}`,
    nodeEndpoint: { nodeId, directConnection },
    wireguardConfig: {
      serverPublicKey: Buffer.from(node.publicKey).toString('base64'),
      serverEndpoint: endpoint,
      serverPort: endpoint === null ? null : Number(endpoint.slice(endpoint.lastIndexOf(':') + 1)),
      allowedIPs: wish.exit === true ? '0.0.0.0/0, ::/0' : addressesOf(node),
      address: addressesOf(client),
    },
  }
}

function bandwidthLeft({ profile: { bandwidthMbps }, gauges }: NodeView): number | null {
  return bandwidthMbps === null ? null : Math.max(0, bandwidthMbps - (gauges['bwTotalMbps'] ?? 0))
}
