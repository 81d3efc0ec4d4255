/** `/pgmon/server_stats/{name}` and `/pgmon/server/{name}/db/{db}`: what a server, and a database of it, tell of themselves. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { json } from '../../http/reply.js'
import { asHttpError } from '../databases/errors.js'
import type { Servers } from '../ports.js'
import { databaseStatsOf, type DatabaseStatsParts } from './database-stats.js'
import { DatabaseStats, ServerStats } from './forms.js'

export interface FigureParts extends DatabaseStatsParts {
  readonly servers: Servers
}

const tag = 'databases'

export const figureEndpoints = ({ servers, ...parts }: FigureParts): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/pgmon/server_stats/{name}',
    access: 'viewer',
    tag,
    summary: 'Tells what a server tells of itself',
    description:
      'At most 5 s old. A server that does not answer is `down`, and says why; what it does not tell is null, and `unknown` says why. Rates are of the time since the look before, and null at the first.',
    params: z.object({ name: z.string() }),
    replies: { 200: { description: 'Its figures.', schema: ServerStats } },
    handle: async ({ params: { name } }) => json(await parts.looks.stats(servers.called(name))),
  }),
  endpoint({
    method: 'GET',
    path: '/pgmon/server/{name}/db/{db}',
    access: 'viewer',
    tag,
    summary: 'Tells what one database of a server tells of itself',
    description: 'Its figures, at most 5 s old, and its largest tables.',
    params: z.object({ name: z.string(), db: z.string() }),
    replies: { 200: { description: 'Its figures.', schema: DatabaseStats } },
    faults: [404, 409, 503],
    async handle({ params: { name, db } }) {
      const server = servers.called(name)
      try {
        return json(await databaseStatsOf(parts, server, db))
      } catch (error) {
        throw asHttpError(error)
      }
    },
  }),
]
