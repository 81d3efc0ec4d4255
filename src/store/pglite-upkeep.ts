/**
 * What the background workers of a server would do. PGlite has none: without a checkpoint now and then its log
 * grows until it is closed, and without a vacuum the room of deleted rows is never used again.
 */
import type { PGlite } from '@electric-sql/pglite'

/** How often the size of the log is looked at, ms. */
const LOOK_EVERY_MS = 10_000
/** A log of this length is checkpointed, bytes; the pause is some 20 ms. */
const CHECKPOINT_BYTES = 32 * 2 ** 20
const VACUUM_EVERY_MS = 600_000

export class PgliteUpkeep {
  readonly #db: PGlite
  #lookedAtMs: number
  #vacuumedAtMs: number
  #checkpointAt = '0/0'

  constructor(db: PGlite, nowMs: number) {
    this.#db = db
    this.#lookedAtMs = nowMs
    this.#vacuumedAtMs = nowMs
  }

  /** Does what is due; to be called between transactions, when something was written. */
  async run(nowMs: number): Promise<void> {
    if (nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return
    this.#lookedAtMs = nowMs
    if (nowMs - this.#vacuumedAtMs >= VACUUM_EVERY_MS) {
      this.#vacuumedAtMs = nowMs
      await this.#db.exec('vacuum')
    }
    const { rows } = await this.#db.query<{ at: string; bytes: number }>(
      'select pg_current_wal_insert_lsn() as at, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::float8 as bytes',
      [this.#checkpointAt],
    )
    const log = rows[0]
    if (log === undefined || log.bytes < CHECKPOINT_BYTES) return
    await this.#db.exec('checkpoint')
    this.#checkpointAt = log.at
  }
}
