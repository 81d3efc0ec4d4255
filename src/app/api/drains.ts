/** `/api/v1/drains` and `/api/v1/nodes/{id}/drain`: nodes that are to go, and how far they are. */
import { z } from 'zod'
import type { DrainView } from '../../actors/ports.js'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict, notFound } from '../../http/faults.js'
import { id, oneOf } from '../../http/fields.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { ApiParts } from './routes.js'

/** A deadline is at most this far away, ms: a week. */
const WITHIN_MAX_MS = 7 * 86_400_000
const within = { error: `wanted a whole number of milliseconds from 0 to ${WITHIN_MAX_MS}, or null` }

const Wish = z.strictObject({
  withinMs: z
    .int(within)
    .min(0, within)
    .max(WITHIN_MAX_MS, within)
    .nullable()
    .default(null)
    .meta({ description: 'After this what is left is ended, ms; null: it is waited for.' }),
})

const state = oneOf('moving', 'waiting', 'empty', 'expired')

const Drain = z
  .object({
    nodeId: id,
    state: state.meta({
      description: '`waiting`: each route was tried, and what is left waits; `expired`: it was ended.',
    }),
    by: z.enum(['node', 'operator']),
    startedAtMs: z.number().meta({ description: 'ms since 1970 UTC.' }),
    left: z.int().meta({ description: 'Links that the node still carries.' }),
    moved: z.int().meta({ description: 'Routes that were moved to other nodes so far.' }),
    waiting: z.int().meta({ description: 'Routes that were tried, and for which no other node qualifies.' }),
    ended: z.int().meta({ description: 'Routes that were ended because time was up.' }),
    remainingMs: z.number().nullable().meta({ description: 'Until the routes that are left are ended, ms.' }),
    estimateMs: z.number().nullable().meta({ description: 'Until every route has been tried, ms.' }),
  })
  .meta({ id: 'Drain' }) satisfies z.ZodType<DrainView>

const PATH = '/api/v1/nodes/{id}/drain'
const params = z.object({ id })

export const drainRoutes = ({ mesh }: Pick<ApiParts, 'mesh'>): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/api/v1/drains',
    access: 'viewer',
    tag: 'drains',
    summary: 'Lists the nodes that are drained',
    query: z.object({ ...listQuery('nodeId', 'startedAtMs', 'left'), state: state.optional() }),
    replies: {
      200: { description: 'Those that have been for longest first.', schema: listReply('drains', Drain) },
    },
    handle: ({ query }) => {
      const rows = mesh.drains().filter(drain => query.state === undefined || drain.state === query.state)
      return json(
        listed(
          'drains',
          rows,
          { ...query, sort: query.sort ?? 'startedAtMs' },
          ({ nodeId }) => nodeId,
          (drain, field) => drain[field as 'nodeId' | 'startedAtMs' | 'left'], // the query lets no other through
        ),
      )
    },
  }),
  endpoint({
    method: 'POST',
    path: PATH,
    access: 'operator',
    tag: 'drains',
    summary: 'Drains a node: its routes move to others, and it is given no new ones',
    params,
    body: Wish,
    replies: { 200: { description: 'How far it is.', schema: Drain } },
    handle: ({ params: { id: nodeId }, body: { withinMs }, caller }) => {
      const drain = mesh.drain(nodeId, { withinMs, actor: nameOf(caller) })
      if (drain === null) throw notFound(`no node has enrolled as ${nodeId}`)
      return json(drain)
    },
  }),
  endpoint({
    method: 'DELETE',
    path: PATH,
    access: 'operator',
    tag: 'drains',
    summary: 'Gives a drained node routes again',
    params,
    faults: [409],
    replies: {
      200: {
        description: 'It is not drained any more.',
        schema: z.object({ nodeId: id, drained: z.literal(false) }),
      },
    },
    handle: ({ params: { id: nodeId }, caller }) => {
      const outcome = mesh.cancelDrain(nodeId, nameOf(caller))
      if (outcome === 'not_drained') throw notFound(`no node ${nodeId} is drained`)
      if (outcome === 'by_node')
        throw conflict(
          `node ${nodeId} asked to be drained itself: it is about to go, and comes back undrained`,
        )
      return json({ nodeId, drained: false })
    },
  }),
]
