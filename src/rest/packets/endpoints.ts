/**
 * `/api/v1/packets`: WireGuard packets of agents without a WebSocket. A packet goes into the caller's own link to the peer
 * that it names, and nowhere else; what comes for the caller is fetched by it. Nothing is ever sent to an address
 * that an agent names.
 */
import { z } from 'zod'
import { type Caller, mustBe } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict, forbidden, notFound } from '../../http/faults.js'
import { id, moment, text, whole } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { RELAY_PAYLOAD_MAX, relaySize, writeRelay } from '../../protocol/relay-frame.js'
import type { Agents } from '../agents/agents.js'
import type { OpenLink } from '../agents/links.js'
import type { Mailbox } from '../agents/mailbox.js'
import { WAIT_MAX_MS } from '../agents/timing.js'
import { isoOf } from '../nodes/row.js'

/** Packets of one answer. */
const PACKETS_MAX = 64
/** Types of WireGuard's messages, each followed by three zero bytes. */
const WIREGUARD_TYPES = { first: 1, last: 4 }
/** A session token, which clients of the first BosonServer send as session id. */
const TOKEN_MAX = 2_048

const PACKET = { error: `wanted one WireGuard packet of at most ${RELAY_PAYLOAD_MAX} bytes, base64` }
const packet = z
  .string(PACKET)
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, PACKET)
  .transform(base64 => Buffer.from(base64, 'base64'))
  .refine(bytes => bytes.length <= RELAY_PAYLOAD_MAX && isWireGuard(bytes), PACKET)

const Sent = z.object({
  clientId: id,
  nodeId: id.optional().meta({ description: 'From a client: the node that its route leads to when absent.' }),
  sessionId: text(TOKEN_MAX)
    .optional()
    .meta({ description: 'Not needed: the bearer token says whose it is.' }),
  packet,
  timestamp: z.number().optional(),
})

const Taken = z.object({
  status: z.literal('ok'),
  link: z.int().meta({ description: 'The link that carries it.' }),
})

const Arrived = z.object({
  packets: z.array(
    z.object({
      clientId: z.string(),
      nodeId: z.string(),
      link: z.int(),
      packet: z.string().meta({ description: 'base64.' }),
      receivedAt: moment,
    }),
  ),
  dropped: z.int().meta({
    description: 'Packets that were dropped since the last look: too many waited, or waited for too long.',
  }),
  more: z.boolean().meta({ description: 'Whether more wait.' }),
})

export const packetEndpoints = (agents: Agents): readonly Endpoint[] => {
  const send = (path: string, role: 'node' | 'client', summary: string): Endpoint =>
    endpoint({
      method: 'POST',
      path,
      access: 'agent',
      tag: 'packets',
      summary,
      description: `With the ${role}’s own session token. It travels on the link of the route between the two; a pair without one is refused.`,
      body: Sent,
      replies: { 200: { description: 'The relay has it.', schema: Taken } },
      faults: [401, 403, 404, 409, 503],
      async handle({ body: { clientId, nodeId, packet: bytes }, caller, remote }) {
        const own = role === 'node' ? (nodeId ?? idOf(caller)) : clientId
        const box = await boxOf(agents, caller, own, remote)
        if (box.role !== role) throw forbidden(`${own} is a ${box.role}: this is for ${role}s`)
        const peerId = role === 'node' ? clientId : (nodeId ?? agents.mesh.client(own)?.nodeId ?? null)
        const { link } = linkTo(agents, box, peerId)
        const value = new Uint8Array(relaySize(bytes.length))
        writeRelay(value, 0, link, bytes)
        box.sayBytes(value)
        return json({ status: 'ok', link })
      },
    })
  return [
    send('/api/v1/packets', 'node', 'Takes a packet from a node for a client'),
    send('/api/v1/packets/from-client', 'client', 'Takes a packet from a client for its node'),
    endpoint({
      method: 'GET',
      path: '/api/v1/packets',
      access: 'agent',
      tag: 'packets',
      summary: 'Fetches the packets that came for the caller',
      description:
        'In the order they came, each once. One look at a time: a new one ends the one that waits. The first BosonServer posted packets to nodes; this one sends nothing to addresses that agents name.',
      query: z.object({
        wait: whole(0, WAIT_MAX_MS).default(0).meta({ description: 'Wait so long for the first one, ms.' }),
        max: whole(1, PACKETS_MAX).default(PACKETS_MAX).meta({ description: 'The most that are wanted.' }),
      }),
      replies: { 200: { description: 'What has come.', schema: Arrived } },
      faults: [401, 403, 404, 409, 503],
      async handle({ query: { wait, max }, caller, remote }) {
        const box = await boxOf(agents, caller, idOf(caller), remote)
        if (box.role === 'client') agents.mailboxes.heard(box)
        const { packets, ...rest } = await box.inbox.fetch(max, wait)
        return json({
          packets: packets.map(({ link, payload, atMs }) => ({
            ...pairOf(box, box.links.at(link)),
            link,
            packet: Buffer.from(payload).toString('base64'),
            receivedAt: isoOf(atMs),
          })),
          ...rest,
        })
      },
    }),
  ]
}

const isWireGuard = ([type = 0, ...[a, b, c]]: Uint8Array): boolean =>
  type >= WIREGUARD_TYPES.first && type <= WIREGUARD_TYPES.last && a === 0 && b === 0 && c === 0

function idOf(caller: Caller): string {
  if (caller.kind === 'agent') return caller.id
  throw forbidden('packets are an agent’s own: send its session token')
}

/** Resolves with the caller's mailbox; nobody speaks for others here, operators neither. */
async function boxOf({ mailboxes }: Agents, caller: Caller, own: string, remote: string): Promise<Mailbox> {
  mustBe(caller, own)
  return mailboxes.at(idOf(caller), remote)
}

/** Returns the caller's link to its peer. */
function linkTo({ mesh }: Agents, box: Mailbox, peerId: string | null): OpenLink {
  if (peerId === null) throw conflict(`${box.id} has no route`)
  const link = box.links.to(peerId)
  if (link !== undefined) return link
  if (mesh.identity(peerId) === null) throw notFound(`nobody has enrolled as ${peerId}`)
  throw conflict(`no route joins ${box.id} and ${peerId}`)
}

function pairOf({ id: own, role }: Mailbox, link: OpenLink | undefined) {
  const peerId = link?.peerId ?? ''
  return role === 'node' ? { clientId: peerId, nodeId: own } : { clientId: own, nodeId: peerId }
}
