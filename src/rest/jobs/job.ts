/**
 * Something that a node is to do. It is told until it is acknowledged or its time is over, so it may be told more than
 * once: whoever does it goes by its id.
 *
 *   pending ─→ delivered ─┬─→ done | failed
 *      └──────────┴───────┴─→ expired | cancelled
 */
import { z } from 'zod'
import { moment, oneOf } from '../../http/fields.js'
import { JOB_JSON_MAX } from '../../protocol/messages.js'

export const JOB_TYPES = [
  'updateConfig',
  'restart',
  'maintenance',
  'add_key',
  'del_key',
  'custom',
  'reprobe',
  'logLevel',
  'bundle',
] as const
export const JOB_STATES = ['pending', 'delivered', 'done', 'failed', 'expired', 'cancelled'] as const
export type JobType = (typeof JOB_TYPES)[number]
export type JobState = (typeof JOB_STATES)[number]

/** Any JSON; null is nothing. */
export type Json = unknown

export interface Job {
  readonly id: number
  readonly server_id: string
  readonly type: JobType
  readonly key_id: string | null
  readonly email: string | null
  readonly payload: Json
  readonly status: JobState
  /** What was said when it was acknowledged. */
  readonly result: Json
  readonly created_at: Date
  readonly created_by: string
  readonly expires_at: Date
  readonly deliveries: number
  readonly delivered_at: Date | null
  /** When its node said that it has it, over its session. */
  readonly accepted_at: Date | null
  readonly finished_at: Date | null
}

/** What an operator orders. */
export type Order = Pick<Job, 'server_id' | 'type' | 'key_id' | 'email' | 'payload' | 'created_by'> & {
  readonly ttlMs: number
}

/** What the database cannot keep within JSON: NUL, and half a character. */
const UNKEEPABLE = /\\u(?:0000|d[89a-f][0-9a-f]{2})/i

/** Any JSON that can be kept. */
export const keepable = z.unknown().refine(
  value => {
    const spelled = JSON.stringify(value) ?? 'null'
    return Buffer.byteLength(spelled) <= JOB_JSON_MAX && !UNKEEPABLE.test(spelled)
  },
  { error: `wanted JSON of at most ${JOB_JSON_MAX} bytes, without NUL` },
)

export const JobReply = z.object({
  id: z.int(),
  server_id: z.string().meta({ description: 'The node or VPN server.' }),
  type: oneOf(...JOB_TYPES),
  key_id: z.string().nullable(),
  email: z.string().nullable(),
  payload: z.unknown(),
  status: oneOf(...JOB_STATES),
  result: z.unknown().meta({ description: 'What was said when it was acknowledged.' }),
  created_at: moment,
  created_by: z.string(),
  expires_at: moment,
  deliveries: z.int().meta({ description: 'How often it was told.' }),
  delivered_at: moment.nullable(),
  accepted_at: moment.nullable().meta({ description: 'When its node said over its session that it has it.' }),
  step: z
    .string()
    .nullable()
    .meta({ description: 'How far it is, as its node said last; null when it has not.' }),
  finished_at: moment.nullable(),
})
