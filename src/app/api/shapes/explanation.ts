/** How a decision came about, and a standing route with it. */
import { z } from 'zod'
import type { Explanation as ExplanationView, RouteView } from '../../../actors/ports.js'
import { reason, tier, via } from './path.js'

const ScoredNode = z.object({
  nodeId: z.string(),
  cost: z.number().meta({ description: 'Lower is better; the sum of its terms.' }),
  terms: z
    .record(z.string(), z.number().nullable())
    .meta({ description: 'Null is unknown and counts as average.' }),
  liking: z
    .enum(['preferred', 'avoided', 'degraded'])
    .exactOptional()
    .meta({ description: 'Goes before the cost.' }),
})

export const Explanation = z
  .object({
    considered: z.int().meta({ description: 'Nodes that were looked at.' }),
    qualified: z.int().meta({ description: 'How many of them met every requirement.' }),
    excluded: z
      .record(z.string(), z.int())
      .meta({ description: 'Requirement, and how many nodes it ruled out.' }),
    compared: z.array(ScoredNode).meta({ description: 'Best first.' }),
    rejected: z
      .array(z.object({ nodeId: z.string(), reason: z.string() }))
      .exactOptional()
      .meta({ description: 'Who is out, and why: the first few.' }),
  })
  .meta({ id: 'Explanation' }) satisfies z.ZodType<ExplanationView>

export const Route = z
  .object({
    routeId: z.string(),
    link: z.int(),
    clientId: z.string(),
    nodeId: z.string(),
    tier,
    via: via.nullable(),
    reason: reason.nullable().meta({ description: 'Why the path is not direct.' }),
    sinceMs: z.number().meta({ description: 'Since when it travels so, ms since 1970 UTC.' }),
    explanation: Explanation,
  })
  .meta({ id: 'Route' }) satisfies z.ZodType<RouteView>
