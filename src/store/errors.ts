/** What the store refuses or cannot do now. Each message says what was wanted and what to do about it. */
import type { StoreUnavailableError } from '../actors/ports.js'

/** Every error of this room is one of these. */
export abstract class StoreError extends Error {
  abstract readonly code: string
}

/** The database cannot be asked now. Nothing is known to be lost: go on from memory and come back later. */
export class StoreUnavailable extends StoreError implements StoreUnavailableError {
  override readonly name = 'StoreUnavailable'
  readonly code = 'STORE_UNAVAILABLE'
}

/** The rows asked for cannot stand beside the rows that are there: a unique value would exist twice. */
export class StoreConflict extends StoreError {
  override readonly name = 'StoreConflict'
  readonly code = 'STORE_CONFLICT'
  /** Such as `identities_public_key_key`. */
  readonly constraint: string

  constructor(constraint: string, options?: ErrorOptions) {
    super(`store: ${constraint} must be unique, and another row holds this value`, options)
    this.constraint = constraint
  }
}

/** The tables could not be brought to what this version needs; nothing was changed. */
export class MigrationFailed extends StoreError {
  override readonly name = 'MigrationFailed'
  readonly code = 'MIGRATION_FAILED'
}

/** The tables are of an older version, and are not to be changed now. */
export class MigrationsPending extends StoreError {
  override readonly name = 'MigrationsPending'
  readonly code = 'MIGRATIONS_PENDING'
}

/** Another process works in this data directory. */
export class DataDirLocked extends StoreError {
  override readonly name = 'DataDirLocked'
  readonly code = 'DATA_DIR_LOCKED'
  /** The process that holds it. */
  readonly pid: number

  constructor(dataDir: string, pid: number, where: string) {
    super(
      `data directory ${dataDir} is in use by process ${pid}${where}; ` +
        'stop that process, or give this one its own directory with BOSON_DATA_DIR',
    )
    this.pid = pid
  }
}

/** The addresses of the mesh are not usable as configured. */
export class BadOverlay extends StoreError {
  override readonly name = 'BadOverlay'
  readonly code = 'BAD_OVERLAY'
}

/** The journal could not take a record: the disk is full, or the file was lost. */
export class JournalUnavailable extends StoreError {
  override readonly name = 'JournalUnavailable'
  readonly code = 'JOURNAL_UNAVAILABLE'
}
