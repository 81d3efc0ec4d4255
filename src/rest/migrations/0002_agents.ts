/** What agents said over HTTP, and which nodes were here when. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('agent_notes')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('note', 'jsonb', column => column.notNull())
    .addColumn('seen_at', 'timestamptz')
    .execute()
  await db.schema
    .createTable('presence')
    .addColumn('id', 'text', column => column.notNull())
    .addColumn('at', 'timestamptz', column => column.notNull())
    .addColumn('became', 'text', column => column.notNull())
    .addColumn('generation', 'bigint', column => column.notNull())
    // The same may be written again, when nobody heard that it was.
    .addPrimaryKeyConstraint('presence_pk', ['id', 'at', 'generation', 'became'])
    .execute()
  await db.schema.createIndex('presence_at').on('presence').column('at').execute()
}

export const agents: Migration = { up }
