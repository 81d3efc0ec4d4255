/**
 * The directory of the embedded database. A new one starts from the image made at build time, which is quicker
 * and smaller than making a database; without an image it is made. A kill in between leaves a mark, and the
 * next start begins anew: nothing was acknowledged from a directory that was never finished.
 */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { StoreLog } from './log.js'
import { type PglitePool, pglitePool } from './pglite-pool.js'
import { makeFromImage } from './image.js'

export interface DirectoryOptions {
  readonly dataDir: string
  readonly queryTimeoutMs: number
  readonly log: StoreLog | undefined
  /** Where the image is; missing files are no trouble. */
  readonly image?: string
}

export interface PgliteDirectory {
  readonly pool: PglitePool
  /** Whether nothing was in it before. */
  readonly isNew: boolean
  /** Says that the tables are in place: from now on the directory is kept. */
  readonly finish: () => void
}

/** Where `make-image` puts a prepared database: beside the compiled sources. */
export const IMAGE = fileURLToPath(new URL('../../image/pglite.image', import.meta.url))

export async function openDirectory(options: DirectoryOptions): Promise<PgliteDirectory> {
  const dir = join(options.dataDir, 'pglite')
  const unfinished = join(options.dataDir, 'pglite.unfinished')
  const image = options.image ?? IMAGE
  const begin = () => {
    writeFileSync(unfinished, 'this directory is not finished: the next start makes it anew\n', {
      mode: 0o600,
    })
    rmSync(dir, { recursive: true, force: true })
    // PGlite leaves its files readable by all; what nobody else may enter, nobody else can read.
    mkdirSync(dir, { mode: 0o700 })
  }
  const open = () => pglitePool({ dir, queryTimeoutMs: options.queryTimeoutMs })
  const finish = () => rmSync(unfinished, { force: true })

  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
  if (existsSync(join(dir, 'PG_VERSION')) && !existsSync(unfinished)) {
    chmodSync(dir, 0o700)
    return { pool: await open(), isNew: false, finish }
  }
  begin()
  if (existsSync(image)) {
    try {
      await makeFromImage(image, dir)
      return { pool: await open(), isNew: true, finish }
    } catch (error) {
      options.log?.warn({ err: error, image }, 'the prepared database cannot be used; making one instead')
      begin()
    }
  }
  return { pool: await open(), isNew: true, finish }
}
