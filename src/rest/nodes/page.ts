/** One node, whether it is here or has been: what is known of it, when it came and went, and its end. */
import { z } from 'zod'
import type { IdentityView } from '../../actors/ports.js'
import { mustBe, nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict, notFound } from '../../http/faults.js'
import { id, moment, whole } from '../../http/fields.js'
import { empty, json } from '../../http/reply.js'
import type { Agents } from '../agents/agents.js'
import { isoOf, nodeRow, nodeRowOf } from './row.js'

const params = z.object({ nodeId: id })

const NodePage = z
  .object({
    ...nodeRow,
    state: z
      .string()
      .nullable()
      .meta({ description: 'State of its session; null when it has none.', example: 'online' }),
    generation: z.int().meta({ description: 'Counts its sessions; the newest wins.' }),
    overlay4: z.string().meta({ example: '10.77.0.2' }),
    overlay6: z.string().meta({ example: 'fd77:b050::2' }),
    links: z.int().meta({ description: 'Clients that it carries.' }),
    revokedAt: moment.nullable(),
  })
  .meta({ id: 'NodePage' })

const Comings = z.object({
  nodeId: z.string(),
  presence: z.array(
    z.object({
      at: moment,
      became: z.enum(['online', 'offline']),
      generation: z.int().meta({ description: 'Of its session.' }),
    }),
  ),
})

export const nodePages = (agents: Agents): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/api/v1/nodes/{nodeId}',
    access: 'agent',
    tag: 'nodes',
    summary: 'Tells what is known of a node',
    description: 'For the node itself and for operators. One that is gone stays known.',
    params,
    replies: { 200: { description: 'The node.', schema: NodePage } },
    faults: [401, 403, 404],
    handle({ params: { nodeId }, caller }) {
      mustBe(caller, nodeId)
      const identity = nodeCalled(agents, nodeId)
      const view = agents.mesh.node(nodeId)
      const { generation, overlay4, overlay6, revokedAtMs, state } = identity
      return json({
        ...nodeRowOf(agents, identity, view),
        state,
        generation,
        overlay4,
        overlay6,
        links: view?.links ?? 0,
        revokedAt: revokedAtMs === null ? null : isoOf(revokedAtMs),
      })
    },
  }),
  endpoint({
    method: 'GET',
    path: '/api/v1/nodes/{nodeId}/presence',
    access: 'agent',
    tag: 'nodes',
    summary: 'Tells when a node came and went',
    description: 'The newest first, for ninety days. For the node itself and for operators.',
    params,
    query: z.object({ limit: whole(1, 1_000).default(100) }),
    replies: { 200: { description: 'Its comings and goings.', schema: Comings } },
    faults: [401, 403, 404, 503],
    async handle({ params: { nodeId }, query: { limit }, caller }) {
      mustBe(caller, nodeId)
      nodeCalled(agents, nodeId)
      const presence = await agents.notes.presenceOf(nodeId, limit)
      return json({
        nodeId,
        presence: presence.map(({ atMs, id: _, ...rest }) => ({ at: isoOf(atMs), ...rest })),
      })
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/api/v1/nodes/{nodeId}',
    access: 'agent',
    tag: 'nodes',
    summary: 'Ends the session of a node that speaks HTTP',
    description:
      'As when the node says goodbye: its routes move at once, and what is known of it stays. With its own session token, or an operator’s.',
    params,
    replies: { 204: { description: 'It has no session any more.' } },
    faults: [401, 403, 404, 409],
    handle({ params: { nodeId }, caller }) {
      mustBe(caller, nodeId)
      const { state } = nodeCalled(agents, nodeId)
      const box = agents.mailboxes.of(nodeId)
      if (box === undefined && (state === 'online' || state === 'lapsed'))
        throw conflict(`${nodeId} is connected by WebSocket: drain it, or revoke its identity`)
      if (box === undefined) return empty()
      agents.mailboxes.dismiss(box, 'the node was deleted')
      agents.mesh.audit({ kind: 'session.deleted', actor: nameOf(caller), subject: nodeId, detail: {} })
      return empty()
    },
  }),
]

function nodeCalled({ mesh }: Pick<Agents, 'mesh'>, nodeId: string): IdentityView {
  const identity = mesh.identity(nodeId)
  if (identity === null) throw notFound(`nobody has enrolled as ${nodeId}`)
  if (identity.role !== 'node') throw notFound(`${nodeId} is a client, not a node`)
  return identity
}
