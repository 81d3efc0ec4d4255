/** The figures that are kept, as their columns are called. */
import type { MonitorTables } from '../tables.js'

export const SERVER_FIGURES = [
  'connections',
  'connections_max',
  'active',
  'idle',
  'idle_in_transaction',
  'waiting',
  'blocked',
  'oldest_transaction_s',
  'commits_per_s',
  'rollbacks_per_s',
  'cache_hit_ratio',
  'tuples_read_per_s',
  'tuples_written_per_s',
  'temp_bytes_per_s',
  'deadlocks_per_s',
  'wal_bytes_per_s',
  'replication_lag_s',
  'replication_lag_bytes',
  'size_bytes',
  'disk_used_bytes',
  'disk_size_bytes',
] as const satisfies readonly (keyof MonitorTables['pgmon_server_samples'])[]
export type ServerFigure = (typeof SERVER_FIGURES)[number]

export const DATABASE_FIGURES = [
  'connections',
  'commits_per_s',
  'rollbacks_per_s',
  'cache_hit_ratio',
  'tuples_read_per_s',
  'tuples_written_per_s',
  'temp_bytes_per_s',
  'deadlocks_per_s',
  'size_bytes',
] as const satisfies readonly (keyof MonitorTables['pgmon_database_samples'])[]
export type DatabaseFigure = (typeof DATABASE_FIGURES)[number]

/** Some of them, as they were told: those that are not there were not asked for. */
export type Told<F extends string> = Readonly<Partial<Record<F, number | null>>>
