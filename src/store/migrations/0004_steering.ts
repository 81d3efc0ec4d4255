/** What operators lay down for nodes and clients, and what nodes say of their price. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('steerings')
    .addColumn('identity_id', 'text', column => column.primaryKey())
    .addColumn('steering', 'jsonb', column => column.notNull())
    .addColumn('changed_at', 'timestamptz', column => column.notNull())
    .execute()
  await db.schema.alterTable('identities').addColumn('cost_weight', 'float8').execute()
}

export const steering: Migration = { up }
