/** `/pgmon/servers/{name}/locks`: who waits for whom. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { json } from '../../http/reply.js'
import { type ActivityParts, asked, sightOf } from './asked.js'
import { Locks } from './forms.js'
import { lockRows, locksOf } from './locks.js'
import { relationNames } from './relation-names.js'

export const lockEndpoints = (parts: ActivityParts): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/pgmon/servers/{name}/locks',
    access: 'viewer',
    tag: 'databases',
    summary: 'Tells who waits for whose lock',
    description:
      'As a tree: roots hold what those below them wait for. Operators see the text of queries, passwords masked; viewers do not.',
    params: z.object({ name: z.string() }),
    replies: { 200: { description: 'Who waits.', schema: Locks } },
    faults: [404, 409, 503],
    async handle({ params: { name }, caller }) {
      const { rows, checked_at } = await asked(parts, { name }, async db => ({ rows: await lockRows(db) }))
      const names = await relationNames(parts.databases, parts.servers.called(name), rows)
      return json({ name, checked_at, ...locksOf(rows, names, sightOf(caller)) } satisfies Locks)
    },
  }),
]
