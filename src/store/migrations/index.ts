/**
 * Every change of the tables, in order. A migration that was released is never edited: the next one is added
 * below it.
 */
import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { MigrationFailed } from '../errors.js'
import { mesh } from './0001_mesh.js'
import { abilities } from './0002_abilities.js'
import { paths } from './0003_paths.js'
import { steering } from './0004_steering.js'
import { routeHistory } from './0005_route_history.js'

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_mesh': mesh,
  '0002_abilities': abilities,
  '0003_paths': paths,
  '0004_steering': steering,
  '0005_route_history': routeHistory,
}

/** Brings the tables to this version, under the database's own lock; returns the names of what was applied. */
export async function migrate<DB>(db: Kysely<DB>): Promise<readonly string[]> {
  const schema = await sql<{ name: string }>`select current_schema() as name`.execute(db)
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
    // Named, because the migrator otherwise takes a table of any schema for its own.
    migrationTableSchema: schema.rows[0]?.name ?? 'public',
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error === undefined) return (results ?? []).map(result => result.migrationName)
  const failed = results?.find(result => result.status === 'Error')?.migrationName
  throw new MigrationFailed(
    failed === undefined
      ? 'the tables are not of a version this program knows; start the newest version that has used this database'
      : `migration ${failed} failed and was rolled back; the cause says why`,
    { cause: error },
  )
}
