/** `/pgmon/servers/{name}/statements`: which statements cost a server most. */
import { z } from 'zod'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { oneOf, whole } from '../../http/fields.js'
import { empty, json } from '../../http/reply.js'
import { type ActivityParts, asked, sightOf } from './asked.js'
import { STATEMENT_ORDERS, Statements } from './forms.js'
import { resetStatements, statementsOf } from './statements.js'

const tag = 'databases'
const params = z.object({ name: z.string() })
const faults = [404, 409, 503]

const STATEMENTS = 50
const STATEMENTS_MAX = 500

export const statementEndpoints = (parts: ActivityParts): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/pgmon/servers/{name}/statements',
    access: 'viewer',
    tag,
    summary: 'Lists the statements that cost a server most',
    description:
      'As pg_stat_statements counts them, which has to be installed there. Operators see their text, passwords masked; viewers do not.',
    params,
    query: z.object({
      by: oneOf(...STATEMENT_ORDERS).default('time'),
      limit: whole(1, STATEMENTS_MAX).default(STATEMENTS),
    }),
    replies: { 200: { description: 'Its statements.', schema: Statements } },
    faults,
    async handle({ params: { name }, query, caller }) {
      const told = await asked(parts, { name }, (db, server) =>
        statementsOf(db, server, query, sightOf(caller)),
      )
      return json({ name, ...told } satisfies Statements)
    },
  }),
  endpoint({
    method: 'POST',
    path: '/pgmon/servers/{name}/statements/reset',
    access: 'operator',
    tag,
    summary: 'Begins to count statements anew',
    description: 'What pg_stat_statements has counted is forgotten, for everybody who looks at it.',
    params,
    replies: { 204: { description: 'It counts from now on.' } },
    faults,
    async handle({ params: { name }, caller }) {
      await asked(parts, { name }, async (db, server) => {
        await resetStatements(db, server)
        return {}
      })
      const actor = nameOf(caller)
      parts.host.audit({ kind: 'monitored_statements.reset', actor, subject: name, detail: { server: name } })
      return empty()
    },
  }),
]
