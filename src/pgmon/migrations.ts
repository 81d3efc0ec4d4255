/** Every change of this room's tables, in order. A migration that was released is never edited. */
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const SERVER_FIGURES = [
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
] as const

const DATABASE_FIGURES = [
  'connections',
  'commits_per_s',
  'rollbacks_per_s',
  'cache_hit_ratio',
  'tuples_read_per_s',
  'tuples_written_per_s',
  'temp_bytes_per_s',
  'deadlocks_per_s',
  'size_bytes',
] as const

const monitor: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('pgmon_ssh_keys')
      .addColumn('ssh_key_id', 'integer', column => column.generatedAlwaysAsIdentity().primaryKey())
      .addColumn('name', 'text', column => column.notNull().unique())
      .addColumn('description', 'text', column => column.notNull())
      .addColumn('kind', 'text', column => column.notNull().check(sql`kind in ('rsa', 'ed25519', 'ecdsa')`))
      .addColumn('bits', 'integer')
      .addColumn('public_key', 'text', column => column.notNull())
      .addColumn('fingerprint', 'text', column => column.notNull().unique())
      .addColumn('private_key', 'bytea', column => column.notNull())
      .addColumn('created_by', 'text', column => column.notNull())
      .addColumn('created_at', 'timestamptz', column => column.notNull())
      .execute()

    await db.schema
      .createTable('pgmon_servers')
      .addColumn('server_id', 'integer', column => column.generatedAlwaysAsIdentity().primaryKey())
      .addColumn('name', 'text', column => column.notNull().unique())
      .addColumn('is_own', 'boolean', column => column.notNull())
      .addColumn('is_enabled', 'boolean', column => column.notNull())
      .addColumn('description', 'text', column => column.notNull())
      .addColumn('host', 'text', column => column.notNull())
      .addColumn('port', 'integer', column => column.notNull())
      .addColumn('database', 'text', column => column.notNull())
      .addColumn('username', 'text', column => column.notNull())
      .addColumn('password', 'bytea')
      .addColumn('tls', 'text', column =>
        column.notNull().check(sql`tls in ('disable', 'require', 'verify-full')`),
      )
      .addColumn('tls_ca', 'text')
      .addColumn('pool', 'text', column =>
        column.notNull().check(sql`pool in ('default', 'stats_db', 'high_load')`),
      )
      .addColumn('ssh_host', 'text')
      .addColumn('ssh_port', 'integer', column => column.notNull())
      .addColumn('ssh_user', 'text', column => column.notNull())
      .addColumn('ssh_auth', 'text', column =>
        column.notNull().check(sql`ssh_auth in ('none', 'key', 'password')`),
      )
      .addColumn('ssh_key_id', 'integer', column => column.references('pgmon_ssh_keys.ssh_key_id'))
      .addColumn('ssh_password', 'bytea')
      .addColumn('ssh_host_key', 'text')
      .addColumn('created_by', 'text', column => column.notNull())
      .addColumn('created_at', 'timestamptz', column => column.notNull())
      .addColumn('changed_at', 'timestamptz', column => column.notNull())
      .execute()
    // However many coordinators start at once, there is one of it.
    await db.schema
      .createIndex('pgmon_servers_own')
      .unique()
      .on('pgmon_servers')
      .column('is_own')
      .where(sql.ref('is_own'), '=', sql`true`)
      .execute()

    let servers = db.schema
      .createTable('pgmon_server_samples')
      .addColumn('server_id', 'integer', column => column.notNull())
      .addColumn('at', 'timestamptz', column => column.notNull())
    for (const name of SERVER_FIGURES) servers = servers.addColumn(name, 'float8')
    await servers
      .addPrimaryKeyConstraint('pgmon_server_samples_pkey', ['server_id', 'at'])
      .modifyEnd(sql`partition by range (at)`)
      .execute()

    let databases = db.schema
      .createTable('pgmon_database_samples')
      .addColumn('server_id', 'integer', column => column.notNull())
      .addColumn('database', 'text', column => column.notNull())
      .addColumn('at', 'timestamptz', column => column.notNull())
    for (const name of DATABASE_FIGURES) databases = databases.addColumn(name, 'float8')
    await databases
      .addPrimaryKeyConstraint('pgmon_database_samples_pkey', ['server_id', 'database', 'at'])
      .modifyEnd(sql`partition by range (at)`)
      .execute()

    await db.schema
      .createTable('pgmon_table_samples')
      .addColumn('server_id', 'integer', column => column.notNull())
      .addColumn('database', 'text', column => column.notNull())
      .addColumn('schema_name', 'text', column => column.notNull())
      .addColumn('table_name', 'text', column => column.notNull())
      .addColumn('at', 'timestamptz', column => column.notNull())
      .addColumn('total_bytes', 'float8', column => column.notNull())
      .addColumn('table_bytes', 'float8', column => column.notNull())
      .addColumn('index_bytes', 'float8', column => column.notNull())
      .addColumn('live_rows', 'float8', column => column.notNull())
      .addColumn('dead_rows', 'float8', column => column.notNull())
      .addColumn('bloat_bytes', 'float8')
      .addColumn('freeze_age', 'float8', column => column.notNull())
      .addPrimaryKeyConstraint('pgmon_table_samples_pkey', [
        'server_id',
        'database',
        'schema_name',
        'table_name',
        'at',
      ])
      .modifyEnd(sql`partition by range (at)`)
      .execute()

    await db.schema
      .createTable('pgmon_rounds')
      .addColumn('server_id', 'integer', column =>
        column.notNull().references('pgmon_servers.server_id').onDelete('cascade'),
      )
      .addColumn('collector', 'text', column => column.notNull())
      .addColumn('due_at', 'timestamptz', column => column.notNull())
      .addColumn('ended_at', 'timestamptz')
      .addColumn('took_ms', 'integer')
      .addColumn('error', 'text')
      .addColumn('counters', 'jsonb')
      .addPrimaryKeyConstraint('pgmon_rounds_pkey', ['server_id', 'collector'])
      .execute()

    await db.schema
      .createTable('pgmon_events')
      .addColumn('event_id', 'bigint', column => column.generatedAlwaysAsIdentity().primaryKey())
      .addColumn('at', 'timestamptz', column => column.notNull())
      .addColumn('server_id', 'integer', column =>
        column.references('pgmon_servers.server_id').onDelete('cascade'),
      )
      .addColumn('level', 'text', column => column.notNull())
      .addColumn('kind', 'text', column => column.notNull())
      .addColumn('message', 'text', column => column.notNull())
      .execute()
    await db.schema.createIndex('pgmon_events_at').on('pgmon_events').columns(['at', 'event_id']).execute()
    await db.schema
      .createIndex('pgmon_events_server')
      .on('pgmon_events')
      .columns(['server_id', 'at'])
      .execute()

    await db.schema
      .createTable('pgmon_settings')
      .addColumn('name', 'text', column => column.primaryKey())
      .addColumn('value', 'jsonb', column => column.notNull())
      .addColumn('changed_by', 'text', column => column.notNull())
      .addColumn('changed_at', 'timestamptz', column => column.notNull())
      .execute()
  },
}

export const MIGRATIONS: Readonly<Record<string, Migration>> = { '0001_monitor': monitor }
