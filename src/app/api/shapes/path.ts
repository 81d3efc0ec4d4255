/** Paths as answers tell of them. */
import { z } from 'zod'
import type { PathStory as PathStoryView, PathView, WhyView } from '../../../actors/ports.js'
import { id, oneOf } from '../../../http/fields.js'
import { PATH_REASONS } from '../../../mesh/path-reason.js'
import { Nat } from './nat.js'
import { ability, policy } from './node.js'

export const tier = oneOf('opening', 'relayed', 'turned', 'direct', 'waiting', 'closed').meta({
  description: 'How packets travel; `waiting`: not at all, because the policy allows only a direct way.',
})
export const via = oneOf('websocket', 'udp', 'wireguard', 'ice').meta({ description: 'By which socket.' })

export const reason = z.enum(PATH_REASONS, { error: `wanted one of ${PATH_REASONS.join(', ')}` })

/** ms since 1970 UTC. */
const atMs = z.number().meta({ description: 'ms since 1970 UTC.' })

const TierBytes = z.object({ relayed: z.number(), turned: z.number(), direct: z.number() })

const path = {
  pathId: z.string(),
  link: z.int(),
  routeId: z.string(),
  clientId: z.string(),
  nodeId: z.string(),
  policy,
  tier,
  via: via.nullable(),
  sinceMs: atMs,
  reason: z.string().nullable().meta({ description: 'Why it is not direct: a reason code.' }),
  openedAtMs: atMs,
  closedAtMs: atMs.nullable(),
  closedBecause: z.string().nullable(),
  rttMs: z.number().nullable(),
  lossPct: z.number().nullable(),
  bytes: z.object({ toNode: TierBytes, toClient: TierBytes }),
  attempted: z.int().meta({ description: 'Number of the last attempt to leave the relay.' }),
}

export const Path = z.object(path).meta({ id: 'Path' }) satisfies z.ZodType<PathView>

const Trial = z.object({
  outcome: z.enum(['direct', 'turned', 'failed']),
  local: z.string().nullable(),
  remote: z.string().nullable(),
  rttMs: z.number().nullable(),
  cause: z.string().nullable(),
  tried: z.array(z.string()).meta({ description: 'Each pair that was tried and what became of it.' }),
  lost: z.object({ atMs, cause: z.string().nullable() }).nullable(),
})

const End = z.object({
  id,
  state: z.string().nullable().meta({ description: 'State of its session; null when it has none.' }),
  nat: Nat,
  can: z.array(ability),
  rttMs: z.number().nullable(),
  lossPct: z.number().nullable(),
  reportedAtMs: atMs.nullable(),
  candidates: z.array(z.string()).meta({ description: 'Where it says it may be reached.' }),
})

export const PathStory = z
  .object({
    ...path,
    words: z.string().nullable().meta({ description: 'The reason as a person can act on it.' }),
    ends: z.object({ client: End, node: End }),
    attempts: z
      .array(
        z.object({
          attempt: z.int(),
          via: z.enum(['udp', 'wireguard', 'ice']),
          atMs,
          client: Trial.nullable(),
          node: Trial.nullable(),
        }),
      )
      .meta({ description: 'The last ones, oldest first.' }),
    history: z
      .array(
        z.object({ tier, via: via.nullable(), reason: z.string().nullable(), fromMs: atMs, untilMs: atMs }),
      )
      .meta({ description: 'Where it was before, oldest first.' }),
  })
  .meta({ id: 'PathStory' }) satisfies z.ZodType<PathStoryView>

export const Why = z
  .object({
    nowMs: atMs.meta({ description: 'When this was said, ms since 1970 UTC.' }),
    words: z.string().meta({ description: 'The answer in one line.' }),
    paths: z.array(PathStory).meta({ description: 'Live ones first, newest first.' }),
    complete: z
      .boolean()
      .meta({ description: 'False: the database is away, and only what is in memory was looked at.' }),
  })
  .meta({ id: 'Why' }) satisfies z.ZodType<WhyView>
