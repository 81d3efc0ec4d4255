/** `boson migrate`: brings the tables to this version, after a backup, without starting the coordinator. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { systemClock } from '../../kit/clock.js'
import { asBytes } from '../columns.js'
import { type Config, readConfig } from '../config.js'
import { addCoordinatorOptions } from '../coordinator-options.js'
import { CommandError } from '../exit-codes.js'
import { sourcesOf } from '../setting-options.js'
import { SETTINGS } from '../settings.js'

const EXAMPLES = `
Examples:
  $ boson migrate --dry-run              what would be applied; nothing is changed
  $ boson migrate                        backs up, then applies it
  $ boson migrate --no-backup            when there is a backup already

A start of the coordinator does the same, unless BOSON_MIGRATE is check. When something fails, the message says how to go
back to what was there before.`

/** Returns the command. */
export const migrateCommand = (): Command =>
  addCoordinatorOptions(new Command('migrate'), ['dataDir', 'databaseUrl'])
    .description('bring the tables of the database to this version, after a backup')
    .option('--dry-run', 'say what would be applied, and change nothing')
    .option('--no-backup', 'do not back up before')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Readonly<Record<string, unknown>>) => {
      const config = readConfig(sourcesOf(SETTINGS, options))
      const { lockDataDir } = await import('../../store/index.js')
      const { finishRestore } = await import('../../store/backup/index.js')
      if (config.databaseUrl === null && !existsSync(join(config.dataDir, 'pglite')))
        return say('there is no database yet: the first start makes it')
      const lock = config.databaseUrl === null ? lockDataDir(config.dataDir) : null
      try {
        if (lock !== null) finishRestore(config.dataDir)
        await (options['dryRun'] === true ? look(config) : migrate(config, options['backup'] !== false))
      } finally {
        lock?.release()
      }
    })

async function look({ databaseUrl, dataDir }: Config): Promise<void> {
  const { appliedIn, inWords, newerIn, pendingOf } = await import('../../store/index.js')
  const { ROOMS } = await import('../rooms.js')
  const applied = await appliedIn({ databaseUrl, dataDir })
  const newer = newerIn(applied, ROOMS)
  if (newer.length > 0)
    throw new CommandError(
      'NEWER',
      `a newer version has used this database (${inWords(newer)}): use that version of boson`,
    )
  const pending = pendingOf(applied, ROOMS)
  if (pending.length === 0) return say('the tables are of this version')
  for (const { room, names } of pending) for (const name of names) process.stdout.write(`${room} ${name}\n`)
}

async function migrate(config: Config, withBackup: boolean): Promise<void> {
  const { MigrationFailed, openStore } = await import('../../store/index.js')
  const { backUpBefore } = await import('../upgrade.js')
  const { ROOMS } = await import('../rooms.js')
  const applied: string[] = []
  const backups: string[] = []
  try {
    const store = await openStore({
      databaseUrl: config.databaseUrl ?? undefined,
      dataDir: config.dataDir,
      overlay4: config.overlay4,
      overlay6: config.overlay6,
      upgrade: {
        rooms: ROOMS,
        async before(upgrade) {
          applied.push(...upgrade.pending.flatMap(({ room, names }) => names.map(name => `${room} ${name}`)))
          if (!withBackup) return
          const made = await backUpBefore(config, systemClock, upgrade)
          backups.push(made.path)
          say(`backed up to ${made.path}, ${asBytes(made.bytes)}`)
        },
      },
    })
    try {
      for (const { name, migrations } of ROOMS.slice(1)) await store.room(name, migrations)
    } finally {
      await store.close()
    }
  } catch (error) {
    const [backup] = backups
    if (!(error instanceof MigrationFailed) || backup === undefined) throw error
    throw new MigrationFailed(`${error.message}\n${wayBack(backup)}`, { cause: error })
  }
  for (const each of applied) process.stdout.write(`${each}\n`)
  say(applied.length === 0 ? 'the tables are of this version' : 'the tables are of this version now')
}

const wayBack = (backup: string): string =>
  `to go back to what was there before, with the version from before: boson restore ${backup}`

const say = (line: string): void => void process.stderr.write(`${line}\n`)
