/** What one database of a server tells of itself: its figures, and its largest tables. */
import { notFound } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import { tablesOf } from '../activity/tables.js'
import type { Unknown } from '../forms.js'
import type { Databases, Looks, Server } from '../ports.js'
import type { DatabaseRow, DatabaseStats } from './forms.js'
import { isOfServer } from './section.js'
import { databaseRowOf } from './stats.js'
import { workOf } from './work.js'

export interface DatabaseStatsParts {
  readonly clock: Clock
  readonly databases: Databases
  readonly looks: Looks
}

/** Resolves with it; throws a 404 when the server has no such database, and rejects with a `ServerFault` when it is away. */
export async function databaseStatsOf(
  parts: DatabaseStatsParts,
  server: Server,
  name: string,
): Promise<DatabaseStats> {
  const look = await parts.looks.stats(server)
  const { row, door } = await found(parts, server, name)
  const { tables, unknown } = await tablesIn(parts, server, name, door)
  return {
    server: server.name,
    name,
    checked_at: new Date(parts.clock.wallMs()).toISOString(),
    database: look.databases.find(each => each.name === name) ?? row,
    tables,
    unknown: [...look.unknown.filter(({ what }) => SHARED.has(what)), ...unknown],
  }
}

/** What is not known of the server, and not of its databases either. */
const SHARED = new Set(['databases', 'sizes'])

/** Whether a database may be connected to. */
interface Door {
  readonly is_open: boolean
  readonly is_template: boolean
  readonly may_connect: boolean
}

const DOOR = `
  select datallowconn as is_open, datistemplate and datname <> current_database() as is_template,
    has_database_privilege(oid, 'connect') as may_connect
  from pg_database where datname = $1`

/** Asks the database that the server is known by: nothing is said to, and no connection made by, a name that it does not know. */
const found = (
  { databases }: DatabaseStatsParts,
  server: Server,
  name: string,
): Promise<{ readonly row: DatabaseRow; readonly door: Door }> =>
  databases.use(server, null, async db => {
    const [door] = await db.ask<Door>(DOOR, [name])
    const [work] = await workOf(db, name)
    if (door === undefined || work === undefined) throw notFound(`${server.name} has no database ${name}`)
    return { row: databaseRowOf({ ...work, name }, null, null), door }
  })

async function tablesIn(
  { databases }: DatabaseStatsParts,
  server: Server,
  name: string,
  { is_open, is_template, may_connect }: Door,
): Promise<Pick<DatabaseStats, 'tables' | 'unknown'>> {
  if (!is_open) return missed('it takes no connections')
  if (is_template)
    return missed('it is a template: while somebody is connected to it, no database can be made from it')
  if (!may_connect) return missed(`${server.user} may not connect to it: GRANT CONNECT ON DATABASE …`)
  try {
    return await databases.use(server, name, tablesOf)
  } catch (error) {
    if (!isOfServer(error) || !(error instanceof Error)) throw error
    return missed(error.message)
  }
}

const missed = (why: string): { readonly tables: []; readonly unknown: Unknown[] } => ({
  tables: [],
  unknown: [{ what: 'tables', why }],
})
