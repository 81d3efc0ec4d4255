/** `POST /api/v1/nodes/register`, and the challenge for it: how a node that speaks HTTP gets its session. */
import { z } from 'zod'
import type { Hello } from '../../actors/ports.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { amount, id, whole } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import type { Agents } from '../agents/agents.js'
import { admitted } from '../agents/door.js'
import { issueTo } from '../agents/issue.js'
import { bandwidth, gaugesOf, Metrics } from '../agents/gauges.js'
import { countryCode, endpointField, ipAddress, line, natType, port, proof, publicKey } from '../fields.js'
import { hostPorts } from '../turn/servers.js'

/** More than a session has links. */
const CONNECTIONS_MAX = 1_000_000

const Registration = z.object({
  nodeId: id.meta({
    description: 'A UUID, or any other name.',
    example: '5f2b1f0e-6f0e-4b7e-9a53-1d3a1c6b7e42',
  }),
  publicKey,
  networkInfo: z.object({
    ipv4: ipAddress,
    ipv6: ipAddress.nullable().default(null),
    natType,
    stunMappedAddress: endpointField.nullable().default(null),
    localPort: port.meta({ description: 'Where its WireGuard listens, UDP.' }),
    publicIp: ipAddress.optional().meta({ description: 'Not heeded: the coordinator sees it.' }),
  }),
  capabilities: z.object({
    maxConnections: whole(1, CONNECTIONS_MAX),
    bandwidth: bandwidth.meta({ description: 'What its uplink can carry, Mbit/s.' }),
    routing: z.boolean().default(true),
    natting: z.boolean().default(false).meta({ description: 'Whether it forwards to the internet.' }),
  }),
  location: z
    .object({
      country: countryCode,
      region: line(64),
      coordinates: z
        .tuple([amount(-90, 90), amount(-180, 180)])
        .nullable()
        .default(null)
        .meta({ description: 'Latitude, longitude.' }),
    })
    .optional(),
  metrics: Metrics.optional(),
  heartbeatInterval: whole(10, 300)
    .optional()
    .meta({ description: 'How often it would like to be heard, s; `nextHeartbeat` is what is wanted.' }),
  proof: proof.optional(),
})

const Registered = z.object({
  nodeId: z.string(),
  status: z.literal('registered'),
  relayServers: z.array(
    z.object({
      id: z.string(),
      host: z.string(),
      port: z.int(),
      protocol: z.enum(['tcp', 'udp', 'websocket']),
    }),
  ),
  stunServers: z.array(z.object({ host: z.string(), port: z.int() })),
  sessionToken: z.string().meta({ description: 'For `Authorization: Bearer …`. A secret.' }),
  expiresAt: z.number().meta({ description: 'Until when the token is good, ms since 1970 UTC.' }),
  nextHeartbeat: z.int().meta({ description: 'Be heard within this, s.' }),
  sessionId: z.string(),
  generation: z.int().meta({ description: 'Counts the sessions of this node; the newest wins.' }),
  overlay4: z.string().meta({ example: '10.77.0.2/32' }),
  overlay6: z.string().meta({ example: 'fd77:b050::2/128' }),
  publicIp: z.string().nullable().meta({ description: 'Where the coordinator sees the node.' }),
})

export const registerRoutes = (agents: Agents): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/api/v1/challenge',
    access: 'open',
    tag: 'nodes',
    summary: 'Gives a challenge to prove a key by',
    description:
      'Good for one minute and one `proof`. The proof is made as the protocol page says under “Proof of key possession”, with `challenge` and `nonce` from here instead of from `welcome`.',
    replies: {
      200: {
        description: 'The challenge.',
        schema: z.object({
          serverId: z.string(),
          challenge: z.string().meta({ description: 'X25519 public key of the coordinator, base64.' }),
          nonce: z.string().meta({ description: '32 bytes, base64.' }),
        }),
      },
    },
    handle() {
      const { serverId, publicKey: challenge, nonce } = agents.mesh.challenge()
      return json({ serverId, challenge: base64(challenge), nonce: base64(nonce) })
    },
  }),
  endpoint({
    method: 'POST',
    path: '/api/v1/nodes/register',
    access: 'open',
    tag: 'nodes',
    summary: 'Registers a node, and begins its session',
    description:
      'First contact needs an enrolment key as bearer token, or an admin’s token. Later the node’s own session token does, or a proof of its key; another key for the same id is refused and written down.',
    body: Registration,
    replies: { 201: { description: 'The session stands.', schema: Registered } },
    faults: [401, 403, 409, 503],
    async handle({ body, caller, headers, remote }) {
      const { mesh, mailboxes, notes, tokens, traversal, whereabouts, clock } = agents
      const { hello, vouch } = await admitted(mesh, caller, helloOf(body), body.proof)
      const box = await mailboxes.enter(hello, vouch, remote)
      box.notedRemote = remote
      box.wishedEveryS = body.heartbeatInterval ?? null
      if (body.metrics !== undefined) {
        box.gauges = gaugesOf(body.metrics)
        mailboxes.heard(box)
      }
      const publicIp = whereabouts.publicIpOf(remote)
      const networkInfo = { ...body.networkInfo, publicIp }
      notes.set(box.id, { networkInfo, capabilities: body.capabilities })
      const { token, expiresAtMs } = await issueTo(tokens, clock, box)
      const { sessionId, generation, overlay4, overlay6 } = box.session
      const { host, port: relayPort } = whereabouts.of(headers.get('host'))
      return json(
        {
          nodeId: box.id,
          status: 'registered',
          relayServers: [{ id: mesh.serverId, host, port: relayPort, protocol: 'websocket' }],
          stunServers: hostPorts(traversal?.stunServers() ?? []),
          sessionToken: token,
          expiresAt: expiresAtMs,
          nextHeartbeat: mailboxes.nextHeartbeatS(box),
          sessionId,
          generation,
          overlay4,
          overlay6,
          publicIp,
        },
        201,
      )
    },
  }),
]

function helloOf({ nodeId, publicKey: key, capabilities, location }: z.output<typeof Registration>): Hello {
  const { maxConnections, bandwidth: rate, natting } = capabilities
  const [latitude, longitude] = location?.coordinates ?? []
  return {
    role: 'node',
    id: nodeId,
    publicKey: key,
    agent: 'http',
    maxSessions: maxConnections,
    // What is fetched for a client is sent on to it: the narrower way counts.
    bandwidthMbps: Math.min(rate.up, rate.down),
    exit: natting,
    ...(location !== undefined && { country: location.country }),
    ...(location !== undefined && location.region !== '' && { region: location.region }),
    ...(latitude !== undefined && longitude !== undefined && { latitude, longitude }),
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
