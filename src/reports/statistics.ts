/** `/api/statistics`: traffic of the resources that agents serve, proxies and domains. */
import { sql } from 'kysely'
import { z } from 'zod'
import { type Endpoint, endpoint } from '../http/endpoint.js'
import { amount, id, moment, oneOf, text, whole } from '../http/fields.js'
import { json } from '../http/reply.js'
import type { Room } from '../store/index.js'
import { boundedMean, served } from './batch.js'
import { common, type DoorParts, line, oneOrMore, posted, REPLIES, reporterSeenBy } from './http-door.js'
import { type ReportTables, type Width, WIDTHS } from './tables.js'

const DAY_MS = 86_400_000
/** Agents are ranked by their bytes; so many are told. */
const TOP_AGENTS = 10
/** What one record may hold, a pebibyte: more is a mistake. */
const BYTES_MAX = 2 ** 50
const REQUESTS_MAX = 2 ** 40

/** How far back each range looks, ms, and the width of its points. */
const RANGES: Readonly<Record<Range, { readonly backMs: number; readonly width: Width }>> = {
  '1h': { backMs: 3_600_000, width: '5min' },
  '24h': { backMs: DAY_MS, width: 'hour' },
  '7d': { backMs: 7 * DAY_MS, width: 'hour' },
  '30d': { backMs: 30 * DAY_MS, width: 'day' },
  '90d': { backMs: 90 * DAY_MS, width: 'day' },
}
type Range = '1h' | '24h' | '7d' | '30d' | '90d'

const Statistic = z.object({
  ...common,
  resourceType: oneOf('proxy', 'domain'),
  resourceId: line(128),
  inboundBytes: whole(0, BYTES_MAX),
  outboundBytes: whole(0, BYTES_MAX),
  requests: whole(0, REQUESTS_MAX).meta({ description: 'A record with 0 is skipped: keep counting.' }),
  responseTimeMs: amount(0, Number.MAX_VALUE).nullish().meta({ description: 'Mean of the requests, ms.' }),
  errors: whole(0, REQUESTS_MAX).default(0),
})

const Sums = z.object({
  inboundBytes: z.int(),
  outboundBytes: z.int(),
  requests: z.int(),
  errors: z.int(),
  responseTimeMs: z.number().nullable().meta({ description: 'Mean of all requests, ms; null without any.' }),
})

const Statistics = z.object({
  timeRange: oneOf('1h', '24h', '7d', '30d', '90d'),
  from: moment.meta({ description: 'Begin of the first bucket.' }),
  until: moment,
  interval: oneOf('5min', 'hour', 'day').meta({ description: 'Width of a bucket.' }),
  totals: Sums.extend({ agents: z.int(), resources: z.int() }),
  byType: z.object({ proxy: Sums, domain: Sums }),
  topAgents: z.array(Sums.extend({ agentId: z.string(), reporter: z.string() })),
  timeSeries: z.array(Sums.extend({ timestamp: moment })),
  uptime: z.number().meta({ description: 'Of the coordinator, s.' }),
})

type StatisticParts = DoorParts & { readonly room: Room<ReportTables>; readonly startedAtMs: number }

export function statisticEndpoints(parts: StatisticParts): readonly Endpoint[] {
  const { room, clock } = parts
  return [
    endpoint({
      method: 'POST',
      path: '/api/statistics',
      access: 'agent',
      tag: 'reports',
      summary: 'Report traffic of resources',
      description:
        'Every five minutes: what a resource has served since the last report that was stored. One, or a list of at most 100.',
      body: oneOrMore(Statistic),
      replies: REPLIES,
      faults: [422],
      handle: request =>
        posted(parts, request, given => ({
          traffic: served(
            given.map(({ agentId, atMs, resourceType, resourceId, responseTimeMs, ...sums }) => ({
              agentId,
              atMs,
              resourceType,
              resourceId: resourceId,
              inboundBytes: sums.inboundBytes,
              outboundBytes: sums.outboundBytes,
              requests: sums.requests,
              responseTimeMs: boundedMean(responseTimeMs ?? 0),
              errors: sums.errors,
            })),
          ),
        })),
    }),
    endpoint({
      method: 'GET',
      path: '/api/statistics',
      access: 'agent',
      tag: 'reports',
      summary: 'Sum up the traffic of resources',
      description: 'An agent sees what it has reported itself.',
      query: z.object({
        timeRange: oneOf('1h', '24h', '7d', '30d', '90d').default('24h'),
        agentId: text(128).optional(),
        reporter: id.optional(),
      }),
      replies: { 200: { description: 'The sums.', schema: Statistics } },
      handle: async ({ query, caller }) => {
        const { timeRange, agentId } = query
        const { backMs, width } = RANGES[timeRange]
        const widthMs = WIDTHS[width]
        const nowMs = clock.wallMs()
        const fromMs = nowMs - backMs - ((nowMs - backMs) % widthMs)
        const reporter = reporterSeenBy(caller, query.reporter)
        const rows = await room
          .ask(db =>
            sql<Row>`
            select
              case when grouping(bucket) = 0 then bucket end as bucket,
              case when grouping(resource_type) = 0 then resource_type end as type,
              case when grouping(agent_id) = 0 then agent_id end as "agentId",
              case when grouping(agent_id) = 0 then reporter end as reporter,
              sum(inbound_bytes)::float8 as "inboundBytes",
              sum(outbound_bytes)::float8 as "outboundBytes",
              sum(requests)::float8 as requests,
              sum(errors)::float8 as errors,
              sum(response_ms) as "responseMs",
              count(distinct (reporter, agent_id)) as agents,
              count(distinct (resource_type, resource_id)) as resources
            from report_traffic
            where width = ${width} and bucket >= ${new Date(fromMs)} and bucket <= ${new Date(nowMs)}
              and (${agentId ?? null}::text is null or agent_id = ${agentId ?? null})
              and (${reporter}::text is null or reporter = ${reporter})
            group by grouping sets ((), (bucket), (resource_type), (reporter, agent_id))`.execute(db),
          )
          .then(({ rows: found }) => found)
        return json({
          timeRange,
          from: new Date(fromMs),
          until: new Date(nowMs),
          interval: width,
          ...summedUp(rows, { fromMs, nowMs, widthMs }),
          uptime: (nowMs - parts.startedAtMs) / 1_000,
        })
      },
    }),
  ]
}

interface Row {
  readonly bucket: Date | null
  readonly type: string | null
  readonly agentId: string | null
  readonly reporter: string | null
  readonly inboundBytes: number | null
  readonly outboundBytes: number | null
  readonly requests: number | null
  readonly errors: number | null
  readonly responseMs: number | null
  readonly agents: number
  readonly resources: number
}

function summedUp(
  rows: readonly Row[],
  { fromMs, nowMs, widthMs }: { readonly fromMs: number; readonly nowMs: number; readonly widthMs: number },
) {
  const all = rows.find(row => row.bucket === null && row.type === null && row.agentId === null)
  const ofType = (type: string) => sumsOf(rows.find(row => row.type === type))
  const points = new Map(rows.flatMap(row => (row.bucket === null ? [] : [[row.bucket.getTime(), row]])))
  const topAgents = rows
    .flatMap(row => (row.agentId === null ? [] : [row]))
    .map(row => ({ agentId: row.agentId, reporter: row.reporter, ...sumsOf(row) }))
    .sort((a, b) => bytesOf(b) - bytesOf(a) || (`${a.agentId}` < `${b.agentId}` ? -1 : 1))
    .slice(0, TOP_AGENTS)
  const timeSeries: unknown[] = []
  for (let atMs = fromMs; atMs <= nowMs; atMs += widthMs)
    timeSeries.push({ timestamp: new Date(atMs), ...sumsOf(points.get(atMs)) })
  return {
    totals: { ...sumsOf(all), agents: all?.agents ?? 0, resources: all?.resources ?? 0 },
    byType: { proxy: ofType('proxy'), domain: ofType('domain') },
    topAgents,
    timeSeries,
  }
}

function sumsOf(row: Row | undefined): z.output<typeof Sums> {
  const { inboundBytes, outboundBytes, requests, errors, responseMs } = row ?? {}
  return {
    inboundBytes: inboundBytes ?? 0,
    outboundBytes: outboundBytes ?? 0,
    requests: requests ?? 0,
    errors: errors ?? 0,
    responseTimeMs: requests ? (responseMs ?? 0) / requests : null,
  }
}

const bytesOf = ({ inboundBytes, outboundBytes }: z.output<typeof Sums>): number =>
  inboundBytes + outboundBytes
