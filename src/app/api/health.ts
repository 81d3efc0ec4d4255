/** `/health`, `/health/ready`, `/health/live`: for people, for load balancers, for supervisors. */
import { json } from '../../http/reply.js'
import type { Route } from '../../http/router.js'
import type { ApiParts } from './routes.js'

export const healthRoutes = ({ health }: Pick<ApiParts, 'health'>): readonly Route[] => [
  {
    method: 'GET',
    path: '/health',
    access: 'open',
    handle: async () => {
      const report = await health.health()
      return json(report, report.status === 'unhealthy' ? 503 : 200)
    },
  },
  {
    method: 'GET',
    path: '/health/ready',
    access: 'open',
    handle: async () => {
      const readiness = await health.readiness()
      return json(readiness, readiness.status === 'not ready' ? 503 : 200)
    },
  },
  {
    method: 'GET',
    path: '/health/live',
    access: 'open',
    handle: () => json({ status: 'alive', uptime: health.uptimeS() }),
  },
]
