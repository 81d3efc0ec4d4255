/**
 * Backs up the embedded database: its directory, while nobody writes to it. It is opened once before, so that what is
 * backed up is known to open.
 */
import { createReadStream, existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { pglitePool } from '../pglite-pool.js'
import { MESH_TABLES } from '../migrations/pending.js'
import { BackupWriter } from './archive.js'
import { BackupFailed } from './errors.js'
import { type About, FORMAT, type Manifest, type Tables, WHAT } from './manifest.js'
import { lookAtTables, onePooled } from './tables.js'
import { TAR_END, tarHeader, tarPadding } from './tar.js'

/** The part of a backup that has the directory in it. */
export const DIRECTORY = 'database.tar.gz'
/** Where the parts of the journal are. */
export const JOURNAL = 'journal/'
/** Counting the rows of a large table may take long, ms. */
export const PATIENCE_MS = 300_000

export interface PgliteSource {
  /** The directory of the database; nobody has it open. */
  readonly dir: string
  /** That of the journal; null when the database has all of it. */
  readonly journalDir: string | null
}

/** Writes a backup; resolves with its size, bytes. */
export async function backUpPglite(source: PgliteSource, path: string, about: About): Promise<number> {
  const { database, tables } = await lookAtDirectory(source.dir)
  if (tables.migrations[MESH_TABLES.name] === undefined)
    throw new BackupFailed(`${source.dir} has nothing of a BosonServer: there is nothing to back up`)
  return await BackupWriter.write(path, about.nowMs, async writer => {
    // What goes wrong in one of them ends the other, and whoever reads it hears of it.
    await writer.add(
      DIRECTORY,
      pipeline(tarOf(source.dir, about.nowMs), createGzip(), () => undefined),
    )
    for (const name of await partsOf(source.journalDir))
      await writer.add(`${JOURNAL}${name}`, createReadStream(join(source.journalDir ?? '', name)))
    const { nowMs, version, serverId, vaultKeyId } = about
    return {
      what: WHAT,
      format: FORMAT,
      version,
      takenAt: new Date(nowMs).toISOString(),
      serverId,
      vaultKeyId,
      kind: 'pglite',
      database,
      tables,
    } satisfies Manifest
  })
}

/** Opens a database, and resolves with what is in it. Nobody else has it open. */
export async function lookAtDirectory(
  dir: string,
): Promise<{ readonly database: string; readonly tables: Tables }> {
  const pool = await pglitePool({ dir, queryTimeoutMs: PATIENCE_MS })
  try {
    return await onePooled(pool, async ask => {
      const [about] = await ask(`select split_part(current_setting('server_version'), ' ', 1) as version`)
      return { database: String(about?.['version']), tables: await lookAtTables(ask) }
    })
  } finally {
    await pool.end()
  }
}

/** A directory as a tar, its files in the order of their names. */
function tarOf(dir: string, nowMs: number): Readable {
  return Readable.from(entries())

  async function* entries(): AsyncGenerator<Uint8Array> {
    const found = await readdir(dir, { withFileTypes: true, recursive: true })
    const paths = found.map(entry => ({ path: join(entry.parentPath, entry.name), isFile: entry.isFile() }))
    for (const { path, isFile } of paths.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
      const name = relative(dir, path)
      const size = isFile ? (await stat(path)).size : 0
      yield tarHeader({ name, kind: isFile ? 'file' : 'folder', size }, nowMs)
      if (size > 0) yield* createReadStream(path)
      yield tarPadding(size)
    }
    yield TAR_END
  }
}

async function partsOf(journalDir: string | null): Promise<readonly string[]> {
  if (journalDir === null || !existsSync(journalDir)) return []
  return (await readdir(journalDir)).filter(name => name.endsWith('.log')).toSorted()
}
