/** `boson backup`: everything in the database, in one file, whether the coordinator runs or not. */
import { copyFile, rename, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { systemClock } from '../../kit/clock.js'
import { asBytes } from '../columns.js'
import { type Config, readConfig } from '../config.js'
import { addCoordinatorOptions } from '../coordinator-options.js'
import { CommandError } from '../exit-codes.js'
import { Operator } from '../operator.js'
import { sourcesOf } from '../setting-options.js'
import { SETTINGS } from '../settings.js'

const EXAMPLES = `
Examples:
  $ boson backup                         into the data directory: backups/boson-TIME.backup
  $ boson backup --out mesh.backup       another file, which must not be there yet
  $ tar tf mesh.backup                   what is in it; \`sha256sum -c SHA256SUMS\` checks it

PostgreSQL is backed up by its own pg_dump, and everyone goes on meanwhile. The embedded database is copied by the
coordinator itself when it runs. The file is everything but the secrets: keep BOSON_VAULT_KEY, or vault-key in the data
directory, in another place.`

/** A large database on a slow disk, ms. */
const PATIENCE_MS = 600_000

/** What the coordinator answers that has made one. */
interface Made {
  readonly path: string
  readonly bytes: number
}

/** Returns the command. */
export const backupCommand = (): Command =>
  addCoordinatorOptions(new Command('backup'), ['dataDir', 'databaseUrl', 'port'])
    .description('write everything in the database into one file')
    .option('--out <file>', 'which must not be there yet')
    .option(
      '--token <token>',
      'the operator’s token, for a coordinator that runs. When not set: the one in the data directory',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Readonly<Record<string, unknown>>) => {
      const config = readConfig(sourcesOf(SETTINGS, options))
      const out = typeof options['out'] === 'string' ? resolve(options['out']) : null
      if (out !== null && existsSync(out))
        throw new CommandError('OUT', `--out: ${out} is there already: name another file`)
      const made = await back(config, out, options)
      if (options['json'] === true) return void process.stdout.write(`${JSON.stringify(made)}\n`)
      process.stdout.write(`${made.path}\n`)
      process.stderr.write(`${asBytes(made.bytes)}; \`boson restore\` brings it back\n`)
    })

async function back(
  config: Config,
  out: string | null,
  options: Readonly<Record<string, unknown>>,
): Promise<Made> {
  // Loaded when it is wanted: the database is most of what there is to load.
  const { backUpPglite, backUpPostgres, finishRestore } = await import('../../store/backup/index.js')
  const { DataDirLocked, lockDataDir } = await import('../../store/index.js')
  const { aboutBackup, newBackup } = await import('../backups.js')
  const nowMs = systemClock.wallMs()
  const path = () => out ?? newBackup(config, nowMs, 'asked')
  if (config.databaseUrl !== null) {
    const file = path()
    return { path: file, bytes: await backUpPostgres(config.databaseUrl, file, aboutBackup(config, nowMs)) }
  }
  if (!existsSync(join(config.dataDir, 'pglite')))
    throw new CommandError('NOTHING', `there is no database in ${resolve(config.dataDir)}: see --data-dir`)
  try {
    const lock = lockDataDir(config.dataDir)
    try {
      finishRestore(config.dataDir)
      const [dir, journalDir] = [join(config.dataDir, 'pglite'), join(config.dataDir, 'journal')]
      const file = path()
      return {
        path: file,
        bytes: await backUpPglite({ dir, journalDir }, file, aboutBackup(config, nowMs)),
      }
    } finally {
      lock.release()
    }
  } catch (error) {
    if (!(error instanceof DataDirLocked)) throw error
    return await fromRunning(new Operator(options), out)
  }
}

/** The coordinator makes it in its own folder: whoever may read that may have it. */
async function fromRunning(operator: Operator, out: string | null): Promise<Made> {
  const made = await operator.ask<Made>('POST', '/api/v1/backups', {}, PATIENCE_MS)
  if (out === null) return made
  await rename(made.path, out).catch(async () => {
    // Another file system.
    await copyFile(made.path, out)
    await rm(made.path)
  })
  return { ...made, path: out }
}
