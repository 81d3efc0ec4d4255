/** What a route has been through, kept with it. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('routes').addColumn('history', 'jsonb').execute()
}

export const routeHistory: Migration = { up }
