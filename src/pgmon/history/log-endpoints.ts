/** `/pgmon/logs`: what befell servers. */
import { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest } from '../../http/faults.js'
import { instant, oneOf } from '../../http/fields.js'
import { cursorOf, listQuery, listReply, listReplyOf } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { Servers } from '../ports.js'
import type { EventFilter, EventLog } from './event-log.js'
import { LEVELS, LogCounts, LogRow } from './forms.js'
import type { Settings } from './settings.js'
import { DAY_MS } from './width.js'

export interface LogParts {
  readonly clock: PluginHost['clock']
  readonly servers: Servers
  readonly events: EventLog
  readonly settings: Settings
}

const filter = {
  server: z.string().optional().meta({ description: 'Only of the server with this name.' }),
  level: oneOf(...LEVELS).optional(),
  from: instant.optional().meta({ description: 'As long before the end as events are kept when absent.' }),
  to: instant.optional().meta({ description: 'Now when absent.' }),
}
const { limit, after } = listQuery('at')
const tag = 'databases'
const access = 'viewer'

export function logEndpoints({ clock, servers, events, settings }: LogParts): readonly Endpoint[] {
  const filterOf = (query: z.output<z.ZodObject<typeof filter>>): EventFilter => {
    // What happens at this very moment is told, too.
    const toMs = query.to ?? clock.wallMs() + 1
    const fromMs = query.from ?? Math.max(0, toMs - settings.current.logs_days * DAY_MS)
    if (fromMs >= toMs) throw badRequest('from: wanted a time before `to`')
    return {
      serverId: query.server === undefined ? null : servers.called(query.server).serverId,
      level: query.level ?? null,
      fromMs,
      toMs,
    }
  }
  return [
    endpoint({
      method: 'GET',
      path: '/pgmon/logs',
      access,
      tag,
      summary: 'Lists what befell servers, the newest first',
      query: z.object({ ...filter, limit, after }),
      replies: { 200: { description: 'A page of events.', schema: listReply('logs', LogRow) } },
      faults: [404],
      async handle({ query }) {
        const from = query.after === undefined ? null : cursorOf(query.after)
        if (from !== null && !(typeof from[0] === 'number' && /^\d{1,15}$/.test(from[1])))
          throw badRequest('after: wanted `next` of the page before')
        const { rows, total } = await events.page(filterOf(query), query.limit + 1, from)
        const page = rows.slice(0, query.limit)
        const last = page.at(-1)
        return json(
          listReplyOf('logs', {
            rows: page.map(
              ({ id, atMs, serverId, level, kind, message }): LogRow => ({
                id,
                at: new Date(atMs).toISOString(),
                server: serverId === null ? null : (servers.byId(serverId)?.name ?? null),
                level,
                kind,
                message,
              }),
            ),
            total,
            next: last !== undefined && rows.length > page.length ? [last.atMs, String(last.id)] : null,
          }),
        )
      },
    }),
    endpoint({
      method: 'GET',
      path: '/pgmon/logs/stats',
      access,
      tag,
      summary: 'Counts what befell servers, by day, level and kind',
      query: z.object(filter),
      replies: { 200: { description: 'How many events there were.', schema: LogCounts } },
      faults: [404],
      async handle({ query }) {
        const counted = filterOf(query)
        const rows = await events.counts(counted)
        return json({
          from: new Date(counted.fromMs).toISOString(),
          to: new Date(counted.toMs).toISOString(),
          total: sumOf(rows),
          levels: Object.fromEntries(
            LEVELS.map(level => [level, sumOf(rows.filter(row => row.level === level))]),
          ) as LogCounts['levels'], // each of them
          kinds: [...new Set(rows.map(({ kind }) => kind))].toSorted().map(kind => ({
            kind,
            count: sumOf(rows.filter(row => row.kind === kind)),
          })),
          days: [...new Set(rows.map(({ day }) => day))].map(day => ({
            day,
            count: sumOf(rows.filter(row => row.day === day)),
          })),
        } satisfies LogCounts)
      },
    }),
  ]
}

const sumOf = (rows: readonly { readonly count: number }[]): number =>
  rows.reduce((sum, { count }) => sum + count, 0)
