/**
 * What each collector takes from a server. It asks by the looks that everybody else asks by: what is known already costs
 * the server nothing.
 *
 *   activity   connections and work: rates are of the time since the visit before
 *   sizes      of databases
 *   disk       of the file system that the data is on, by SSH
 *   upkeep     the largest tables of each database
 */
import type { Table } from '../activity/forms.js'
import type { ServerStats } from '../figures/forms.js'
import { tablesOf } from '../activity/tables.js'
import type { Asking, Databases, Disks, Looks, Server } from '../ports.js'
import type { DatabaseFigure, ServerFigure, Told } from './columns.js'
import { between, type Counters, countersOf } from './counters.js'
import type { Collector } from './forms.js'

export interface VisitParts {
  readonly looks: Looks
  readonly disks: Disks
  readonly databases: Databases
}

/** What a visit brings home. */
export interface Found {
  readonly server: Told<ServerFigure>
  readonly databases: readonly (Told<DatabaseFigure> & { readonly database: string })[]
  readonly tables: readonly (Table & { readonly database: string })[]
  /** For the next visit; null: it needs none. */
  readonly counters: Counters | null
  /** Deadlocks since the visit before. */
  readonly deadlocks: number
}

type Visit = (parts: VisitParts, server: Server, before: Counters | null) => Promise<Found>

/** Why a visit brought nothing home. */
export class VisitFailed extends Error {
  override readonly name = 'VisitFailed'
  readonly code = 'VISIT_FAILED'
  /** The server is away altogether: that is told once, and not by each collector. */
  readonly isDown: boolean

  constructor(message: string, isDown = false) {
    super(message)
    this.isDown = isDown
  }
}

const NOTHING: Found = { server: {}, databases: [], tables: [], counters: null, deadlocks: 0 }

/** Databases whose tables are looked at, the largest first: the rest is small. */
const DATABASES_MAX = 20

export const VISITS: Readonly<Record<Collector, Visit>> = {
  async activity({ looks }, server, before) {
    const stats = await lookAt(looks, server)
    const counters = countersOf(stats)
    const since = between(counters, before)
    const { connections } = stats
    return {
      ...NOTHING,
      server: {
        connections: connections?.total ?? null,
        connections_max: connections?.max ?? null,
        active: connections?.active ?? null,
        idle: connections?.idle ?? null,
        idle_in_transaction: connections?.idle_in_transaction ?? null,
        waiting: connections?.waiting ?? null,
        blocked: stats.blocked,
        oldest_transaction_s: stats.oldest_transaction_s,
        ...since.server,
        ...lagOf(stats),
      },
      databases: stats.databases.map(({ name, connections }) => ({
        database: name,
        connections,
        ...since.databases.get(name),
      })),
      counters,
      deadlocks: since.deadlocks,
    }
  },

  async sizes({ looks }, server) {
    const stats = await lookAt(looks, server)
    const databases = stats.databases.flatMap(({ name, size_bytes }) =>
      size_bytes === null ? [] : [{ database: name, size_bytes }],
    )
    if (databases.length === 0) throw new VisitFailed(whyOf(stats, 'sizes'))
    return { ...NOTHING, server: { size_bytes: stats.size_bytes }, databases }
  },

  async disk({ looks, disks }, server) {
    if (server.ssh === null) return NOTHING
    // What its machine said before is told with the look; when it said nothing yet, its answer is waited for.
    const told = (await looks.stats(server)).disks ?? (await disks.of(server)) ?? []
    const disk = told.find(each => each.holds_data) ?? (told.length === 1 ? told[0] : undefined)
    if (disk === undefined) throw new VisitFailed('its machine tells of no file system that the data is on')
    const { used_bytes: disk_used_bytes, size_bytes: disk_size_bytes } = disk
    return { ...NOTHING, server: { disk_used_bytes, disk_size_bytes } }
  },

  async upkeep({ looks, databases }, server) {
    const stats = await lookAt(looks, server)
    const open = new Set(await databases.use(server, null, namesOf))
    const largest = stats.databases
      .filter(({ name }) => open.has(name))
      .toSorted((a, b) => (b.size_bytes ?? 0) - (a.size_bytes ?? 0))
    const tables: (Table & { database: string })[] = []
    const faults: string[] = []
    for (const { name } of largest.slice(0, DATABASES_MAX)) {
      try {
        const found = await databases.use(server, name, tablesOf)
        tables.push(...found.tables.map(table => ({ ...table, database: name })))
      } catch (error) {
        faults.push(`${name}: ${wordsOf(error)}`)
      }
    }
    if (tables.length === 0 && faults[0] !== undefined) throw new VisitFailed(faults[0])
    return { ...NOTHING, tables }
  },
}

/** Not templates: while somebody is connected to one, no database can be made from it. */
const OPEN = `
  select datname::text as name from pg_database
  where datallowconn and has_database_privilege(oid, 'connect')
    and (not datistemplate or datname = current_database())`

const namesOf = async (db: Asking): Promise<readonly string[]> =>
  (await db.ask<{ readonly name: string }>(OPEN)).map(({ name }) => name)

async function lookAt(looks: Looks, server: Server): Promise<ServerStats> {
  const stats = await looks.stats(server)
  if (stats.status === 'up') return stats
  throw new VisitFailed(stats.fault ?? `it is ${stats.status}`, true)
}

/** Of a replica, or of the slowest one that it has. */
function lagOf({ replication }: ServerStats): Told<'replication_lag_s' | 'replication_lag_bytes'> {
  if (replication === null) return {}
  const { is_replica, lag_s, lag_bytes, replicas } = replication
  if (is_replica) return { replication_lag_s: lag_s, replication_lag_bytes: lag_bytes }
  return {
    replication_lag_s: most(replicas.map(({ replay_lag_s }) => replay_lag_s)),
    replication_lag_bytes: most(replicas.map(({ lag_bytes }) => lag_bytes)),
  }
}

function most(figures: readonly (number | null)[]): number | null {
  const known = figures.filter(figure => figure !== null)
  return known.length === 0 ? null : Math.max(...known)
}

const whyOf = ({ unknown }: ServerStats, part: string): string =>
  unknown.find(({ what }) => what === part)?.why ?? 'it told nothing'

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
