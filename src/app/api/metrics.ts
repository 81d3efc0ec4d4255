/** The metrics page, at the place Prometheus looks and at the one the first BosonServer had. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { text } from '../../http/reply.js'
import type { ApiParts } from './routes.js'

export const metricsRoutes = ({
  metrics,
  metricsOpen,
}: Pick<ApiParts, 'metrics' | 'metricsOpen'>): readonly Endpoint[] =>
  ['/metrics', '/api/v1/metrics/prometheus'].map(path =>
    endpoint({
      method: 'GET',
      path,
      access: metricsOpen ? 'open' : 'local',
      tag: 'metrics',
      summary: 'Gives the metrics to Prometheus',
      replies: {
        200: {
          description: 'Every metric; docs/metrics.md lists them.',
          schema: z.string(),
          type: 'text/plain',
        },
      },
      handle: async () => {
        const { body, type } = await metrics.page()
        return text(body, type)
      },
    }),
  )
