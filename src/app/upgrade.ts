/** What a start does before tables are changed: keeps what is there, or refuses. */
import type { Logger } from 'pino'
import type { Clock } from '../kit/clock.js'
import { inWords, MigrationsPending, type Upgrade, type UpgradeOptions } from '../store/index.js'
import { PgProgramMissing } from '../store/backup/index.js'
import { aboutBackup, newBackup, tidyBackups } from './backups.js'
import type { Config } from './config.js'
import { ROOMS } from './rooms.js'

/** Returns what a store is opened with by `boson server`. */
export function guardedUpgrade(
  config: Config,
  clock: Pick<Clock, 'wallMs'>,
  log: Pick<Logger, 'info' | 'warn'>,
): UpgradeOptions {
  return {
    rooms: ROOMS,
    async before(upgrade) {
      const pending = inWords(upgrade.pending)
      if (config.migrate === 'check')
        throw new MigrationsPending(
          `the tables are of an older version, and BOSON_MIGRATE is check: run \`boson migrate\` first (${pending})`,
        )
      try {
        const { path, bytes } = await backUpBefore(config, clock, upgrade)
        log.info({ path, bytes, pending }, 'the database was backed up before its tables are changed')
      } catch (error) {
        if (!(error instanceof PgProgramMissing)) throw error
        if (config.mode === 'production')
          throw new PgProgramMissing(
            `the tables are to be changed (${pending}), and the database cannot be backed up before: ${error.message}; or back it up in your own way, and run \`boson migrate --no-backup\``,
            { cause: error },
          )
        log.warn({ reason: error.message, pending }, 'the tables are changed without a backup')
      }
    },
  }
}

/** Backs up before a migration; resolves with where, and how much it is. */
export async function backUpBefore(
  config: Config,
  clock: Pick<Clock, 'wallMs'>,
  { backUp }: Pick<Upgrade, 'backUp'>,
): Promise<{ readonly path: string; readonly bytes: number }> {
  const nowMs = clock.wallMs()
  const path = newBackup(config, nowMs, 'migration')
  const bytes = await backUp(path, aboutBackup(config, nowMs))
  tidyBackups(config, nowMs)
  return { path, bytes }
}
