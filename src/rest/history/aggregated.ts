/** `GET /api/v1/metrics/{nodeId}/aggregated`: a node's figures of a time, in one row. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { json } from '../../http/reply.js'
import { type FigureName, placeOf } from './figures.js'
import { piecesOf } from './intervals.js'
import {
  figuresReply,
  type HistoryPages,
  iso,
  mustSee,
  params,
  spanOf,
  spanQuery,
  spanReply,
  toldSums,
} from './pages.js'
import { keptSince } from './retention.js'
import { averageAt, totalAt } from './sums.js'

export const aggregated = (pages: HistoryPages): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/api/v1/metrics/{nodeId}/aggregated',
    access: 'agent',
    tag: 'metrics',
    summary: 'A node’s figures of a time, in one row',
    description:
      'Averages of all samples, and what the counters grew by; null: no sample knew it. The time is widened to what is kept: minutes, and further back hours or days.',
    params,
    query: z.object(spanQuery),
    replies: {
      200: {
        description: 'The row.',
        schema: z.object({
          nodeId: z.string(),
          ...spanReply,
          samples: z.int(),
          avgLatency: z.number().nullable(),
          avgJitter: z.number().nullable(),
          avgPacketLoss: z.number().nullable(),
          avgCpuUsage: z.number().nullable(),
          avgMemoryUsage: z.number().nullable(),
          totalBytesSent: z.number().nullable(),
          totalBytesReceived: z.number().nullable(),
          figures: figuresReply,
        }),
      },
    },
    faults: [403, 404],
    async handle({ caller, params: { nodeId }, query }) {
      await mustSee(pages, caller, nodeId)
      const { clock, history } = pages
      const nowMs = clock.wallMs()
      const pieces = piecesOf(spanOf(query, nowMs), keptSince(history.kept, nowMs))
      const sums = await history.table.total(nodeId, pieces)
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
  })
