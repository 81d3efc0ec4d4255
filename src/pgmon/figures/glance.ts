/** How a server is, at a glance: what a list of servers tells of each beside how it is reached. Pure. */
import type { Server } from '../ports.js'
import type { ServerForm, ServerRow } from '../servers/forms.js'
import type { ServerStats } from './forms.js'

export type Glance = Omit<ServerRow, keyof ServerForm>

/** Returns what was last seen of a server, in short; `stats` is null when nothing was seen yet. */
export function glanceOf(
  server: Pick<Server, 'isEnabled'>,
  kind: ServerStats['kind'],
  stats: ServerStats | null,
): Glance {
  return {
    status: server.isEnabled ? (stats?.status ?? 'unknown') : 'disabled',
    fault: stats?.fault ?? null,
    checked_at: stats?.checked_at ?? null,
    kind: stats?.kind ?? kind,
    version: stats?.version ?? null,
    is_replica: stats?.replication?.is_replica ?? null,
    uptime_s: stats?.uptime_s ?? null,
    connections: stats?.connections?.total ?? null,
    connections_max: stats?.connections?.max ?? null,
    blocked: stats?.blocked ?? null,
    transactions_per_s: transactionsOf(stats),
    cache_hit_ratio: stats?.cache_hit_ratio ?? null,
    replication_lag_s: lagOf(stats),
    size_bytes: stats?.size_bytes ?? null,
    disk_used_ratio: diskUsedOf(stats),
  }
}

function transactionsOf(stats: ServerStats | null): number | null {
  if (stats === null || stats.commits_per_s === null || stats.rollbacks_per_s === null) return null
  return stats.commits_per_s + stats.rollbacks_per_s
}

/** Returns how far a replica is behind, or the slowest of those that a server has, s. */
export function lagOf(stats: ServerStats | null): number | null {
  const replication = stats?.replication ?? null
  if (replication === null) return null
  const lags = [replication.lag_s, ...replication.replicas.map(({ replay_lag_s: lag }) => lag)]
  const known = lags.filter(lag => lag !== null)
  return known.length === 0 ? null : Math.max(...known)
}

/** Returns how full the file system is that holds the data, 0 to 1, as `df` tells it: what only root may fill is not to be had. */
export function diskUsedOf(stats: ServerStats | null): number | null {
  const disk = stats?.disks?.find(({ holds_data }) => holds_data)
  const all = disk === undefined ? 0 : disk.used_bytes + disk.available_bytes
  return disk === undefined || all === 0 ? null : disk.used_bytes / all
}
