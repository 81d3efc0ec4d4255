/** `/api/v1/metrics`: nodes tell their figures, and whoever may sees what they were. */
import { z } from 'zod'
import type { MeshApi } from '../../actors/ports.js'
import { mustBe } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, notFound } from '../../http/faults.js'
import { id, instant, moment, oneOf } from '../../http/fields.js'
import { cursorOf, listQuery, listReply, listReplyOf } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { Clock } from '../../kit/clock.js'
import { type FigureName, FIGURES, isCounter, named, placed, placeOf } from './figures.js'
import type { History } from './history.js'
import { DAY_MS, INTERVALS, LENGTH_MS, MINUTE_MS, piecesOf, type Span, widened } from './intervals.js'
import { figuresSaid, metricsBody, metricsOf, metricsReply } from './metrics-body.js'
import { keptSince } from './retention.js'
import { averageAt, totalAt, type Sums } from './sums.js'

/** A clock that is a little ahead of ours is believed, ms. */
const AHEAD_MAX_MS = 5 * MINUTE_MS
/** Rows of an answer when nobody says by which interval: the finest that needs no more than these is taken. */
const ROWS_WANTED = 1_000

const TAG = 'metrics'
const params = z.object({ nodeId: id })
const spanQuery = {
  startTime: instant.optional().meta({ description: 'A day before the end when absent.' }),
  endTime: instant.optional().meta({ description: 'Now when absent.' }),
}
const spanReply = { startTime: moment, endTime: moment }

/** Times as they are told: ISO 8601 or ms since 1970 UTC, as text or as a number. */
const said = z.union([instant, z.int().min(0)], {
  error: 'wanted a time such as 2026-01-15T10:30:00Z, or ms since 1970 UTC',
})

export function historyEndpoints(
  history: History,
  mesh: Pick<MeshApi, 'identity'>,
  clock: Clock,
): readonly Endpoint[] {
  const { table, kept } = history
  const mustBeKnown = (nodeId: string) => {
    if (mesh.identity(nodeId) === null) throw notFound(`nobody has enrolled as ${nodeId}`)
  }
  // Servers that only send heartbeats have a history too.
  const mustHaveHistory = async (nodeId: string) => {
    if (mesh.identity(nodeId) === null && (await table.latest(nodeId)).length === 0)
      throw notFound(`there is no sample of ${nodeId}`)
  }
  // Nothing is kept of the time before 1970, nor of tomorrow.
  const spanOf = ({ startTime, endTime = clock.wallMs() }: Asked): Span => {
    const toMs = Math.min(endTime, clock.wallMs() + DAY_MS)
    const span = { fromMs: Math.max(0, startTime ?? toMs - DAY_MS), toMs }
    if (span.fromMs >= span.toMs) throw badRequest('startTime: wanted a time before endTime')
    return span
  }
  const since = () => keptSince(kept, clock.wallMs())

  return [
    endpoint({
      method: 'POST',
      path: '/api/v1/metrics',
      access: 'agent',
      tag: TAG,
      summary: 'Keeps what a node tells of itself',
      description: 'Answered when it is durable. A second sample of the same moment changes nothing.',
      body: z.object({ nodeId: id, timestamp: said.optional(), metrics: metricsBody }),
      replies: {
        201: {
          description: 'It is kept.',
          schema: z.object({ status: z.literal('ok'), nodeId: id, timestamp: moment }),
        },
      },
      faults: [403, 404],
      async handle({ caller, body: { nodeId, timestamp, metrics } }) {
        mustBe(caller, nodeId)
        mustBeKnown(nodeId)
        const nowMs = clock.wallMs()
        const atMs = timestamp ?? nowMs
        if (atMs < nowMs - kept.sample || atMs > nowMs + AHEAD_MAX_MS)
          throw badRequest(
            `timestamp: wanted a time of the last ${kept.sample / MINUTE_MS} minutes; it is ${iso(nowMs)}`,
          )
        await history.keep({ id: nodeId, source: 'metrics', atMs, figures: placed(figuresSaid(metrics)) })
        return json({ status: 'ok', nodeId, timestamp: iso(atMs) }, 201)
      },
    }),

    endpoint({
      method: 'GET',
      path: '/api/v1/metrics/{nodeId}/latest',
      access: 'agent',
      tag: TAG,
      summary: 'What is known of a node last',
      description: `Each figure from the newest sample that has it. \`figures\` has all: ${FIGURES.join(', ')}.`,
      params,
      replies: {
        200: {
          description: 'The newest figures.',
          schema: z.object({
            nodeId: id,
            timestamp: moment,
            metrics: metricsReply,
            figures: z.record(z.string(), z.number()),
            sources: z.array(z.object({ source: z.string(), timestamp: moment })),
          }),
        },
      },
      faults: [403, 404],
      async handle({ caller, params: { nodeId } }) {
        mustBe(caller, nodeId)
        const samples = await table.latest(nodeId)
        const [newest] = samples
        if (newest === undefined) throw notFound(`there is no sample of ${nodeId} yet`)
        const figures = named<number>(
          FIGURES.map((_, place) => samples.find(sample => sample.figures[place] != null)?.figures[place]),
        )
        return json({
          nodeId,
          timestamp: iso(newest.atMs),
          metrics: metricsOf(figures),
          figures,
          sources: samples.map(({ source, atMs }) => ({ source, timestamp: iso(atMs) })),
        })
      },
    }),

    endpoint({
      method: 'GET',
      path: '/api/v1/metrics/{nodeId}/history',
      access: 'agent',
      tag: TAG,
      summary: 'What a node’s figures were',
      description:
        'By minute, hour or day: averages, and of counters by how much they grew; `figures` has the least and the greatest too. `sample`: each sample as it was told. Without an interval, the finest that is kept and needs no more than a thousand rows.',
      params,
      query: z.object({
        ...spanQuery,
        interval: oneOf('sample', ...INTERVALS).optional(),
        ...listQuery('timestamp'),
      }),
      replies: {
        200: {
          description: 'Rows in the order of time.',
          schema: listReply(
            'metrics',
            z.object({
              timestamp: moment.meta({ description: 'When the interval began.' }),
              samples: z.int(),
              metrics: metricsReply,
              figures: z.record(z.string(), figureReply),
            }),
          ).extend({ nodeId: id, interval: oneOf('sample', ...INTERVALS), ...spanReply }),
        },
      },
      faults: [403, 404],
      async handle({ caller, params: { nodeId }, query }) {
        mustBe(caller, nodeId)
        await mustHaveHistory(nodeId)
        const asked = spanOf(query)
        const interval = query.interval ?? finestFor(asked, since())
        const span = interval === 'sample' ? asked : widened(interval, asked)
        const wish = {
          limit: query.limit + 1,
          newestFirst: query.sort === '-timestamp',
          after: query.after === undefined ? null : placeOfCursor(query.after),
        }
        const found =
          interval === 'sample'
            ? await table.samples(nodeId, span, wish)
            : await table.sums(nodeId, interval, span, wish)
        const page = found.rows.slice(0, query.limit)
        const rows = page.map(row => ({
          timestamp: iso(row.atMs),
          ...('sums' in row ? toldSums(row.sums) : toldSample(named<number>(row.figures))),
        }))
        const last = page.at(-1)
        const isMore = last !== undefined && found.rows.length > page.length
        return json({
          nodeId,
          interval,
          startTime: iso(span.fromMs),
          endTime: iso(span.toMs),
          ...listReplyOf('metrics', {
            rows,
            total: found.total,
            next: isMore ? [last.atMs, 'sums' in last ? '' : last.source] : null,
          }),
        })
      },
    }),

    endpoint({
      method: 'GET',
      path: '/api/v1/metrics/{nodeId}/aggregated',
      access: 'agent',
      tag: TAG,
      summary: 'A node’s figures of a time, in one row',
      description:
        'Averages of all samples, and what the counters grew by; null: no sample knew it. The time is widened to what is kept: minutes, and further back hours or days.',
      params,
      query: z.object(spanQuery),
      replies: {
        200: {
          description: 'The row.',
          schema: z.object({
            nodeId: id,
            ...spanReply,
            samples: z.int(),
            avgLatency: z.number().nullable(),
            avgJitter: z.number().nullable(),
            avgPacketLoss: z.number().nullable(),
            avgCpuUsage: z.number().nullable(),
            avgMemoryUsage: z.number().nullable(),
            totalBytesSent: z.number().nullable(),
            totalBytesReceived: z.number().nullable(),
            figures: z.record(z.string(), figureReply),
          }),
        },
      },
      faults: [403, 404],
      async handle({ caller, params: { nodeId }, query }) {
        mustBe(caller, nodeId)
        await mustHaveHistory(nodeId)
        const pieces = piecesOf(spanOf(query), since())
        const sums = await table.total(nodeId, pieces)
        const average = (name: FigureName) => averageAt(sums, placeOf(name))
        return json({
          nodeId,
          startTime: iso(Math.min(...pieces.map(({ fromMs }) => fromMs))),
          endTime: iso(Math.max(...pieces.map(({ toMs }) => toMs))),
          samples: sums.samples,
          avgLatency: average('latencyP50Ms') ?? average('rttMs'),
          avgJitter: average('jitterMs'),
          avgPacketLoss: average('packetLossPct'),
          avgCpuUsage: average('cpuTotalPct'),
          avgMemoryUsage: average('memUsedPct'),
          totalBytesSent: totalAt(sums, placeOf('wgBytesSent')),
          totalBytesReceived: totalAt(sums, placeOf('wgBytesReceived')),
          figures: toldSums(sums).figures,
        })
      },
    }),
  ]
}

interface Asked {
  readonly startTime?: number | undefined
  readonly endTime?: number | undefined
}

/** Of a counter `total`, of anything else `average`, is what counts. */
const figureReply = z.object({
  average: z.number().optional(),
  total: z.number().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
})

function toldSums(sums: Sums) {
  const values = FIGURES.map((_, place) => (isCounter(place) ? totalAt : averageAt)(sums, place))
  const figures = FIGURES.map((_, place) => {
    const value = values[place]
    if (value == null) return null
    if (isCounter(place)) return { total: value }
    return { average: value, min: sums.mins[place], max: sums.maxs[place] }
  })
  return {
    samples: sums.samples,
    metrics: metricsOf(named<number>(values)),
    figures: named<object>(figures),
  }
}

const toldSample = (figures: ReturnType<typeof named<number>>) => ({
  samples: 1,
  metrics: metricsOf(figures),
  figures: Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [
      name,
      isCounter(placeOf(name as FigureName)) ? { total: value } : { average: value },
    ]),
  ),
})

function placeOfCursor(after: string): readonly [number, string] {
  const [atMs, source] = cursorOf(after)
  if (typeof atMs === 'number' && atMs >= 0 && atMs < MOMENT_MAX_MS) return [atMs, source]
  throw badRequest('after: wanted `next` of the page before')
}
/** No moment is later: the year 9999, ms. */
const MOMENT_MAX_MS = 253_402_300_800_000

const finestFor = ({ fromMs, toMs }: Span, since: Readonly<Record<(typeof INTERVALS)[number], number>>) =>
  INTERVALS.find(
    interval => since[interval] <= fromMs && (toMs - fromMs) / LENGTH_MS[interval] <= ROWS_WANTED,
  ) ?? 'day'

const iso = (ms: number): string => new Date(ms).toISOString()
