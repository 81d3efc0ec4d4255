/** `GET /api/v1/nodes/{nodeId}/peers`: whom the WireGuard of a node that speaks HTTP has for peers. */
import { z } from 'zod'
import { mustBe } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict } from '../../http/faults.js'
import { id, whole } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import type { Agents } from '../agents/agents.js'
import type { OpenLink } from '../agents/links.js'
import type { Mailbox } from '../agents/mailbox.js'
import { WAIT_MAX_MS } from '../agents/timing.js'

const Peers = z.object({
  revision: z.string().meta({ description: 'Changes when anything of it does; heartbeats tell it too.' }),
  peers: z.array(
    z.object({
      clientId: z.string(),
      publicKey: z.string().meta({ description: 'Of its WireGuard, base64.' }),
      allowedIPs: z.string().meta({ description: 'By commas, as in a configuration of WireGuard.' }),
      endpoint: z
        .string()
        .nullable()
        .meta({ description: 'Where its WireGuard says it is; null: let it find the node, or the relay.' }),
      link: z.int().meta({ description: 'The link that carries its packets.' }),
      routeId: z.string(),
    }),
  ),
})

/** How an address that the world sees is spelled on the wire. */
const SEEN = 'srflx '

/** Returns what names the state of a node's peers. */
export const revisionOf = ({ session, links }: Mailbox): string => `${session.generation}.${links.changes}`

export const peersRoute = ({ mailboxes }: Agents): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/api/v1/nodes/{nodeId}/peers',
    access: 'agent',
    tag: 'nodes',
    summary: 'Lists the peers that the WireGuard of a node is to have',
    description:
      'With the node’s own session token, or a viewer’s. With `after` and `wait` the answer comes when something has changed.',
    params: z.object({ nodeId: id }),
    query: z.object({
      after: z.string().max(64).optional().meta({ description: 'The `revision` that is known.' }),
      wait: whole(0, WAIT_MAX_MS).default(0).meta({ description: 'Wait so long for another one, ms.' }),
    }),
    replies: { 200: { description: 'The peers, all of them.', schema: Peers } },
    faults: [401, 403, 404, 409, 503],
    async handle({ params: { nodeId }, query: { after, wait }, caller, remote }) {
      mustBe(caller, nodeId)
      const box = caller.kind === 'agent' ? await mailboxes.at(nodeId, remote) : mailboxes.of(nodeId)
      if (box === undefined) throw conflict(`${nodeId} does not speak HTTP now`)
      if (after === revisionOf(box) && wait > 0) await box.links.changed(wait)
      return json({ revision: revisionOf(box), peers: [...box.links].map(peerOf) })
    },
  })

const peerOf = ({ link, routeId, peerId, peerKey, allowedIps, candidates }: OpenLink) => ({
  clientId: peerId,
  publicKey: Buffer.from(peerKey).toString('base64'),
  allowedIPs: allowedIps.join(', '),
  endpoint: candidates.find(one => one.startsWith(SEEN))?.slice(SEEN.length) ?? null,
  link,
  routeId,
})
