/**
 * What there is to know before tables are changed: which migrations wait, and how to keep what is there. A database that
 * nobody has used yet is not asked about.
 */
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { randomUUID } from 'node:crypto'
import type { About } from './backup/manifest.js'
import { backUpPglite, lookAtDirectory } from './backup/pglite-backup.js'
import { backUpPostgres } from './backup/postgres-backup.js'
import { withPostgres } from './backup/postgres-client.js'
import { lookAtTables } from './backup/tables.js'
import type { RoomNames, RoomTables } from './migrations/pending.js'
import type { PglitePool } from './pglite-pool.js'

/** Writes a backup of an open database into a file; resolves with its size, bytes. */
export type BackUp = (path: string, about: About) => Promise<number>

export interface Upgrade {
  /** Of the mesh first; never empty. */
  readonly pending: readonly RoomNames[]
  readonly backUp: BackUp
}

export interface UpgradeOptions {
  /** Every room with tables, the mesh first: all of them wait for one backup. */
  readonly rooms: readonly RoomTables[]
  /** Hears of it before anything is changed; rejects to leave everything as it is. */
  readonly before: (upgrade: Upgrade) => Promise<void>
}

/** Resolves with what was applied to a database, by room; of the embedded one, which nobody has open. */
export async function appliedIn({
  databaseUrl,
  dataDir,
}: {
  readonly databaseUrl: string | null
  readonly dataDir: string
}): Promise<Readonly<Record<string, readonly string[]>>> {
  if (databaseUrl === null) return (await lookAtDirectory(join(dataDir, 'pglite'))).tables.migrations
  return await withPostgres(databaseUrl, async ({ ask }) => {
    const { migrations } = await lookAtTables(ask, { count: false })
    return migrations
  })
}

/** Returns what backs up PostgreSQL while it is used. */
export const backsUpPostgres =
  (databaseUrl: string): BackUp =>
  (path, about) =>
    backUpPostgres(databaseUrl, path, about)

/** Returns what backs up the embedded database while it is used: questions wait only while its files are copied. */
export const backsUpPglite =
  (pool: PglitePool): BackUp =>
  async (path, about) => {
    const copy = join(dirname(path), `copy-${randomUUID()}`)
    try {
      await pool.copy(copy)
      return await backUpPglite({ dir: copy, journalDir: null }, path, about)
    } finally {
      await rm(copy, { recursive: true, force: true })
    }
  }
