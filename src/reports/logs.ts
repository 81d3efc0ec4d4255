/** `/api/logs`: what agents have to say. */
import { type SelectQueryBuilder, sql } from 'kysely'
import { z } from 'zod'
import { type Endpoint, endpoint } from '../http/endpoint.js'
import { id, moment, oneOf, text } from '../http/fields.js'
import { listQuery, listReply, listReplyOf } from '../http/listing.js'
import { json } from '../http/reply.js'
import type { Room } from '../store/index.js'
import { clean } from './batch.js'
import { BODY_MAX, common, type DoorParts, oneOrMore, posted, REPLIES, reporterSeenBy } from './http-door.js'
import { cut, markOf } from './page.js'
import type { ReportTables } from './tables.js'

/** The longest message, details and metadata as JSON, characters. */
const MESSAGE_MAX = 4_096
const DETAILS_MAX = 16_384
const METADATA_MAX = 16_384

const prose = (min: number, max: number) => {
  const error = `wanted ${min} to ${max} characters`
  return z.string({ error }).min(min, { error }).max(max, { error })
}

const Line = z.object({
  ...common,
  level: oneOf('info', 'warning', 'error'),
  message: prose(1, MESSAGE_MAX).meta({ example: 'Failed to connect to upstream' }),
  details: prose(0, DETAILS_MAX).nullish().meta({ example: 'Connection timeout after 30s' }),
  metadata: z
    .record(z.string(), z.unknown(), { error: 'wanted an object' })
    .refine(value => JSON.stringify(value).length <= METADATA_MAX, {
      error: `wanted at most ${METADATA_MAX} characters of JSON`,
    })
    .nullish()
    .meta({ example: { upstreamHost: '192.168.1.10', retries: 3 } }),
})

const Kept = z.object({
  id: z.int(),
  timestamp: moment,
  agentId: z.string(),
  reporter: z
    .string()
    .meta({ description: 'Who was verified to have reported it; `@operator` with its token.' }),
  level: oneOf('info', 'warning', 'error'),
  message: z.string(),
  details: z.string(),
  metadata: z.unknown(),
})

const Counts = z.object({ info: z.int(), warning: z.int(), error: z.int(), total: z.int() })

export function logEndpoints(parts: DoorParts & { readonly room: Room<ReportTables> }): readonly Endpoint[] {
  const { room } = parts
  return [
    endpoint({
      method: 'POST',
      path: '/api/logs',
      access: 'agent',
      tag: 'reports',
      summary: 'Report log lines',
      description: 'Errors at once, the others now and then. One, or a list of at most 100.',
      body: oneOrMore(Line),
      bodyMax: BODY_MAX,
      replies: REPLIES,
      faults: [422],
      handle: request =>
        posted(parts, request, given => ({
          logs: given.map(({ agentId, atMs, level, message, details, metadata }) => ({
            agentId,
            atMs,
            level,
            message: clean(message),
            details: clean(details ?? ''),
            metadata: metadata == null ? null : clean(JSON.stringify(metadata)),
          })),
        })),
    }),
    endpoint({
      method: 'GET',
      path: '/api/logs',
      access: 'agent',
      tag: 'reports',
      summary: 'List log lines',
      description: 'The newest comes first. An agent sees what it has reported itself.',
      query: z.object({
        ...listQuery('timestamp'),
        level: oneOf('info', 'warning', 'error').optional(),
        agentId: text(128).optional(),
        reporter: id.optional(),
        search: text(256).optional().meta({ description: 'Part of the message or of the details.' }),
      }),
      replies: {
        200: { description: 'The lines.', schema: listReply('logs', Kept).extend({ counts: Counts }) },
      },
      handle: async ({ query, caller }) => {
        const { agentId, level, search, limit, sort } = query
        const reporter = reporterSeenBy(caller, query.reporter)
        const mark = markOf(query)
        const isUp = sort === 'timestamp'
        const like = `%${clean(search ?? '').replaceAll(/[\\%_]/g, '\\$&')}%`
        const meets = <O>(from: SelectQueryBuilder<ReportTables, 'report_logs', O>) =>
          from
            .$if(agentId !== undefined, q => q.where('agent_id', '=', agentId ?? ''))
            .$if(reporter !== null, q => q.where('reporter', '=', reporter))
            .$if(search !== undefined, q =>
              q.where(w => w.or([w('message', 'ilike', like), w('details', 'ilike', like)])),
            )
        const { counted, rows } = await room.ask(async db => ({
          counted: await meets(db.selectFrom('report_logs'))
            .select(q => ['level', q.fn.countAll<number>().as('lines')])
            .groupBy('level')
            .execute(),
          rows: await meets(db.selectFrom('report_logs'))
            .selectAll()
            .$if(level !== undefined, q => q.where('level', '=', level ?? 'info'))
            .$if(mark !== null, q =>
              q.where(sql<boolean>`(at, id) ${sql.raw(isUp ? '>' : '<')} (${mark?.at}, ${mark?.id})`),
            )
            .orderBy('at', isUp ? 'asc' : 'desc')
            .orderBy('id', isUp ? 'asc' : 'desc')
            .limit(limit + 1)
            .execute(),
        }))
        const linesOf = (name: string) => counted.find(each => each.level === name)?.lines ?? 0
        const counts = { info: linesOf('info'), warning: linesOf('warning'), error: linesOf('error') }
        const all = counts.info + counts.warning + counts.error
        const { page, next } = cut(rows, limit, row => [row.at.getTime(), String(row.id)])
        const logs = page.map(row => ({
          id: row.id,
          timestamp: row.at,
          agentId: row.agent_id,
          reporter: row.reporter,
          level: row.level,
          message: row.message,
          details: row.details,
          metadata: row.metadata === null ? null : parsed(row.metadata),
        }))
        const total = level === undefined ? all : counts[level]
        return json({
          ...listReplyOf('logs', { rows: logs, total, next }),
          counts: { ...counts, total: all },
        })
      },
    }),
  ]
}

/** Returns the value of JSON, or the text when an agent called something else JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
