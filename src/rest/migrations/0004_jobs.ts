/** What nodes and VPN servers are to do. */
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('server_tasks')
    .addColumn('id', 'bigint', column => column.generatedAlwaysAsIdentity().primaryKey())
    .addColumn('server_id', 'text', column => column.notNull())
    .addColumn('type', 'text', column =>
      column
        .notNull()
        .check(sql`type in ('updateConfig', 'restart', 'maintenance', 'add_key', 'del_key', 'custom')`),
    )
    .addColumn('key_id', 'text')
    .addColumn('email', 'text')
    .addColumn('payload', 'jsonb', column => column.notNull())
    .addColumn('status', 'text', column =>
      column.notNull().check(sql`status in ('pending', 'delivered', 'done', 'failed', 'expired')`),
    )
    .addColumn('result', 'jsonb')
    .addColumn('created_at', 'timestamptz', column => column.notNull())
    .addColumn('created_by', 'text', column => column.notNull())
    .addColumn('expires_at', 'timestamptz', column => column.notNull())
    .addColumn('due_at', 'timestamptz', column => column.notNull())
    .addColumn('deliveries', 'integer', column => column.notNull().defaultTo(0))
    .addColumn('delivered_at', 'timestamptz')
    .addColumn('finished_at', 'timestamptz')
    .execute()
  await db.schema.createIndex('server_tasks_server').on('server_tasks').columns(['server_id', 'id']).execute()
  await db.schema
    .createIndex('server_tasks_open')
    .on('server_tasks')
    .columns(['server_id', 'due_at'])
    .where(sql<boolean>`status in ('pending', 'delivered')`)
    .execute()
  await db.schema
    .createIndex('server_tasks_finished_at')
    .on('server_tasks')
    .column('finished_at')
    .where(sql.ref('finished_at'), 'is not', null)
    .execute()
}

export const jobs: Migration = { up }
