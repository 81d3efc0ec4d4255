/** What an operator may lay down, as requests say it and as answers tell of it. */
import { z } from 'zod'
import type { SteeringView } from '../../../actors/ports.js'
import { factor, id, ids, weights, whole } from '../../../http/fields.js'

/** More than any node carries. */
const PLACES_MAX = 1_000_000

/** What may be changed; what is left out stays. A drain has a course, and pages of its own. */
export const SteeringChange = z
  .strictObject({
    groups: ids(16).meta({ description: 'Node: groups it is in.' }),
    tags: ids(16).meta({ description: 'Node: tags beside those it gives itself.' }),
    costWeight: factor
      .nullable()
      .meta({ description: 'Node: how dear it is; null: as it says itself, or 1.' }),
    maxSessions: whole(0, PLACES_MAX)
      .nullable()
      .meta({ description: 'Node: clients it may carry at once; null: as it says itself.' }),
    pin: id.nullable().meta({ description: 'Client: the only node it may use.' }),
    prefer: ids(16).meta({ description: 'Client: nodes that it uses rather.' }),
    avoid: ids(32).meta({ description: 'Client: nodes that it uses only when no other qualifies.' }),
    group: id.nullable().meta({ description: 'Client: the only group whose nodes it may use.' }),
    weights: weights.meta({
      description: 'Client: how much a term of the cost counts; what is left out counts 1.',
    }),
  })
  .exactPartial()

export const Steering = z
  .object({
    groups: z.array(z.string()),
    tags: z.array(z.string()),
    costWeight: z.number().nullable(),
    maxSessions: z.int().nullable(),
    drained: z.boolean(),
    drainedUntilMs: z.number().nullable().meta({
      description: 'When the routes that the drain has left are ended, ms since 1970 UTC; null: never.',
    }),
    pin: z.string().nullable(),
    prefer: z.array(z.string()),
    avoid: z.array(z.string()),
    group: z.string().nullable(),
    weights,
  })
  .meta({ id: 'Steering', description: 'What the operator has laid down for a node or a client.' })

export const Steered = z.object({
  id,
  role: z.enum(['node', 'client']),
  steering: Steering,
}) satisfies z.ZodType<SteeringView>
