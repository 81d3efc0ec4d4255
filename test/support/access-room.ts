/** The tables of accounts and what belongs to them, in an embedded database of their own, without a coordinator. */
import { rmSync } from 'node:fs'
import type { Test } from 'tap'
import { MIGRATIONS } from '../../src/access/migrations.js'
import type { AccessTables } from '../../src/access/tables.js'
import { openStore } from '../../src/store/index.js'
import type { Room } from '../../src/store/rooms.js'
import { shortFolder } from './short-folder.js'

/** Resolves with the room, which ends with the test; in PostgreSQL when a URL is given. */
export async function accessRoom(t: Test, databaseUrl?: string): Promise<Room<AccessTables>> {
  const dataDir = shortFolder()
  const store = await openStore({
    dataDir,
    databaseUrl,
    overlay4: '10.77.0.0/16',
    overlay6: 'fd77:b050::/64',
  })
  t.teardown(async () => {
    await store.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return store.room<AccessTables>('access', MIGRATIONS)
}
