/** Every change of this room's tables, in order. A migration that was released is never edited. */
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { COUNTS } from './traffic/counts.js'

/** Room on each page for the next version of its rows: an update then touches no index. */
const roomy = sql`with (fillfactor = 70)`
const zero = sql`0`

const reports: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('report_streams')
      .addColumn('reporter', 'text', column => column.notNull())
      .addColumn('stream', 'text', column => column.notNull())
      .addColumn('last_seq', 'bigint', column => column.notNull().defaultTo(sql`-1`))
      .addColumn('missing', 'jsonb', column => column.notNull().defaultTo(sql`'[]'`))
      .addColumn('batches', 'bigint', column => column.notNull().defaultTo(zero))
      .addColumn('repeated', 'bigint', column => column.notNull().defaultTo(zero))
      .addColumn('dropped', 'bigint', column => column.notNull().defaultTo(zero))
      .addColumn('changed_at', 'timestamptz', column => column.notNull())
      .addPrimaryKeyConstraint('report_streams_pkey', ['reporter', 'stream'])
      .modifyEnd(roomy)
      .execute()
    await db.schema
      .createTable('report_keys')
      .addColumn('reporter', 'text', column => column.notNull())
      .addColumn('key', 'text', column => column.notNull())
      .addColumn('fingerprint', 'text', column => column.notNull())
      .addColumn('uses', 'integer', column => column.notNull())
      .addColumn('at', 'timestamptz', column => column.notNull())
      .addPrimaryKeyConstraint('report_keys_pkey', ['reporter', 'key'])
      .execute()
    await db.schema.createIndex('report_keys_at').on('report_keys').column('at').execute()

    await db.schema
      .createTable('report_clients')
      .addColumn('id', 'bigserial', column => column.notNull())
      .addColumn('reporter', 'text', column => column.notNull())
      .addColumn('agent_id', 'text', column => column.notNull())
      .addColumn('ip', 'text', column => column.notNull())
      .addColumn('user_agent', 'text', column => column.notNull())
      .addColumn('country', 'text')
      .addColumn('city', 'text')
      .addColumn('country_code', 'text')
      .addColumn('first_seen', 'timestamptz', column => column.notNull())
      .addColumn('last_seen', 'timestamptz', column => column.notNull())
      .addColumn('reports', 'bigint', column => column.notNull())
      .addPrimaryKeyConstraint('report_clients_pkey', ['reporter', 'agent_id', 'ip', 'user_agent'])
      .execute()
    await db.schema
      .createIndex('report_clients_last_seen')
      .on('report_clients')
      .columns(['last_seen', 'id'])
      .execute()

    await db.schema
      .createTable('report_traffic')
      .addColumn('width', 'text', column => column.notNull())
      .addColumn('bucket', 'timestamptz', column => column.notNull())
      .addColumn('reporter', 'text', column => column.notNull())
      .addColumn('agent_id', 'text', column => column.notNull())
      .addColumn('resource_type', 'text', column => column.notNull())
      .addColumn('resource_id', 'text', column => column.notNull())
      .addColumn('inbound_bytes', 'bigint', column => column.notNull())
      .addColumn('outbound_bytes', 'bigint', column => column.notNull())
      .addColumn('requests', 'bigint', column => column.notNull())
      .addColumn('errors', 'bigint', column => column.notNull())
      .addColumn('response_ms', 'float8', column => column.notNull())
      .addPrimaryKeyConstraint('report_traffic_pkey', [
        'width',
        'bucket',
        'reporter',
        'agent_id',
        'resource_type',
        'resource_id',
      ])
      .modifyEnd(roomy)
      .execute()

    await db.schema
      .createTable('report_logs')
      .addColumn('id', 'bigserial', column => column.primaryKey())
      .addColumn('at', 'timestamptz', column => column.notNull())
      .addColumn('reporter', 'text', column => column.notNull())
      .addColumn('agent_id', 'text', column => column.notNull())
      .addColumn('level', 'text', column => column.notNull())
      .addColumn('message', 'text', column => column.notNull())
      .addColumn('details', 'text', column => column.notNull())
      .addColumn('metadata', 'text')
      .execute()
    await db.schema.createIndex('report_logs_at').on('report_logs').columns(['at', 'id']).execute()
    await db.schema
      .createIndex('report_logs_agent')
      .on('report_logs')
      .columns(['agent_id', 'at', 'id'])
      .execute()
  },
}

const traffic: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    let paths = db.schema
      .createTable('traffic_paths')
      .addColumn('path_id', 'text', column => column.primaryKey())
      .addColumn('client_id', 'text', column => column.notNull())
      .addColumn('node_id', 'text', column => column.notNull())
      .addColumn('seen_at', 'timestamptz', column => column.notNull())
      .addColumn('ended_at', 'timestamptz')
    for (const name of COUNTS)
      paths = paths.addColumn(name, 'bigint', column => column.notNull().defaultTo(zero))
    await paths.modifyEnd(roomy).execute()
    await db.schema
      .createIndex('traffic_paths_ended_at')
      .on('traffic_paths')
      .column('ended_at')
      .where(sql.ref('ended_at'), 'is not', null)
      .execute()

    let pairs = db.schema
      .createTable('traffic_pairs')
      .addColumn('width', 'text', column => column.notNull())
      .addColumn('bucket', 'timestamptz', column => column.notNull())
      .addColumn('client_id', 'text', column => column.notNull())
      .addColumn('node_id', 'text', column => column.notNull())
      .addPrimaryKeyConstraint('traffic_pairs_pkey', ['width', 'bucket', 'client_id', 'node_id'])
    for (const name of COUNTS) pairs = pairs.addColumn(name, 'bigint', column => column.notNull())
    await pairs.modifyEnd(roomy).execute()

    await db.schema
      .createTable('traffic_marks')
      .addColumn('server_id', 'text', column => column.primaryKey())
      .addColumn('accounted_at', 'timestamptz', column => column.notNull())
      .execute()
  },
}

/** Finds the newest lines of an agent. */
const bounds: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createIndex('report_logs_reporter')
      .on('report_logs')
      .columns(['reporter', 'at', 'id'])
      .execute()
  },
}

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_reports': reports,
  '0002_traffic': traffic,
  '0003_bounds': bounds,
}
