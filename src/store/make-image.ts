/**
 * Makes the prepared database that a first start begins with: migrated, closed in order, beside the compiled
 * sources. Run by the build: `node dist/src/store/make-image.js`.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { Kysely, PGliteDialect } from 'kysely'
import { imageOf } from './image.js'
import { MIGRATIONS } from './migrations/index.js'
import { migrate } from './migrations/migrate.js'
import { IMAGE } from './pglite-directory.js'
import { PGLITE_OPTIONS } from './pglite-options.js'

const directory = mkdtempSync(join(tmpdir(), 'boson-image-'))
try {
  const pglite = await PGlite.create(directory, PGLITE_OPTIONS)
  const db = new Kysely({ dialect: new PGliteDialect({ pglite }) })
  await migrate(db, MIGRATIONS)
  // Nothing is ever made from the templates, and they are two thirds of the files.
  await pglite.exec('update pg_database set datistemplate = false')
  for (const template of ['template0', 'template1']) await pglite.exec(`drop database ${template}`)
  // Closed, so that a start from it has nothing to recover.
  await db.destroy()
  mkdirSync(dirname(IMAGE), { recursive: true })
  // Renamed when whole: half an image is never found.
  writeFileSync(`${IMAGE}.part`, imageOf(directory))
  renameSync(`${IMAGE}.part`, IMAGE)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
