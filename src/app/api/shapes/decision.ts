/** Decisions for one client, as requests ask for them and as answers tell of them. */
import { z } from 'zod'
import type {
  Deliberation as DeliberationView,
  RouteOutcome,
  RouteStory as RouteStoryView,
} from '../../../actors/ports.js'
import { amount, country, id, ids, oneOf, text, weights, yesNo } from '../../../http/fields.js'
import { COST_TERMS } from '../../../protocol/messages.js'
import { Explanation } from './explanation.js'
import { tier, via } from './path.js'
import { Steering } from './steering.js'

/** What is asked of the node: what `boson client` can ask for, and `exclude`. */
export const Wish = z
  .strictObject({
    target: id.meta({ description: 'This node and no other.' }),
    country,
    region: text(64),
    tags: ids(16).meta({ description: 'The node has all of these.' }),
    group: id.meta({ description: 'The node is in this group of the operator’s.' }),
    minBandwidthMbps: amount(0, 1_000_000).meta({
      description: 'The node has at least this much left, Mbit/s.',
    }),
    maxLatencyMs: amount(0, 60_000).meta({
      description: 'Its round trip to the coordinator is at most this, ms.',
    }),
    exit: yesNo.meta({ description: 'Whether it forwards to the internet.' }),
    exclude: ids(32),
    prefer: ids(16).meta({ description: 'One of these, if any of them qualifies.' }),
    avoid: ids(32).meta({ description: 'One of these only when no other qualifies.' }),
    weights,
  })
  .exactPartial()

/** A wish as it is kept: as clients spell it on the wire. */
const WireWish = z
  .object({
    target: z.string(),
    country: z.string(),
    region: z.string(),
    tags: z.array(z.string()),
    group: z.string(),
    minBandwidthMbps: z.number(),
    maxLatencyMs: z.number(),
    exit: z.boolean(),
    exclude: z.array(z.string()),
    prefer: z.array(z.string()),
    avoid: z.array(z.string()),
    weights: z.array(z.tuple([z.enum(COST_TERMS), z.number()])),
  })
  .exactPartial()
  .meta({ id: 'RouteWish', description: 'What is asked of a node.' })

const RouteSummary = z.object({ routeId: z.string(), link: z.int(), nodeId: z.string() })
const nowMs = z.number().meta({ description: 'When this was said, ms since 1970 UTC.' })

const deliberation = {
  nowMs,
  clientId: z.string(),
  wish: WireWish.meta({ description: 'What the standing route was asked for.' }),
  order: WireWish.meta({
    description: 'What this request asks for on top of it; what is hard holds together.',
  }),
  steering: Steering,
  standing: RouteSummary.nullable().meta({ description: 'The route that stands.' }),
  explanation: Explanation,
}

export const Deliberation = z.object(deliberation).meta({
  id: 'Deliberation',
  description: 'What a decision would come to.',
}) satisfies z.ZodType<DeliberationView>

export const Outcome = z
  .object({
    ...deliberation,
    outcome: oneOf('moved', 'kept', 'refused', 'unasked').meta({
      description:
        '`kept`: the client is where it should be. `refused`: no node qualifies. `unasked`: the client has no route, and its agent would not use one that it has not asked for.',
    }),
    route: RouteSummary.nullable().meta({ description: 'The route that stands from now on.' }),
  })
  .meta({ id: 'RouteOutcome' }) satisfies z.ZodType<RouteOutcome>

const Move = z.object({ atMs: z.number(), from: z.string(), to: z.string(), cause: z.string() })

export const RouteStory = z
  .object({
    ...RouteSummary.shape,
    nowMs,
    clientId: z.string(),
    wish: WireWish,
    steering: Steering,
    tier,
    via: via.nullable(),
    assignedAtMs: z.number(),
    alternatives: z.array(z.string()).meta({ description: 'Who would be next, best first.' }),
    explanation: Explanation,
    history: z.object({
      decidedAtMs: z
        .number()
        .meta({ description: 'When the decision that stands was made, ms since 1970 UTC.' }),
      moved: z.int().meta({ description: 'How often the route moved.' }),
      moves: z.array(Move).meta({ description: 'The last moves, oldest first.' }),
      stayed: z
        .record(z.string(), z.int())
        .meta({ description: 'How often it had a reason to move and stayed, by why.' }),
    }),
    waiting: z
      .object({ cause: z.string(), sinceMs: z.number(), remainingMs: z.number().nullable() })
      .nullable()
      .meta({
        description:
          'It has to move and nobody qualifies: why, since when, and how long it may stay, ms; null: until somebody does.',
      }),
    now: Explanation.nullable().meta({ description: 'Every node as it is now, when that was asked for.' }),
  })
  .meta({
    id: 'RouteStory',
    description: 'A standing route and how it came about.',
  }) satisfies z.ZodType<RouteStoryView>
