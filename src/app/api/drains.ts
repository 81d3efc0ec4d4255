/** `/api/v1/drains` and `/api/v1/nodes/{id}/drain`: nodes that are to go, and how far they are. */
import { z } from 'zod'
import { readJson } from '../../edge/body.js'
import { conflict, notFound } from '../../http/faults.js'
import { json } from '../../http/reply.js'
import type { Route } from '../../http/router.js'
import type { ApiParts } from './routes.js'

/** A deadline is at most this far away, ms: a week. */
const WITHIN_MAX_MS = 7 * 86_400_000
const within = { error: `wanted a whole number of milliseconds from 0 to ${WITHIN_MAX_MS}, or null` }

/** Until when what is left is ended; null: it is waited for. */
const Wish = z.strictObject({
  withinMs: z.int(within).min(0, within).max(WITHIN_MAX_MS, within).nullable().default(null),
})

const PATH = '/api/v1/nodes/{id}/drain'

export const drainRoutes = ({ mesh }: Pick<ApiParts, 'mesh'>): readonly Route[] => [
  {
    method: 'GET',
    path: '/api/v1/drains',
    access: 'operator',
    handle: () => json({ drains: mesh.drains() }),
  },
  {
    method: 'POST',
    path: PATH,
    access: 'operator',
    handle: request => {
      const { id = '' } = request.params
      const { withinMs } = readJson(request, Wish)
      const drain = mesh.drain(id, { withinMs, actor: 'operator' })
      if (drain === null) throw notFound(`no node has enrolled as ${id}`)
      return json(drain)
    },
  },
  {
    method: 'DELETE',
    path: PATH,
    access: 'operator',
    handle: ({ params: { id = '' } }) => {
      const outcome = mesh.cancelDrain(id, 'operator')
      if (outcome === 'not_drained') throw notFound(`no node ${id} is drained`)
      if (outcome === 'by_node')
        throw conflict(`node ${id} asked to be drained itself: it is about to go, and comes back undrained`)
      return json({ nodeId: id, drained: false })
    },
  },
]
