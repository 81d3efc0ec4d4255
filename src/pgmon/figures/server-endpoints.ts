/** `/pgmon/server_stats/{name}`: what a server tells of itself. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { json } from '../../http/reply.js'
import type { Looks, Servers } from '../ports.js'
import { ServerStats } from './forms.js'

export const serverEndpoints = (servers: Servers, looks: Looks): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/pgmon/server_stats/{name}',
    access: 'viewer',
    tag: 'databases',
    summary: 'Tells what a server tells of itself',
    description:
      'At most 5 s old. A server that does not answer is `down`, and says why; what it does not tell is null, and `unknown` says why. Rates are of the time since the look before, and null at the first.',
    params: z.object({ name: z.string() }),
    replies: { 200: { description: 'Its figures.', schema: ServerStats } },
    handle: async ({ params: { name } }) => json(await looks.stats(servers.called(name))),
  }),
]
