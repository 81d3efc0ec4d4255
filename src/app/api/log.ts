/** `/api/v1/log`: the last lines of the coordinator’s log. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { oneOf, text, whole } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { LEVELS } from '../../protocol/operator-messages.js'
import type { LogLine } from '../../telemetry/log-tail.js'
import type { ApiParts } from './routes.js'

/** Lines when nobody says, and at most: all that are kept. */
const LINES = { usual: 200, most: 1_000 }

const Line = z
  .object({
    seq: z.int().meta({ description: 'Counts the lines of this process.' }),
    atMs: z.number().meta({ description: 'ms since 1970 UTC.' }),
    level: oneOf(...LEVELS),
    message: z.string(),
    fields: z.record(z.string(), z.unknown()).meta({ description: 'Secrets are masked.' }),
  })
  .meta({ id: 'LogLine' }) satisfies z.ZodType<LogLine>

export const logRoute = ({ tail }: Pick<ApiParts, 'tail'>): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/api/v1/log',
    access: 'viewer',
    tag: 'log',
    summary: 'Lists the last lines of the log',
    description: `Of the newest ${LINES.most} lines of this process, which are in memory alone.`,
    query: z.object({
      level: oneOf(...LEVELS)
        .default('info')
        .meta({ description: 'This level and those above.' }),
      search: text(128).optional().meta({ description: 'A part of the message or of a field, in any case.' }),
      limit: whole(1, LINES.most).default(LINES.usual),
      after: whole(0, Number.MAX_SAFE_INTEGER)
        .default(0)
        .meta({ description: 'Only lines with a number above this one.' }),
    }),
    replies: {
      200: {
        description: 'The newest lines, the oldest of them first.',
        schema: z.object({ lines: z.array(Line) }),
      },
    },
    handle: ({ query: { limit, after, ...wish } }) => json({ lines: tail.lines(wish, limit, after) }),
  })
