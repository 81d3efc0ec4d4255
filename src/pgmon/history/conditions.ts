/**
 * What may be wrong with a server for a while. Each begins at one figure and ends at a lower one, so that a figure that
 * wavers around a bound is told once. Pure.
 */
import type { ServerStats } from '../figures/forms.js'
import { COLLECTORS, type LogRow } from './forms.js'

export interface Condition {
  /** Kinds of the events that begin and end it. */
  readonly begins: string
  readonly ends: string
  readonly level: LogRow['level']
}

interface Measured extends Condition {
  /** Returns whether it is so; null: it cannot be told, and stays as it was. */
  readonly holds: (stats: ServerStats, held: boolean) => boolean | null
  readonly words: (stats: ServerStats) => string
  /** When it is over. */
  readonly after: string
}

export const DOWN: Condition = { begins: 'server.down', ends: 'server.up', level: 'error' }

/** Where a figure begins to be wrong, and where it is well again. */
const LAG_S = { begins: 60, ends: 30 }
const CONNECTIONS = { begins: 0.9, ends: 0.8 }
const DISK = { begins: 0.9, ends: 0.85 }
/** Transactions; autovacuum steps in at 200 million, and PostgreSQL refuses to write before 2,147 million. */
const FREEZE_AGE = { begins: 1_000_000_000, ends: 800_000_000 }

export const MEASURED: readonly Measured[] = [
  {
    begins: 'replication.behind',
    ends: 'replication.caught_up',
    level: 'warn',
    holds: (stats, held) => beyond(lagOf(stats), LAG_S, held),
    words: stats => `replication is ${Math.round(lagOf(stats) ?? 0)} s behind`,
    after: 'replication has caught up',
  },
  {
    begins: 'connections.near_limit',
    ends: 'connections.eased',
    level: 'warn',
    holds: (stats, held) => beyond(connectionsOf(stats), CONNECTIONS, held),
    words: ({ connections }) => `${connections?.total} of ${connections?.max} connections are in use`,
    after: 'connections are well below their limit again',
  },
  {
    begins: 'disk.nearly_full',
    ends: 'disk.eased',
    level: 'warn',
    holds: (stats, held) => beyond(diskOf(stats), DISK, held),
    words: stats => `the file system that the data is on is ${Math.round((diskOf(stats) ?? 0) * 100)} % full`,
    after: 'the file system that the data is on has room again',
  },
  {
    begins: 'wraparound.near',
    ends: 'wraparound.eased',
    level: 'warn',
    holds: (stats, held) => beyond(stats.freeze_age, FREEZE_AGE, held),
    words: ({ freeze_age }) =>
      `its oldest rows were frozen ${((freeze_age ?? 0) / 1e6).toFixed(0)} million transactions ago: VACUUM FREEZE is due`,
    after: 'its oldest rows have been frozen',
  },
]

/** A collector that brings nothing home although the server is up. */
export const COLLECTOR_FAILED = Object.fromEntries(
  COLLECTORS.map(collector => [
    collector,
    { begins: `${collector}.failed`, ends: `${collector}.recovered`, level: 'warn' },
  ]),
) as Readonly<Record<(typeof COLLECTORS)[number], Condition>> // each of them

export const CONDITIONS: readonly Condition[] = [DOWN, ...MEASURED, ...Object.values(COLLECTOR_FAILED)]

function beyond(
  figure: number | null,
  bound: { readonly begins: number; readonly ends: number },
  held: boolean,
): boolean | null {
  return figure === null ? null : held ? figure >= bound.ends : figure > bound.begins
}

/** Of a replica, or of the slowest one that it has, s. */
function lagOf({ replication }: ServerStats): number | null {
  if (replication === null) return null
  const { is_replica, lag_s, replicas } = replication
  return is_replica ? lag_s : Math.max(0, ...replicas.map(({ replay_lag_s }) => replay_lag_s ?? 0))
}

const connectionsOf = ({ connections }: ServerStats): number | null =>
  connections === null || connections.max === null || connections.max === 0
    ? null
    : connections.total / connections.max

function diskOf({ disks }: ServerStats): number | null {
  const disk = disks?.find(({ holds_data }) => holds_data)
  return disk === undefined || disk.size_bytes === 0 ? null : disk.used_bytes / disk.size_bytes
}
