/** What one database of a server tells of itself. */
import { notFound } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import type { Databases, Looks, Server } from '../ports.js'
import type { DatabaseStats } from './forms.js'
import { databaseRowOf } from './stats.js'
import { workOf } from './work.js'

export interface DatabaseStatsParts {
  readonly clock: Clock
  readonly databases: Databases
  readonly looks: Looks
}

/** Resolves with it; throws a 404 when the server has no such database, and rejects with a `ServerFault` when it is away. */
export async function databaseStatsOf(
  { clock, databases, looks }: DatabaseStatsParts,
  server: Server,
  name: string,
): Promise<DatabaseStats> {
  const { databases: rows, unknown } = await looks.stats(server)
  const database = await databases.use(server, null, async db => {
    // Nothing is said of, and no connection made to, a name that the server does not know.
    const [work] = await workOf(db, name)
    if (work === undefined) throw notFound(`${server.name} has no database ${name}`)
    return rows.find(row => row.name === name) ?? databaseRowOf({ ...work, name }, null, null)
  })
  return {
    server: server.name,
    name,
    checked_at: new Date(clock.wallMs()).toISOString(),
    database,
    tables: [],
    unknown: unknown.filter(({ what }) => PARTS.includes(what)),
  }
}

/** What is not known of the server and is not known of its databases either. */
const PARTS = ['databases', 'sizes']
