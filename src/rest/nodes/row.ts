/** A node by the names of the first BosonServer, whether it speaks HTTP or has a WebSocket, is here or has been. */
import { z } from 'zod'
import type { IdentityView, NodeView } from '../../actors/ports.js'
import { moment, oneOf } from '../../http/fields.js'
import type { Agents } from '../agents/agents.js'
import { bandwidth, isDegraded, metricsOf } from '../agents/gauges.js'
import { natType } from '../fields.js'

const status = oneOf('online', 'degraded', 'offline')
const figure = z.number().nullable()

export type NodeStatus = z.output<typeof status>

/** Fields of a node beside those that are the mesh's own. */
export const nodeRow = {
  nodeId: z.string(),
  publicKey: z.string().meta({ description: 'Of its WireGuard, base64.' }),
  networkInfo: z
    .object({
      ipv4: z.string(),
      ipv6: z.string().nullable(),
      natType,
      stunMappedAddress: z.string().nullable(),
      localPort: z.int().nullable(),
      publicIp: z.string().nullable(),
    })
    .nullable()
    .meta({ description: 'As it said over HTTP; null when it did not.' }),
  capabilities: z.object({
    maxConnections: z.int().nullable(),
    bandwidth: bandwidth.nullable().meta({ description: 'What its uplink can carry.' }),
    routing: z.boolean(),
    natting: z.boolean().meta({ description: 'Whether it forwards to the internet.' }),
  }),
  location: z.object({
    country: z.string().nullable(),
    region: z.string().nullable(),
    coordinates: z.tuple([z.number(), z.number()]).nullable().meta({ description: 'Latitude, longitude.' }),
  }),
  status,
  lastHeartbeat: moment
    .nullable()
    .meta({ description: 'When it was last heard; null when nobody remembers.' }),
  registeredAt: moment,
  metrics: z.object({
    latency: figure,
    jitter: figure,
    packetLoss: figure,
    cpuUsage: figure,
    memoryUsage: figure,
    activeConnections: figure,
    bandwidth: bandwidth.nullable(),
  }),
}

/** Returns how a node is: by what it says itself, by its figures, and by what its clients measure. */
export function statusOf(view: NodeView | null, said: NodeStatus | null): NodeStatus {
  if (view === null || (view.state !== 'online' && view.state !== 'lapsed')) return 'offline'
  const isUnwell = said === 'degraded' || view.ailment !== null || isDegraded(metricsOf(view.gauges))
  return isUnwell ? 'degraded' : 'online'
}

/** Returns the fields of a node; `view` is null when it has no session. */
export function nodeRowOf(
  { clock, mailboxes, notes }: Pick<Agents, 'clock' | 'mailboxes' | 'notes'>,
  { id, publicKey, profile, createdAtMs }: IdentityView,
  view: NodeView | null,
) {
  const { networkInfo = null, capabilities } = notes.of(id)
  const box = mailboxes.of(id)
  const silentSinceMs = view?.silentMs == null ? notes.seenMs(id) : clock.wallMs() - view.silentMs
  const seenMs = box?.heardAtMs ?? silentSinceMs
  const { latitude, longitude, bandwidthMbps: mbps } = profile
  return {
    nodeId: id,
    publicKey: Buffer.from(publicKey).toString('base64'),
    networkInfo,
    capabilities: {
      maxConnections: profile.maxSessions,
      bandwidth: capabilities?.bandwidth ?? (mbps === null ? null : { up: mbps, down: mbps }),
      routing: capabilities?.routing ?? true,
      natting: profile.exit,
    },
    location: {
      country: profile.country,
      region: profile.region,
      coordinates: latitude === null || longitude === null ? null : ([latitude, longitude] as const),
    },
    status: statusOf(view, box?.said ?? null),
    lastHeartbeat: seenMs === null ? null : isoOf(seenMs),
    registeredAt: isoOf(createdAtMs),
    metrics: metricsOf(view?.gauges ?? {}),
  }
}

/** Returns a moment as it is answered. */
export const isoOf = (ms: number): string => new Date(Math.round(ms)).toISOString()
