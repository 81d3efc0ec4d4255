/** The tables of this room, as Kysely sees them. */
import type { ColumnType, Generated, GeneratedAlways } from 'kysely'
import type { PoolProfile, SshAuth, Tls } from './ports.js'

export interface MonitorTables {
  pgmon_servers: Servers
  pgmon_ssh_keys: SshKeys
  pgmon_server_samples: ServerSamples
  pgmon_database_samples: DatabaseSamples
  pgmon_table_samples: TableSamples
  pgmon_rounds: Rounds
  pgmon_events: Events
  pgmon_settings: Settings
}

/** A server that is watched. */
interface Servers {
  server_id: GeneratedAlways<number>
  name: string
  /** The coordinator’s own database: host, port, database and user are the settings’ affair. */
  is_own: boolean
  /** Nothing is asked of one that is not. */
  is_enabled: boolean
  description: string
  host: string
  port: number
  database: string
  username: string
  /** Sealed; null: the server wants none. */
  password: Uint8Array | null
  tls: Tls
  /** PEM of who may sign its certificate; null: whom everybody trusts. */
  tls_ca: string | null
  pool: PoolProfile
  /** null: as the database’s. */
  ssh_host: string | null
  ssh_port: number
  ssh_user: string
  ssh_auth: SshAuth
  ssh_key_id: number | null
  /** Sealed. */
  ssh_password: Uint8Array | null
  /** `SHA256:…`, pinned; null: nobody has said yet by which key the host is known. */
  ssh_host_key: string | null
  created_by: ColumnType<string, string, never>
  created_at: ColumnType<Date, Date, never>
  changed_at: Date
}

interface SshKeys {
  ssh_key_id: GeneratedAlways<number>
  name: string
  description: string
  kind: 'rsa' | 'ed25519' | 'ecdsa'
  /** Of an RSA key. */
  bits: number | null
  /** As `authorized_keys` has it, without a comment. */
  public_key: ColumnType<string, string, never>
  /** `SHA256:…`. */
  fingerprint: ColumnType<string, string, never>
  /** Sealed: PEM or OpenSSH, without a passphrase. */
  private_key: ColumnType<Uint8Array, Uint8Array, never>
  created_by: ColumnType<string, string, never>
  created_at: ColumnType<Date, Date, never>
}

type Figure = number | null

/** A server every ten minutes. Partitioned by month of `at`; figures that were not told are null. */
interface ServerSamples {
  server_id: number
  at: Date
  connections: Figure
  connections_max: Figure
  active: Figure
  idle: Figure
  idle_in_transaction: Figure
  waiting: Figure
  blocked: Figure
  oldest_transaction_s: Figure
  commits_per_s: Figure
  rollbacks_per_s: Figure
  cache_hit_ratio: Figure
  tuples_read_per_s: Figure
  tuples_written_per_s: Figure
  temp_bytes_per_s: Figure
  deadlocks_per_s: Figure
  wal_bytes_per_s: Figure
  replication_lag_s: Figure
  replication_lag_bytes: Figure
  size_bytes: Figure
  disk_used_bytes: Figure
  disk_size_bytes: Figure
}

/** A database of a server, likewise. */
interface DatabaseSamples {
  server_id: number
  database: string
  at: Date
  connections: Figure
  commits_per_s: Figure
  rollbacks_per_s: Figure
  cache_hit_ratio: Figure
  tuples_read_per_s: Figure
  tuples_written_per_s: Figure
  temp_bytes_per_s: Figure
  deadlocks_per_s: Figure
  size_bytes: Figure
}

/** The largest tables of a database once a day, likewise. */
interface TableSamples {
  server_id: number
  database: string
  schema_name: string
  table_name: string
  at: Date
  total_bytes: number
  table_bytes: number
  index_bytes: number
  live_rows: number
  dead_rows: number
  bloat_bytes: Figure
  /** Transactions since its rows were last frozen. */
  freeze_age: number
}

/** When each collector visits a server next: whoever takes the row does it, whichever coordinator that is. */
interface Rounds {
  server_id: number
  collector: 'activity' | 'sizes' | 'disk' | 'upkeep'
  due_at: Date
  ended_at: Date | null
  took_ms: number | null
  /** Why nothing came of the last one; null: it was good. */
  error: string | null
  /** What the server had counted then: rates are of the time since, whichever coordinator comes next. */
  counters: ColumnType<unknown, string | null, string | null>
}

/** What befell servers. */
interface Events {
  event_id: GeneratedAlways<number>
  at: Date
  /** null: of none. */
  server_id: number | null
  level: 'info' | 'warn' | 'error'
  /** `server.down`, `collector.failed`, … */
  kind: string
  message: string
}

/** What admins set while it runs: one row each. */
interface Settings {
  name: string
  value: ColumnType<unknown, string, string>
  changed_by: Generated<string>
  changed_at: Date
}
