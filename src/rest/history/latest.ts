/** `GET /api/v1/metrics/{nodeId}/latest`: what is known of a node last. */
import { z } from 'zod'
import { mustBe } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { notFound } from '../../http/faults.js'
import { moment } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { FIGURES, named } from './figures.js'
import { metricsOf, metricsReply } from './metrics-body.js'
import { type HistoryPages, iso, params } from './pages.js'

export const latest = ({ history }: HistoryPages): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/api/v1/metrics/{nodeId}/latest',
    access: 'agent',
    tag: 'metrics',
    summary: 'What is known of a node last',
    description: `Each figure from the newest sample that has it. \`figures\` has all: ${FIGURES.join(', ')}.`,
    params,
    replies: {
      200: {
        description: 'The newest figures.',
        schema: z.object({
          nodeId: z.string(),
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
      const samples = await history.table.latest(nodeId)
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
  })
