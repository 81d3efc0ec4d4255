/** `GET /api/v1/timing`: the clockwork of agents that speak HTTP, for programs that want to keep to it. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { json } from '../../http/reply.js'
import type { HttpTiming } from '../agents/timing.js'

const seconds = (description: string) => z.number().meta({ description: `${description}, s.` })

const Timing = z
  .object({
    heartbeatEveryS: seconds('A node that is well is heard this often'),
    degradedHeartbeatEveryS: seconds('One that is degraded is heard this often'),
    heartbeatGoodForS: seconds('A heartbeat speaks for its node this long'),
    offlineAfterS: seconds('A node is offline when it was not heard for this long'),
    goneAfterS: seconds('Its session is over when it was not heard for this long'),
    clientKeptS: seconds('A client keeps its session and its route this long after its last request'),
  })
  .meta({ id: 'HttpTiming' }) satisfies z.ZodType<HttpTiming>

export const timingRoute = (timing: HttpTiming): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/api/v1/timing',
    access: 'open',
    tag: 'nodes',
    summary: 'Tells how often agents over HTTP are to be heard',
    replies: { 200: { description: 'The clockwork.', schema: Timing } },
    handle: () => json(timing),
  })
