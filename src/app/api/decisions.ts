/** `POST /api/v1/routes` and `/api/v1/routes/{id}/explanation`: decisions for one client, made, tried out and explained. */
import { z } from 'zod'
import type { IdentityView, RouteWish } from '../../actors/ports.js'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { notFound, unavailable } from '../../http/faults.js'
import { id, yesNo } from '../../http/fields.js'
import { rows } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import { weightList } from '../wish.js'
import type { ApiParts } from './routes.js'
import { Deliberation, Outcome, RouteStory, Wish } from './shapes/decision.js'

/** By then the next process usually serves, s. */
const RETRY_AFTER_S = 5

const Order = z.strictObject({
  clientId: id,
  wish: Wish.default({}),
  dryRun: yesNo.default(false).meta({ description: 'Only says what would come of it.' }),
})

export const decisionRoutes = ({ mesh }: Pick<ApiParts, 'mesh'>): readonly Endpoint[] => [
  endpoint({
    method: 'POST',
    path: '/api/v1/routes',
    access: 'operator',
    tag: 'routing',
    summary: 'Moves a client to the best node for a request, or says what would come of it',
    query: z.object({ limit: rows }),
    body: Order,
    faults: [404],
    replies: {
      200: { description: 'What came of it.', schema: z.union([Outcome, Deliberation]) },
    },
    handle: ({ query: { limit }, body: { clientId, wish, dryRun }, caller }) => {
      const asked = wishOf(wish)
      if (!dryRun && mesh.state() === 'draining')
        throw unavailable('the coordinator is restarting: routes stay as they are until then', RETRY_AFTER_S)
      const answer = dryRun
        ? mesh.deliberate(clientId, asked, limit)
        : mesh.assign(clientId, asked, limit, nameOf(caller))
      if (answer === null) throw notFound(nobody(mesh, clientId))
      return json(answer)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/api/v1/routes/{id}/explanation',
    access: 'viewer',
    tag: 'routing',
    summary: 'Explains a standing route, by its id or its client’s',
    params: z.object({ id: z.string() }),
    query: z.object({
      limit: rows,
      now: yesNo.default(false).meta({ description: 'Also says how every node is now.' }),
    }),
    replies: { 200: { description: 'How it came about.', schema: RouteStory } },
    handle: ({ params: { id: routeId }, query: { limit, now } }) => {
      const story = mesh.explain(routeId, now ? limit : 0)
      if (story === null) throw notFound(noRoute(mesh, routeId))
      return json(story)
    },
  }),
]

/** Returns the wish as clients spell it. */
function wishOf({ weights: given, ...wish }: z.output<typeof Wish>): RouteWish {
  return { ...wish, ...(given !== undefined && { weights: weightList(given) }) }
}

function nobody(mesh: ApiParts['mesh'], clientId: string): string {
  const identity = mesh.identity(clientId)
  if (identity === null) return `nobody has enrolled as ${clientId}`
  if (identity.role === 'node') return `${clientId} is a node; routes are for clients`
  return `${clientId} has no session now${keptOut(identity)}`
}

function noRoute(mesh: ApiParts['mesh'], routeId: string): string {
  const identity = mesh.identity(routeId)
  if (identity === null) return `no route has this id, and nobody has enrolled as ${routeId}`
  return identity.role === 'node'
    ? `${routeId} is a node: name one of its clients, which \`boson paths --node ${routeId}\` lists`
    : `${routeId} has no route now${keptOut(identity)}`
}

const keptOut = ({ denial }: IdentityView): string =>
  denial === null ? '' : `: it is not let in, ${denial.reason} (${denial.code})`
