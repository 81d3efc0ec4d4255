/** What an agent can do about leaving the relay, and what it wants of its paths. */
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('identities')
    .addColumn('policy', 'text', column =>
      column.notNull().defaultTo('auto').check(sql`policy in ('auto', 'relay-only', 'direct-only')`),
    )
    .addColumn('can', sql`text[]`, column => column.notNull().defaultTo(sql`'{}'`))
    .execute()
}

export const abilities: Migration = { up }
