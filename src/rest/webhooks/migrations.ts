/** Every change of this room's tables, in order. A migration that was released is never edited. */
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const webhooks: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('webhooks')
      .addColumn('id', 'text', column => column.primaryKey())
      .addColumn('url', 'text', column => column.notNull())
      .addColumn('events', 'jsonb', column => column.notNull())
      .addColumn('description', 'text', column => column.notNull())
      .addColumn('active', 'boolean', column => column.notNull())
      .addColumn('secret', 'bytea', column => column.notNull())
      .addColumn('old_secret', 'bytea')
      .addColumn('old_secret_until', 'timestamptz')
      .addColumn('created_at', 'timestamptz', column => column.notNull())
      .addColumn('changed_at', 'timestamptz', column => column.notNull())
      .addColumn('failing_since', 'timestamptz')
      .addColumn('disabled_because', 'text')
      .execute()

    await db.schema
      .createTable('webhook_events')
      .addColumn('seq', 'bigserial', column => column.primaryKey())
      .addColumn('id', 'text', column => column.notNull().unique())
      .addColumn('type', 'text', column => column.notNull())
      .addColumn('subject', 'text', column => column.notNull())
      .addColumn('generation', 'bigint')
      .addColumn('at', 'timestamptz', column => column.notNull())
      .addColumn('data', 'jsonb', column => column.notNull())
      .execute()
    await db.schema.createIndex('webhook_events_at').on('webhook_events').column('at').execute()

    await db.schema
      .createTable('webhook_deliveries')
      .addColumn('seq', 'bigserial', column => column.primaryKey())
      .addColumn('webhook_id', 'text', column =>
        column.notNull().references('webhooks.id').onDelete('cascade'),
      )
      .addColumn('event_id', 'text', column =>
        column.notNull().references('webhook_events.id').onDelete('cascade'),
      )
      .addColumn('subject', 'text', column => column.notNull())
      .addColumn('status', 'text', column =>
        column.notNull().check(sql`status in ('waiting', 'delivered', 'failed')`),
      )
      .addColumn('attempts', 'integer', column => column.notNull())
      .addColumn('due_at', 'timestamptz', column => column.notNull())
      .addColumn('redelivery', 'boolean', column => column.notNull())
      .addColumn('response_status', 'integer')
      .addColumn('error', 'text')
      .addColumn('duration_ms', 'float8')
      .addColumn('created_at', 'timestamptz', column => column.notNull())
      .addColumn('finished_at', 'timestamptz')
      .modifyEnd(sql`with (fillfactor = 70)`) // room for the next version of a row
      .execute()
    await db.schema
      .createIndex('webhook_deliveries_waiting')
      .on('webhook_deliveries')
      .columns(['webhook_id', 'subject', 'seq'])
      .where(sql.ref('status'), '=', sql.lit('waiting'))
      .execute()
    await db.schema
      .createIndex('webhook_deliveries_log')
      .on('webhook_deliveries')
      .columns(['webhook_id', 'seq'])
      .execute()
    await db.schema
      .createIndex('webhook_deliveries_event')
      .on('webhook_deliveries')
      .column('event_id')
      .execute()
    await db.schema
      .createIndex('webhook_deliveries_finished')
      .on('webhook_deliveries')
      .column('finished_at')
      .execute()

    await db.schema
      .createTable('webhook_presence')
      .addColumn('subject', 'text', column => column.primaryKey())
      .addColumn('presence', 'text', column => column.notNull().check(sql`presence in ('online', 'offline')`))
      .addColumn('generation', 'bigint', column => column.notNull())
      .execute()
  },
}

export const MIGRATIONS: Readonly<Record<string, Migration>> = { '0001_webhooks': webhooks }
