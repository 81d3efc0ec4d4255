/** The tables of the monitor over each database, without a coordinator around them. */
import { rmSync } from 'node:fs'
import type { Test } from 'tap'
import { MIGRATIONS } from '../../src/pgmon/migrations.js'
import type { MonitorTables } from '../../src/pgmon/tables.js'
import { openStore, type Room, type StoreOptions } from '../../src/store/index.js'
import { startPostgres } from '../parts/postgres.js'
import { shortFolder } from '../support/short-folder.js'

const OVERLAY = { overlay4: '10.77.0.0/16', overlay6: 'fd77:b050::/64' }

export type MonitorRoom = Room<MonitorTables>

/** Opens the tables as another coordinator would: over PGlite, which has room for one, the same again. */
export type OpenRoom = () => Promise<MonitorRoom>

/** Runs `body` over the embedded database and over PostgreSQL, which is skipped, saying why, where there is none. */
export async function onEachRoom(t: Test, body: (t: Test, open: OpenRoom) => Promise<void>): Promise<void> {
  await t.test('PGlite', async t => {
    const dataDir = shortFolder()
    t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
    const room = await opened(t, { dataDir })
    await body(t, async () => room)
  })
  const postgres = await startPostgres(t)
  if ('missing' in postgres) {
    await t.test(`PostgreSQL: ${postgres.missing}`, { skip: true }, async () => {})
    return
  }
  await t.test('PostgreSQL', async t => {
    const databaseUrl = await postgres.schema()
    await body(t, () => opened(t, { databaseUrl }))
  })
}

async function opened(t: Test, where: Pick<StoreOptions, 'dataDir' | 'databaseUrl'>): Promise<MonitorRoom> {
  const store = await openStore({ ...where, ...OVERLAY })
  t.teardown(() => store.close())
  return store.room<MonitorTables>('pgmon', MIGRATIONS)
}
