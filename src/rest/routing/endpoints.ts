/** `/api/v1/routing`: a client that speaks HTTP asks for a node, and looks at its route. */
import { z } from 'zod'
import type { RouteStory, RouteWish } from '../../actors/ports.js'
import type { Caller } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { HttpError, notFound } from '../../http/faults.js'
import { moment, text } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import type { Wire, WireOf } from '../../protocol/messages.js'
import type { Agents } from '../agents/agents.js'
import type { Mailbox } from '../agents/mailbox.js'
import { isoOf } from '../nodes/row.js'
import { routeAnswer, RouteRow, SelectedRoute } from './answer.js'
import { RouteRequest, wishOf } from './body.js'
import { enteredClient } from './enter.js'
import { noRoute } from './refusal.js'
import { ClientTokens } from './token.js'

const Answer = z.object({
  routes: z.array(RouteRow).meta({ description: 'The route, and after it who would be next.' }),
  selectedRoute: SelectedRoute.extend({
    sessionToken: z.string().meta({
      description: 'For `Authorization: Bearer …`; it names client, node, session and route. A secret.',
    }),
    expiresAt: z.number().meta({
      description:
        'Until when the route stands and the token is good if the client is not heard again, ms since 1970 UTC. Asking again, or looking at the route, moves the route’s end on.',
    }),
  }),
})

const RoutePage = RouteRow.extend({
  createdAt: moment,
  expiresAt: moment.nullable().meta({ description: 'Null while its client has a WebSocket.' }),
  clientId: z.string(),
  tier: z.string().meta({ description: 'How packets travel by the mesh now.', example: 'relayed' }),
  selectedRoute: SelectedRoute,
})

export function routingEndpoints(agents: Agents): readonly Endpoint[] {
  const tokens = new ClientTokens(agents)
  return [
    endpoint({
      method: 'POST',
      path: '/api/v1/routing/request',
      access: 'open',
      tag: 'routing',
      summary: 'Gives a client a node',
      description:
        'First contact needs an enrolment key as bearer token, or an admin’s token; later the client’s own session token does, or a proof of its key. A node that does not meet the requirements is never given: 422 says what is against each, and a node that was asked for by name and cannot be had is 404 or 409. A new client has enrolled even then: the fault has its `sessionToken`, and the `privateKey` that was made for it.',
      body: RouteRequest,
      replies: { 200: { description: 'The route stands.', schema: Answer } },
      faults: [401, 403, 404, 409, 422, 503],
      async handle({ body, caller, headers, remote }) {
        const { box, isNew, privateKey } = await enteredClient(agents, body, caller, remote)
        note(agents, body, remote)
        const made = privateKey === null ? {} : { privateKey: Buffer.from(privateKey).toString('base64') }
        try {
          const story = await given(agents, box, wishOf(body))
          const { sessionToken, expiresAt } = await tokens.of(box, story)
          const { routes, selectedRoute: route } = routeAnswer(agents, story, headers.get('host'))
          const wireguardConfig = { ...route.wireguardConfig, ...made }
          return json({ routes, selectedRoute: { ...route, wireguardConfig, sessionToken, expiresAt } })
        } catch (error) {
          if (!(isNew && error instanceof HttpError)) throw error
          // The client has enrolled all the same: without these it could not come again.
          const { sessionToken, expiresAt } = await tokens.of(box, null)
          throw error.telling({ sessionToken, expiresAt, ...made })
        }
      },
    }),
    endpoint({
      method: 'GET',
      path: '/api/v1/routing/route/{routeId}',
      access: 'agent',
      tag: 'routing',
      summary: 'Tells of a route that stands',
      description:
        'For its client, which is heard thereby, and for operators. It may lead to another node than at first.',
      params: z.object({ routeId: text(64) }),
      replies: { 200: { description: 'The route.', schema: RoutePage } },
      faults: [401, 404],
      handle({ params: { routeId }, caller, headers }) {
        const { mailboxes, clock } = agents
        const story = storyOf(agents, caller, routeId)
        if (story === null) throw notFound(`no route ${routeId} stands`)
        const { clientId, assignedAtMs, tier } = story
        const box = mailboxes.of(clientId)
        if (box !== undefined && caller.kind === 'agent') mailboxes.heard(box)
        const endsAtMs = box === undefined ? null : clock.wallMs() + box.goodUntilMs - clock.now()
        const { routes, selectedRoute } = routeAnswer(agents, story, headers.get('host'))
        return json({
          ...routes[0],
          createdAt: isoOf(assignedAtMs),
          expiresAt: endsAtMs === null ? null : isoOf(endsAtMs),
          clientId,
          tier,
          selectedRoute,
        })
      },
    }),
  ]
}

function note({ notes, whereabouts }: Agents, body: RouteRequest, remote: string): void {
  const { clientId, requirements, clientNetworkInfo: said } = body
  const publicIp = whereabouts.publicIpOf(remote)
  const networkInfo = said && { ...said, ipv6: null, localPort: null, publicIp }
  notes.set(clientId, { requirements, ...(networkInfo !== undefined && { networkInfo }) })
}

/** Resolves with the route that the client is given; rejects with why it is given none. */
async function given({ mesh }: Agents, box: Mailbox, wish: RouteWish): Promise<RouteStory> {
  const told = await asked(box, wish)
  if (told.type === 'route.refused') throw noRoute(mesh, box.id, wish, told)
  const story = mesh.explain(box.id, 0)
  if (story !== null) return story
  throw new HttpError(503, 'route_ended', 'the route ended at once', { 'Retry-After': '1' })
}

type RouteAnswer = WireOf<'route.assigned'> | WireOf<'route.refused'>

/** Asks the mesh as any client does; resolves with what it answers. */
function asked(box: Mailbox, wish: RouteWish): Promise<RouteAnswer> {
  // 0 is what nobody has asked for.
  const requestId = ++box.requests
  const answer = box.answer(
    (event: Wire): event is RouteAnswer =>
      (event.type === 'route.assigned' || event.type === 'route.refused') && event.requestId === requestId,
  )
  box.say({ type: 'route.request', requestId, ...wish })
  return answer
}

/** Returns the route when the caller may see it; others learn nothing of it. */
function storyOf({ mesh }: Pick<Agents, 'mesh'>, caller: Caller, routeId: string): RouteStory | null {
  const story = mesh.explain(caller.kind === 'agent' ? caller.id : routeId, 0)
  return story?.routeId === routeId ? story : null
}
