/** Backups: one file that has everything in the database, and the way back. */
export { openBackup } from './archive.js'
export { BadBackup, PgProgramMissing } from './errors.js'
export type { About, Manifest } from './manifest.js'
export { backUpPglite } from './pglite-backup.js'
export { finishRestore, putJournalAside, restorePglite, undoPglite } from './pglite-restore.js'
export { backUpPostgres } from './postgres-backup.js'
export { restorePostgres, undoPostgres } from './postgres-restore.js'
