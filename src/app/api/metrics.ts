/** The metrics page, at the place Prometheus looks and at the one the first BosonServer had. */
import { text } from '../../http/reply.js'
import type { Route } from '../../http/router.js'
import type { ApiParts } from './routes.js'

export const metricsRoutes = ({
  metrics,
  metricsOpen,
}: Pick<ApiParts, 'metrics' | 'metricsOpen'>): readonly Route[] =>
  ['/metrics', '/api/v1/metrics/prometheus'].map(path => ({
    method: 'GET',
    path,
    access: metricsOpen ? 'open' : 'local',
    handle: async () => {
      const { body, type } = await metrics.page()
      return text(body, type)
    },
  }))
