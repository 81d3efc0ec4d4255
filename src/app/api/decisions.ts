/** `POST /api/v1/routes` and `/api/v1/routes/{id}/explanation`: decisions for one client, made, tried out and explained. */
import { z } from 'zod'
import type { RouteWish } from '../../actors/ports.js'
import { readJson } from '../../edge/body.js'
import { badRequest, notFound, unavailable } from '../../http/faults.js'
import { json } from '../../http/reply.js'
import type { Request, Route } from '../../http/router.js'
import { weightList } from '../wish.js'
import { amount, id, ids, weights } from './fields.js'
import { limitOf } from './lists.js'
import type { ApiParts } from './routes.js'

/** By then the next process usually serves, s. */
const RETRY_AFTER_S = 5

const yesNo = z.boolean({ error: 'wanted true or false' })
const region = { error: 'wanted 1 to 64 characters' }

/** What is asked of the node: what `boson client` can ask for, and `exclude`. */
const Wish = z
  .strictObject({
    target: id,
    country: z.string().regex(/^[A-Z]{2}$/, { error: 'wanted two capital letters such as DE' }),
    region: z.string(region).min(1, region).max(64, region),
    tags: ids(16),
    group: id,
    minBandwidthMbps: amount(0, 1_000_000),
    maxLatencyMs: amount(0, 60_000),
    exit: yesNo,
    exclude: ids(32),
    prefer: ids(16),
    avoid: ids(32),
    weights,
  })
  .partial()

const Order = z.strictObject({ clientId: id, wish: Wish.default({}), dryRun: yesNo.default(false) })

export const decisionRoutes = ({ mesh }: Pick<ApiParts, 'mesh'>): readonly Route[] => [
  {
    method: 'POST',
    path: '/api/v1/routes',
    access: 'operator',
    handle: request => {
      const { clientId, wish, dryRun } = readJson(request, Order)
      const rows = limitOf(request)
      const asked = wishOf(wish)
      if (!dryRun && mesh.state() === 'draining')
        throw unavailable('the coordinator is restarting: routes stay as they are until then', RETRY_AFTER_S)
      const answer = dryRun
        ? mesh.deliberate(clientId, asked, rows)
        : mesh.assign(clientId, asked, rows, 'operator')
      if (answer === null) throw notFound(nobody(mesh, clientId))
      return json(answer)
    },
  },
  {
    method: 'GET',
    path: '/api/v1/routes/{id}/explanation',
    access: 'operator',
    handle: request => {
      const { id = '' } = request.params
      const story = mesh.explain(id, isNow(request) ? limitOf(request) : 0)
      if (story === null) throw notFound(noRoute(mesh, id))
      return json(story)
    },
  },
]

/** Returns the wish as clients spell it. */
function wishOf({ weights: given, ...wish }: z.infer<typeof Wish>): RouteWish {
  // A field that is undefined was not named: the schema makes none of those.
  return { ...(wish as RouteWish), ...(given !== undefined && { weights: weightList(given) }) }
}

function isNow({ query }: Request): boolean {
  const now = query.get('now') ?? 'false'
  if (now !== 'true' && now !== 'false') throw badRequest('now: wanted true or false')
  return now === 'true'
}

function nobody(mesh: ApiParts['mesh'], id: string): string {
  const role = mesh.steering(id)?.role
  if (role === undefined) return `nobody has enrolled as ${id}`
  return role === 'node' ? `${id} is a node; routes are for clients` : `${id} has no session now`
}

function noRoute(mesh: ApiParts['mesh'], id: string): string {
  const role = mesh.steering(id)?.role
  if (role === undefined) return `no route has this id, and nobody has enrolled as ${id}`
  return role === 'node'
    ? `${id} is a node: name one of its clients, which \`boson paths --node ${id}\` lists`
    : `${id} has no route now`
}
