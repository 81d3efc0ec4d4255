/** `/pgmon/servers/{name}/advice`: what a DBA would say of a server. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { json } from '../../http/reply.js'
import { askAdvice } from './advice.js'
import { type ActivityParts, asked } from './asked.js'
import { AdviceList } from './forms.js'

export const adviceEndpoint = (parts: ActivityParts): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/pgmon/servers/{name}/advice',
    access: 'viewer',
    tag: 'databases',
    summary: 'Tells what should be done about a server',
    description:
      'Settings that lose data, and states that end badly when nobody acts, what is worst first; each with where PostgreSQL’s manual says so. An empty list: nothing was found.',
    params: z.object({ name: z.string() }),
    replies: { 200: { description: 'What was found.', schema: AdviceList } },
    faults: [404, 409, 503],
    async handle({ params: { name } }) {
      const told = await asked(parts, { name }, async db => ({ advice: await askAdvice(db) }))
      return json({ name, ...told } satisfies AdviceList)
    },
  })
