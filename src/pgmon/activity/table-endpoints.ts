/** `/pgmon/server/{name}/db/{db}/tables`: the largest tables of a database. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { notFound } from '../../http/faults.js'
import { json } from '../../http/reply.js'
import { type ActivityParts, asked } from './asked.js'
import { Tables } from './forms.js'
import { tablesOf, unusedIndexesOf } from './tables.js'

export const tableEndpoints = (parts: ActivityParts): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/pgmon/server/{name}/db/{db}/tables',
    access: 'viewer',
    tag: 'databases',
    summary: 'Lists the largest tables of a database, and indexes that nobody uses',
    description:
      'Of the 2,000 tables with most pages the 50 largest. Bloat is estimated: what is free again when the table is written anew, without its indexes.',
    params: z.object({ name: z.string(), db: z.string() }),
    replies: { 200: { description: 'Its tables.', schema: Tables } },
    faults: [404, 409, 503],
    async handle({ params: { name, db: database } }) {
      // No connection is made to a name that the server does not know.
      await asked(parts, { name }, async db => {
        const [row] = await db.ask(KNOWN, [database])
        if (row === undefined) throw notFound(`${name} has no database ${database} that may be connected to`)
        return {}
      })
      const told = await asked(parts, { name, database }, async db => ({
        ...(await tablesOf(db)),
        ...(await unusedIndexesOf(db)),
      }))
      return json({ server: name, name: database, ...told } satisfies Tables)
    },
  }),
]

/** Not a template: while somebody is connected to one, no database can be made from it. */
const KNOWN = `
  select 1 from pg_catalog.pg_database
  where datname = $1 and datallowconn and (not datistemplate or datname = current_database())`
