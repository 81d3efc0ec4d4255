/**
 * Restores the embedded database beside the one that is there, looks at it, and only then puts it in its place:
 *
 *   restore/pglite, restore/journal     unpacked, and opened once
 *   restore/ready                       from here on it is the one that counts
 *   before-restore/pglite, …/journal    what was there before, which `undo` puts back
 *
 * Each step of the exchange can be the last one of a process: the next one goes on from there, before anybody opens
 * the database.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Backup, Contents } from './archive.js'
import { BadBackup, RestoreFailed } from './errors.js'
import type { Tables } from './manifest.js'
import { DIRECTORY, JOURNAL, lookAtDirectory } from './pglite-backup.js'
import { readTar } from './tar.js'

/** What is exchanged. */
const PARTS = ['pglite', 'journal'] as const

/** Restores a backup into a data directory that the caller has locked. */
export async function restorePglite(dataDir: string, backup: Backup): Promise<void> {
  const { manifest, path } = backup
  if (manifest.kind !== 'pglite')
    throw new BadBackup(
      `${path} is of PostgreSQL, and this data directory has an embedded database: set DATABASE_URL, or restore a backup of the embedded one`,
    )
  finishRestore(dataDir)
  const staged = join(dataDir, 'restore')
  try {
    mkdirSync(staged, { recursive: true, mode: 0o700 })
    await unpack(backup.part(DIRECTORY), join(staged, 'pglite'))
    await mkdir(join(staged, 'journal'), { mode: 0o700 })
    for (const name of backup.parts.filter(each => each.startsWith(JOURNAL)))
      await keep(backup.part(name), inside(staged, name))
    const { tables } = await lookAtDirectory(join(staged, 'pglite'))
    assertSame(tables, manifest.tables)
  } catch (error) {
    rmSync(staged, { recursive: true, force: true })
    const reason = error instanceof Error ? error.message : String(error)
    throw new RestoreFailed(`${path} was not restored, and everything is as it was: ${reason}`, {
      cause: error,
    })
  }
  writeFileSync(join(staged, 'ready'), '', { mode: 0o600 })
  finishRestore(dataDir)
}

/** Exchanges what is there for what the last restore has put aside. Doing it twice changes nothing. */
export function undoPglite(dataDir: string): void {
  finishRestore(dataDir)
  const aside = join(dataDir, 'before-restore')
  if (!existsSync(join(aside, 'ready')))
    throw new RestoreFailed(`no restore has put anything aside: there is no ${aside}`)
  renameSync(aside, join(dataDir, 'restore'))
  finishRestore(dataDir)
}

/**
 * Ends a restore that was cut off: forgets what was not ready, and puts what was in its place. The caller has locked the
 * data directory, and has nothing in it open.
 */
export function finishRestore(dataDir: string): void {
  const [staged, aside] = [join(dataDir, 'restore'), join(dataDir, 'before-restore')]
  if (!existsSync(staged)) return
  if (existsSync(join(staged, 'ready'))) {
    mkdirSync(aside, { recursive: true, mode: 0o700 })
    for (const part of PARTS) {
      const [now, next, before] = [join(dataDir, part), join(staged, part), join(aside, part)]
      if (!existsSync(next)) continue
      if (existsSync(now)) {
        rmSync(before, { recursive: true, force: true })
        renameSync(now, before)
      }
      renameSync(next, now)
    }
    // Of the directory that is aside now.
    rmSync(join(dataDir, 'pglite.unfinished'), { force: true })
    if (existsSync(join(aside, 'pglite'))) renameSync(join(staged, 'ready'), join(aside, 'ready'))
  }
  rmSync(staged, { recursive: true, force: true })
}

/** Puts the journal aside, where only that is exchanged: the database has done so itself. */
export function putJournalAside(dataDir: string): void {
  const [journal, aside] = [join(dataDir, 'journal'), join(dataDir, 'before-restore')]
  if (!existsSync(journal)) return
  mkdirSync(aside, { recursive: true, mode: 0o700 })
  rmSync(join(aside, 'journal'), { recursive: true, force: true })
  renameSync(journal, join(aside, 'journal'))
}

async function unpack(packed: Contents, dir: string): Promise<void> {
  await mkdir(dir, { mode: 0o700 })
  await pipeline(packed, createGunzip(), async (unpacked: Contents) => {
    for await (const { name, kind, content } of readTar(unpacked)) {
      const path = inside(dir, name)
      if (kind === 'folder') await mkdir(path, { recursive: true, mode: 0o700 })
      else await keep(content, path)
    }
  })
}

async function keep(content: Contents, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of content) await file.write(chunk)
  } finally {
    await file.close()
  }
}

/** Returns where an entry goes; throws when that would be elsewhere. */
function inside(dir: string, name: string): string {
  const path = normalize(name)
  if (path.startsWith('..') || path.startsWith('/') || path.includes('\0'))
    throw new BadBackup(`an entry would be written outside of the data directory: ${JSON.stringify(name)}`)
  return join(dir, path)
}

function assertSame(found: Tables, wanted: Tables): void {
  for (const [name, rows] of Object.entries(wanted.rows))
    if (found.rows[name] !== rows)
      throw new BadBackup(`wanted ${rows} rows of ${name}, found ${found.rows[name] ?? 'no such table'}`)
}
