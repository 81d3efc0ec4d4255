/** `/api/v1/reports/streams`: how far the reports of each agent have come, and what it had no room for. */
import { sql } from 'kysely'
import { z } from 'zod'
import { type Endpoint, endpoint } from '../http/endpoint.js'
import { id, moment } from '../http/fields.js'
import { cursorOf, listQuery, listReply, listReplyOf } from '../http/listing.js'
import { json } from '../http/reply.js'
import type { Room } from '../store/index.js'
import { cut } from './page.js'
import { missed } from './sequence.js'
import type { ReportTables } from './tables.js'

const Stream = z.object({
  reporter: z.string().meta({ description: 'The agent; `@operator` with its token.' }),
  stream: z.string().meta({ description: 'Names the agent’s spool; a new one when the spool was lost.' }),
  lastSeq: z.int().meta({ description: 'The highest number that has come.' }),
  batches: z.int(),
  repeated: z.int().meta({ description: 'Batches that came again, and were not counted again.' }),
  missing: z.int().meta({ description: 'Numbers below the highest that have not come.' }),
  dropped: z.int().meta({ description: 'Records that the agent had no room for, as it says.' }),
  changedAt: moment,
})

export const streamEndpoint = ({ room }: { readonly room: Room<ReportTables> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/api/v1/reports/streams',
    access: 'viewer',
    tag: 'reports',
    summary: 'List how far the reports of each agent have come',
    query: z.object({ ...listQuery('reporter'), reporter: id.optional() }),
    replies: { 200: { description: 'The streams.', schema: listReply('streams', Stream) } },
    handle: async ({ query: { limit, after, sort, reporter } }) => {
      const [afterReporter, afterStream] = after === undefined ? [] : cursorOf(after)
      const isDown = sort === '-reporter'
      const order = isDown ? 'desc' : 'asc'
      const { total, rows } = await room.ask(async db => {
        const wanted = db
          .selectFrom('report_streams')
          .$if(reporter !== undefined, q => q.where('reporter', '=', reporter ?? ''))
        return {
          total: (await wanted.select(q => q.fn.countAll<number>().as('n')).executeTakeFirstOrThrow()).n,
          rows: await wanted
            .selectAll()
            .$if(after !== undefined, q =>
              q.where(
                sql<boolean>`(reporter, stream) ${sql.raw(isDown ? '<' : '>')} (${String(afterReporter)}, ${afterStream})`,
              ),
            )
            .orderBy('reporter', order)
            .orderBy('stream', order)
            .limit(limit + 1)
            .execute(),
        }
      })
      const { page, next } = cut(rows, limit, last => [last.reporter, last.stream])
      const streams = page.map(row => ({
        reporter: row.reporter,
        stream: row.stream,
        lastSeq: row.last_seq,
        batches: row.batches,
        repeated: row.repeated,
        missing: missed({ last: row.last_seq, missing: row.missing }),
        dropped: row.dropped,
        changedAt: row.changed_at,
      }))
      return json(listReplyOf('streams', { rows: streams, total, next }))
    },
  })
