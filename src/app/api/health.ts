/** `/health`, `/health/ready`, `/health/live`: for people, for load balancers, for supervisors. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { moment, oneOf } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import type { Health as HealthView, Readiness as ReadinessView } from '../../telemetry/health.js'
import type { ApiParts } from './routes.js'

const status = oneOf('healthy', 'unhealthy', 'disabled')
const latency = z.number().nullable().meta({ description: 'ms; null: there was no answer.' })
const uptime = z.number().meta({ description: 's.' })

const Health = z
  .object({
    status: oneOf('healthy', 'degraded', 'unhealthy').meta({
      description: '`degraded`: something that it needs is away, and sessions, routes and the relay live on.',
    }),
    timestamp: moment,
    uptime,
    services: z.object({
      database: z.object({ status, latency }),
      redis: z.object({ status, latency }),
      turn: z.object({
        status: status.meta({
          description: 'Whether STUN answered a request that was sent over the network.',
        }),
        state: oneOf('off', 'starting', 'up', 'degraded'),
      }),
      relay: z.object({ status, connections: z.int() }),
    }),
  })
  .meta({ id: 'Health' }) satisfies z.ZodType<HealthView>

const NotReady = z.object({ status: z.literal('not ready') })
const Ready = z.union([
  z.object({ status: z.literal('ready') }),
  z.object({ status: z.literal('degraded-but-serving'), unavailable: z.array(z.string()) }),
]) satisfies z.ZodType<ReadinessView>

export const healthRoutes = ({ health }: Pick<ApiParts, 'health'>): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/health',
    access: 'open',
    tag: 'health',
    summary: 'Says how the coordinator is, and what it needs',
    replies: {
      200: { description: 'It serves.', schema: Health },
      503: { description: 'It does not serve.', schema: Health },
    },
    handle: async () => {
      const report = await health.health()
      return json(report, report.status === 'unhealthy' ? 503 : 200)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/health/ready',
    access: 'open',
    tag: 'health',
    summary: 'Says whether to send it requests',
    replies: {
      200: { description: 'It serves.', schema: Ready },
      503: { description: 'It does not serve.', schema: NotReady },
    },
    handle: async () => {
      const readiness = await health.readiness()
      return json(readiness, readiness.status === 'not ready' ? 503 : 200)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/health/live',
    access: 'open',
    tag: 'health',
    summary: 'Says that the process lives',
    replies: { 200: { description: 'It does.', schema: z.object({ status: z.literal('alive'), uptime }) } },
    handle: () => json({ status: 'alive', uptime: health.uptimeS() }),
  }),
]
