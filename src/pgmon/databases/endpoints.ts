/** What may be known of the connections to servers: by anybody, whether all is well, and by viewers, each pool. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { moment } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { POOL_PROFILES, type PoolView } from '../ports.js'
import type { ServerDatabases } from './server-databases.js'

const HealthForm = z.object({
  status: z.enum(['ok', 'degraded']).meta({ description: '`degraded`: a server that is watched is away.' }),
})

const PoolForm = z
  .object({
    server: z.string(),
    database: z.string(),
    profile: z.enum(POOL_PROFILES),
    min: z.int().meta({ description: 'Connections that stay open.' }),
    max: z.int(),
    total: z.int(),
    idle: z.int(),
    waiting: z.int().meta({ description: 'Questions that wait for a connection.' }),
    state: z.enum(['open', 'away']),
    fault: z.string().nullable().meta({ description: 'Why it is away; null: it is not.' }),
    retry_at: moment.nullable().meta({ description: 'Until then, nobody tries to connect.' }),
  })
  .meta({ id: 'ConnectionPool' })
type PoolForm = z.output<typeof PoolForm>

const tag = 'databases'

export const databaseEndpoints = (
  databases: Pick<ServerDatabases, 'isWell' | 'pools'>,
): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/pgmon/api/health',
    access: 'open',
    tag,
    summary: 'Tells whether every server that was asked is reached',
    replies: { 200: { description: 'That it works, and whether all is well.', schema: HealthForm } },
    handle: () =>
      json({ status: databases.isWell ? 'ok' : 'degraded' } satisfies z.output<typeof HealthForm>),
  }),
  endpoint({
    method: 'GET',
    path: '/pgmon/api/pools/status',
    access: 'viewer',
    tag,
    summary: 'Lists the connections to monitored servers',
    replies: {
      200: {
        description: 'Every pool that is open, or would be.',
        schema: z.object({ pools: z.array(PoolForm), count: z.int() }),
      },
    },
    handle() {
      const pools = databases.pools().map(poolForm)
      return json({ pools, count: pools.length })
    },
  }),
]

const poolForm = ({ retryAtMs, ...pool }: PoolView): PoolForm => ({
  ...pool,
  retry_at: retryAtMs === null ? null : new Date(retryAtMs).toISOString(),
})
