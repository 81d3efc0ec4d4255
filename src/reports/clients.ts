/** `/api/clients`: the users that agents have seen, each once for its agent, address and user agent. */
import { type SelectQueryBuilder, sql } from 'kysely'
import { z } from 'zod'
import { type Endpoint, endpoint } from '../http/endpoint.js'
import { id, moment, text } from '../http/fields.js'
import { listQuery, listReply, listReplyOf } from '../http/listing.js'
import { json } from '../http/reply.js'
import type { Room } from '../store/index.js'
import { canonicalIp, clean } from './batch.js'
import { common, type DoorParts, line, oneOrMore, posted, REPLIES, reporterSeenBy } from './http-door.js'
import { cut, markOf } from './page.js'
import type { ReportTables } from './tables.js'

/** Agents report a client every five minutes while it is active; one report may be late, ms. */
const ACTIVE_MS = 600_000
/** User agents are cut there, characters. */
const USER_AGENT_MAX = 512

const wantedIp = { error: 'wanted an IP address' }
const Client = z.object({
  ...common,
  ip: z
    .string(wantedIp)
    .refine(value => canonicalIp(value) !== null, wantedIp)
    .meta({ example: '185.142.123.45' }),
  userAgent: line(4_096, 0).nullish(),
  country: line(64, 0).nullish().meta({ example: 'Germany' }),
  city: line(128, 0).nullish().meta({ example: 'Berlin' }),
  countryCode: z
    .string()
    .regex(/^([A-Za-z]{2})?$/, { error: 'wanted two letters such as DE' })
    .nullish()
    .meta({ example: 'DE' }),
})

const Seen = z.object({
  agentId: z.string(),
  reporter: z
    .string()
    .meta({ description: 'Who was verified to have reported it; `@operator` with its token.' }),
  ip: z.string(),
  userAgent: z.string(),
  country: z.string().nullable(),
  city: z.string().nullable(),
  countryCode: z.string().nullable(),
  firstSeen: moment,
  lastSeen: moment,
  reports: z.int().meta({ description: 'How often it was reported.' }),
})

const Stats = z.object({
  totalClients: z.int(),
  activeConnections: z.int().meta({ description: 'Seen in the last ten minutes.' }),
  uniqueCountries: z.int(),
})

export function clientEndpoints(
  parts: DoorParts & { readonly room: Room<ReportTables> },
): readonly Endpoint[] {
  const { room, clock } = parts
  return [
    endpoint({
      method: 'POST',
      path: '/api/clients',
      access: 'agent',
      tag: 'reports',
      summary: 'Report clients',
      description:
        'On a new connection, and every five minutes while it is active. One, or a list of at most 100.',
      body: oneOrMore(Client),
      replies: REPLIES,
      faults: [422],
      handle: request =>
        posted(parts, request, given => ({
          clients: given.map(({ agentId, atMs, ip, userAgent, country, city, countryCode }) => ({
            agentId,
            atMs,
            ip: canonicalIp(ip) ?? ip,
            userAgent: clean((userAgent ?? '').slice(0, USER_AGENT_MAX)),
            country: country || null,
            city: city || null,
            countryCode: countryCode?.toUpperCase() || null,
          })),
        })),
    }),
    endpoint({
      method: 'GET',
      path: '/api/clients',
      access: 'agent',
      tag: 'reports',
      summary: 'List the clients that were reported',
      description: 'The one seen last comes first. An agent sees what it has reported itself.',
      query: z.object({
        ...listQuery('lastSeen'),
        agentId: text(128).optional(),
        reporter: id.optional(),
      }),
      replies: {
        200: { description: 'The clients.', schema: listReply('clients', Seen).extend({ stats: Stats }) },
      },
      handle: async ({ query, caller }) => {
        const { agentId, limit, sort } = query
        const reporter = reporterSeenBy(caller, query.reporter)
        const mark = markOf(query)
        const isUp = sort === 'lastSeen'
        const meets = <O>(from: SelectQueryBuilder<ReportTables, 'report_clients', O>) =>
          from
            .$if(agentId !== undefined, q => q.where('agent_id', '=', agentId ?? ''))
            .$if(reporter !== null, q => q.where('reporter', '=', reporter))
        const { stats, rows } = await room.ask(async db => ({
          stats: await meets(db.selectFrom('report_clients'))
            .select(q => [
              q.fn.countAll<number>().as('totalClients'),
              q.fn
                .countAll<number>()
                .filterWhere('last_seen', '>=', new Date(clock.wallMs() - ACTIVE_MS))
                .as('activeConnections'),
              q.fn.count<number>('country_code').distinct().as('uniqueCountries'),
            ])
            .executeTakeFirstOrThrow(),
          rows: await meets(db.selectFrom('report_clients'))
            .selectAll()
            .$if(mark !== null, q =>
              q.where(sql<boolean>`(last_seen, id) ${sql.raw(isUp ? '>' : '<')} (${mark?.at}, ${mark?.id})`),
            )
            .orderBy('last_seen', isUp ? 'asc' : 'desc')
            .orderBy('id', isUp ? 'asc' : 'desc')
            .limit(limit + 1)
            .execute(),
        }))
        const { page, next } = cut(rows, limit, row => [row.last_seen.getTime(), String(row.id)])
        const clients = page.map(row => ({
          agentId: row.agent_id,
          reporter: row.reporter,
          ip: row.ip,
          userAgent: row.user_agent,
          country: row.country,
          city: row.city,
          countryCode: row.country_code,
          firstSeen: row.first_seen,
          lastSeen: row.last_seen,
          reports: row.reports,
        }))
        const total = stats.totalClients
        return json({ ...listReplyOf('clients', { rows: clients, total, next }), stats })
      },
    }),
  ]
}
