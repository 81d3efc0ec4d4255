/** `/api/v1/actors`, `/api/v1/statecharts`: the living actors, one of them, and what it does. */
import { z } from 'zod'
import type { ActorRow, ActorView, Plain, Statechart, StatechartState } from '../../actors/ports.js'
import { Leases } from '../../actors/tap/leases.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { notFound, unavailable } from '../../http/faults.js'
import { country, oneOf, text, whole } from '../../http/fields.js'
import { listQuery, listReply } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import { ACTOR_KINDS } from '../../protocol/actor-kinds.js'
import type { ApiParts } from './routes.js'
import { reason } from './shapes/path.js'

const actorId = text(96).meta({
  description: 'A kind, and a name where there are several; in a path, the slash is `%2F`.',
  example: 'node/fra-1',
})
const data = z.unknown().meta({ description: 'Plain data; secrets are masked.' }) as z.ZodType<Plain>

const rowFields = {
  id: actorId,
  kind: oneOf(...ACTOR_KINDS),
  state: z.string().meta({ example: 'online{presence: fresh, reach: known, duty: accepting}' }),
  parent: z.string().nullable(),
  country: z.string().nullable(),
  about: z.string().nullable().meta({ description: 'Whom a path joins, why it is relayed, how many links.' }),
  reason: reason.nullable().meta({ description: 'Why a path is not direct.' }),
}
const Row = z.object(rowFields).meta({ id: 'ActorRow' }) satisfies z.ZodType<ActorRow>

const Page = listReply('actors', Row).extend({
  kinds: z
    .partialRecord(oneOf(...ACTOR_KINDS), z.int())
    .meta({ description: 'How many of each kind meet the filters.' }),
})

const View = z
  .object({
    ...rowFields,
    value: data,
    context: data,
    unreadBytes: z
      .number()
      .nullable()
      .meta({ description: 'What its agent has not taken from its socket yet; null: it has no socket.' }),
    timers: z.array(z.object({ name: z.string(), inMs: z.number() })),
    neighbours: z.array(z.string()).meta({ description: 'Whom it speaks with.' }),
    watched: z.boolean().meta({ description: 'Whether somebody watches it now.' }),
  })
  .meta({ id: 'ActorView' }) satisfies z.ZodType<ActorView>

const Step = z
  .object({
    seq: z.int().meta({ description: 'Counts while the actor is watched; a gap is what was lost.' }),
    atMs: z.number(),
    order: z.int().meta({ description: 'Larger than that of any step told before, whoever took it.' }),
    actor: z.string(),
    kind: oneOf('step', 'said', 'told').meta({
      description: 'An event that it heard; a message that its agent said, or was told.',
    }),
    event: z.string(),
    data,
    from: z.string(),
    to: z.string(),
    moved: z.boolean(),
    actions: z.array(z.string()),
  })
  .meta({ id: 'ActorStep' })

const State: z.ZodType<StatechartState> = z
  .object({
    key: z.string(),
    path: z.string(),
    type: z.string(),
    initial: z.string().nullable(),
    entry: z.array(z.string()),
    exit: z.array(z.string()),
    on: z.array(
      z.object({
        event: z.string(),
        targets: z.array(z.string()),
        guard: z.string().nullable(),
        actions: z.array(z.string()),
      }),
    ),
    get states() {
      return z.array(State)
    },
  })
  .meta({ id: 'StatechartState' })
const Chart = z
  .object({ id: z.string(), root: State })
  .meta({ id: 'Statechart' }) satisfies z.ZodType<Statechart>

/** The longest that a question waits for something to happen, ms. */
const WAIT_MAX_MS = 25_000
const RETRY_AFTER_S = 30

const params = z.object({ actor: actorId })

export function actorRoutes({ clock, mesh }: Pick<ApiParts, 'clock' | 'mesh'>): readonly Endpoint[] {
  const leases = new Leases(clock, mesh)
  const noActor = (id: string) =>
    notFound(`there is no actor ${id} now; /api/v1/actors lists those there are`)
  return [
    endpoint({
      method: 'GET',
      path: '/api/v1/actors',
      access: 'viewer',
      tag: 'actors',
      summary: 'Lists the living actors',
      query: z.object({
        ...listQuery('id', 'state', 'country', 'about'),
        search: text(128).optional().meta({ description: 'A part of the id, of `about` or the country.' }),
        kinds: z.array(oneOf(...ACTOR_KINDS)).optional(),
        state: text(64).optional().meta({ description: 'A part of the state.', example: 'lapsed' }),
        country: country.optional(),
        reason: reason.optional(),
        parent: actorId.optional().meta({ description: 'The actor that looks after them.' }),
      }),
      replies: { 200: { description: 'The actors.', schema: Page } },
      async handle({ query: { sort, ...wish } }) {
        const page = await mesh.actors({
          ...wish,
          sort: sort?.replace(/^-/, '') as 'id' | undefined, // the query lets no other through
          descending: sort?.startsWith('-') === true,
        })
        return json({ ...page, count: page.actors.length })
      },
    }),
    endpoint({
      method: 'GET',
      path: '/api/v1/actors/{actor}',
      access: 'viewer',
      tag: 'actors',
      summary: 'Tells what is known of one actor',
      params,
      replies: { 200: { description: 'The actor.', schema: View } },
      faults: [404],
      handle({ params: { actor: id } }) {
        const view = mesh.actor(id)
        if (view === null) throw noActor(id)
        return json(view)
      },
    }),
    endpoint({
      method: 'GET',
      path: '/api/v1/actors/{actor}/steps',
      access: 'viewer',
      tag: 'actors',
      summary: 'Tells what an actor does',
      description:
        'From the first question on the actor is watched, until nobody has asked for half a minute. Ask with `after`, the last number you have.',
      params,
      query: z.object({
        after: whole(0, Number.MAX_SAFE_INTEGER).default(0),
        waitMs: whole(0, WAIT_MAX_MS)
          .default(0)
          .meta({ description: 'How long to wait for the next step, ms.' }),
      }),
      replies: {
        200: { description: 'Its steps, oldest first.', schema: z.object({ steps: z.array(Step) }) },
      },
      faults: [404, 503],
      async handle({ params: { actor: id }, query: { after, waitMs } }) {
        const steps = await leases.after(id, after, waitMs)
        if (steps === 'unknown') throw noActor(id)
        if (steps === 'too_many') throw unavailable('too many actors are watched now', RETRY_AFTER_S)
        return json({ steps })
      },
    }),
    endpoint({
      method: 'GET',
      path: '/api/v1/statecharts',
      access: 'viewer',
      tag: 'actors',
      summary: 'Tells the statechart of each kind of actors',
      replies: {
        200: {
          description: 'By kind.',
          schema: z.object({ statecharts: z.partialRecord(oneOf(...ACTOR_KINDS), Chart) }),
        },
      },
      handle: () => json({ statecharts: mesh.statecharts() }),
    }),
  ]
}
