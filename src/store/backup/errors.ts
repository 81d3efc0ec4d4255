/** Why there is no backup, or why one is not restored. Each message says what to do. */
import { StoreError } from '../errors.js'

/** The file cannot be restored here: it is no backup, is damaged, or is of something else. Nothing was touched. */
export class BadBackup extends StoreError {
  override readonly name = 'BadBackup'
  readonly code = 'BAD_BACKUP'
}

/** There is nothing to back up, or no way to. */
export class BackupFailed extends StoreError {
  override readonly name = 'BackupFailed'
  readonly code = 'BACKUP_FAILED'
}

/** What was there before is still there. */
export class RestoreFailed extends StoreError {
  override readonly name = 'RestoreFailed'
  readonly code = 'RESTORE_FAILED'
}

/** One of PostgreSQL's programs is missing on this machine, or is older than the server. */
export class PgProgramMissing extends StoreError {
  override readonly name = 'PgProgramMissing'
  readonly code = 'PG_PROGRAM_MISSING'
}

/** Somebody else works in the database. */
export class DatabaseInUse extends StoreError {
  override readonly name = 'DatabaseInUse'
  readonly code = 'DATABASE_IN_USE'
}
