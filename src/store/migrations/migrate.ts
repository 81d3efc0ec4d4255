/** Brings tables to their version, under the database's own lock. */
import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { MigrationFailed } from '../errors.js'

/**
 * Applies what has not been applied yet, in the order of names, and returns the names. `kept` names the table that
 * remembers; absent: the mesh's own.
 */
export async function migrate<DB>(
  db: Kysely<DB>,
  migrations: Readonly<Record<string, Migration>>,
  kept?: string,
): Promise<readonly string[]> {
  const schema = await sql<{ name: string }>`select current_schema() as name`.execute(db)
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
    // Named, because the migrator otherwise takes a table of any schema for its own.
    migrationTableSchema: schema.rows[0]?.name ?? 'public',
    ...(kept !== undefined && { migrationTableName: kept, migrationLockTableName: `${kept}_lock` }),
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
