/** Backs up PostgreSQL by its own `pg_dump`, while coordinators go on: the backup is of one moment. */
import { asStoreError } from '../sql-errors.js'
import { MESH_TABLES } from '../migrations/pending.js'
import { BackupWriter } from './archive.js'
import { BackupFailed } from './errors.js'
import { type About, FORMAT, WHAT } from './manifest.js'
import { assertPrograms, placeOf, start } from './pg-programs.js'
import { withPostgres } from './postgres-client.js'
import { literal, lookAtTables, quoted } from './tables.js'

/** The part of a backup that has PostgreSQL in it. */
export const DUMP = 'database.dump'
/** Somebody who changes the tables just now is waited for so long, ms. */
const LOCK_TIMEOUT_MS = 30_000

/** Writes a backup of the schema that the address leads into; resolves with its size, bytes. */
export async function backUpPostgres(databaseUrl: string, path: string, about: About): Promise<number> {
  try {
    return await withPostgres(databaseUrl, async ({ ask, major, version }) => {
      await assertPrograms(['pg_dump'], major)
      await ask('begin transaction isolation level repeatable read, read only')
      const tables = await lookAtTables(ask)
      if (tables.migrations[MESH_TABLES.name] === undefined)
        throw new BackupFailed(
          `the schema ${tables.schema} has nothing of a BosonServer: there is nothing to back up`,
        )
      // The dump sees what was counted, whoever writes meanwhile.
      const [{ snapshot = null } = {}] = await ask('select pg_export_snapshot() as snapshot')
      return await BackupWriter.write(path, about.nowMs, async writer => {
        const { url, ...place } = placeOf(databaseUrl)
        const dump = start(
          'pg_dump',
          [
            '--format=custom',
            '--no-owner',
            '--no-privileges',
            '--no-password',
            `--lock-wait-timeout=${LOCK_TIMEOUT_MS}`,
            `--snapshot=${String(snapshot)}`,
            // Tables, and what belongs to them: the schema is there wherever it is restored.
            `--table=${quoted(tables.schema)}.*`,
            `--dbname=${url}`,
          ],
          { url, ...place },
        )
        try {
          await writer.add(DUMP, dump.stdout)
          await dump.done
        } finally {
          dump.child.kill()
        }
        const { version: ours, serverId, vaultKeyId, nowMs } = about
        return {
          what: WHAT,
          format: FORMAT,
          version: ours,
          takenAt: new Date(nowMs).toISOString(),
          serverId,
          vaultKeyId,
          kind: 'postgres' as const,
          database: version,
          tables,
        }
      })
    })
  } catch (error) {
    throw asStoreError(error)
  }
}

/** Resolves with how many coordinators are connected to the database just now. */
export async function coordinatorsAt(
  ask: (sql: string) => Promise<readonly Record<string, unknown>[]>,
): Promise<number> {
  const [row] = await ask(
    `select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name = ${literal('boson')}`,
  )
  return Number(row?.['count'])
}
