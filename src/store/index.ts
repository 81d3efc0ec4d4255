/** What is kept: the store behind its port, on PGlite, PostgreSQL or in memory, and the journal beside it. */
export { type DataDirHolder, dataDirHolder, type DataDirLock, lockDataDir } from './data-dir-lock.js'
export {
  BadOverlay,
  DataDirLocked,
  JournalUnavailable,
  MigrationFailed,
  MigrationsPending,
  StoreConflict,
  StoreUnavailable,
} from './errors.js'
export { FileJournal, type JournalOptions, openJournal } from './file-journal.js'
export type { StoreLog } from './log.js'
export {
  inWords,
  MESH_TABLES,
  newerIn,
  pendingOf,
  type RoomNames,
  type RoomTables,
} from './migrations/pending.js'
export { MemoryJournal } from './memory-journal.js'
export { MemoryStore, type MemoryStoreOptions } from './memory-store.js'
export { type OpenStore, openStore, type StoreOptions } from './open-store.js'
export { type OverlayOptions, OverlayPool } from './overlay-pool.js'
export { RETENTION, type Retention } from './retention.js'
export type { Migrations, OpenRoom, Room } from './rooms.js'
export { appliedIn, type BackUp, type Upgrade, type UpgradeOptions } from './upgrade.js'
