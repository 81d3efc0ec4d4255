/** `POST /api/v1/metrics`: a node tells its figures. */
import { z } from 'zod'
import { mustBe } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, notFound } from '../../http/faults.js'
import { id, instant, moment } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { placed } from './figures.js'
import { MINUTE_MS } from './intervals.js'
import { figuresSaid, metricsBody } from './metrics-body.js'
import { type HistoryPages, iso } from './pages.js'

/** A clock that is a little ahead of ours is believed, ms. */
const AHEAD_MAX_MS = 5 * MINUTE_MS

/** As text or as a number. */
const said = z.union([instant, z.int().min(0)], {
  error: 'wanted a time such as 2026-01-15T10:30:00Z, or ms since 1970 UTC',
})

export const postMetrics = ({ history, mesh, clock }: HistoryPages): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/api/v1/metrics',
    access: 'agent',
    tag: 'metrics',
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
      if (mesh.identity(nodeId) === null) throw notFound(`nobody has enrolled as ${nodeId}`)
      const nowMs = clock.wallMs()
      const atMs = timestamp ?? nowMs
      if (atMs < nowMs - history.kept.sample || atMs > nowMs + AHEAD_MAX_MS)
        throw badRequest(
          `timestamp: wanted a time of the last ${history.kept.sample / MINUTE_MS} minutes; it is ${iso(nowMs)}`,
        )
      await history.keep({ id: nodeId, source: 'metrics', atMs, figures: placed(figuresSaid(metrics)) })
      return json({ status: 'ok', nodeId, timestamp: iso(atMs) }, 201)
    },
  })
