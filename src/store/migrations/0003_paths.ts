/** The ledger of paths: how each one carries, what was tried, and what it has been through. */
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('paths')
    .addColumn('path_id', 'text', column => column.primaryKey())
    .addColumn('link', 'bigint', column => column.notNull())
    .addColumn('route_id', 'text', column => column.notNull())
    .addColumn('client_id', 'text', column => column.notNull())
    .addColumn('node_id', 'text', column => column.notNull())
    .addColumn('policy', 'text', column =>
      column.notNull().check(sql`policy in ('auto', 'relay-only', 'direct-only')`),
    )
    .addColumn('tier', 'text', column =>
      column.notNull().check(sql`tier in ('opening', 'relayed', 'turned', 'direct', 'waiting', 'closed')`),
    )
    .addColumn('via', 'text', column => column.check(sql`via in ('websocket', 'udp', 'wireguard', 'ice')`))
    .addColumn('since', 'timestamptz', column => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('opened_at', 'timestamptz', column => column.notNull())
    .addColumn('closed_at', 'timestamptz')
    .addColumn('closed_because', 'text')
    .addColumn('client', 'jsonb', column => column.notNull())
    .addColumn('node', 'jsonb', column => column.notNull())
    .addColumn('attempts', 'jsonb', column => column.notNull())
    .addColumn('history', 'jsonb', column => column.notNull())
    // Room on each page for the next version of its rows: an update then touches no index.
    .modifyEnd(sql`with (fillfactor = 60)`)
    .execute()
  await db.schema.createIndex('paths_ends').on('paths').columns(['client_id', 'node_id']).execute()
  await db.schema
    .createIndex('paths_closed_at')
    .on('paths')
    .column('closed_at')
    .where(sql.ref('closed_at'), 'is not', null)
    .execute()
}

export const paths: Migration = { up }
