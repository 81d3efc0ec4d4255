/** `boson restore`: a backup in the place of what is there, and back again. */
import { resolve } from 'node:path'
import { Command } from 'commander'
import type { Manifest } from '../../store/backup/index.js'
import { asBytes } from '../columns.js'
import { type Config, readConfig } from '../config.js'
import { confirmed } from '../confirm.js'
import { addCoordinatorOptions } from '../coordinator-options.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { sourcesOf } from '../setting-options.js'
import { SETTINGS } from '../settings.js'

const EXAMPLES = `
Examples:
  $ boson restore mesh.backup            asks before it does anything
  $ boson restore mesh.backup --yes      without being asked
  $ boson restore --undo --yes           brings back what was there before

The whole file is read first, and refused when it is damaged, of another kind of database, or of a newer version. Stop the
coordinator before. What is there is put aside, not removed: one such state is kept. The next start of the coordinator brings
older tables to its version.`

/** Returns the command. */
export const restoreCommand = (): Command =>
  addCoordinatorOptions(new Command('restore'), ['dataDir', 'databaseUrl'])
    .description('put a backup in the place of what is there')
    .argument('[file]', 'that `boson backup` has written')
    .option('--undo', 'bring back what the last restore has put aside')
    .option('--yes', 'do it without being asked')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string | undefined, options: Readonly<Record<string, unknown>>) => {
      const config = readConfig(sourcesOf(SETTINGS, options))
      const undo = options['undo'] === true
      if ((file === undefined) !== undo)
        throw new CommandError('USAGE', 'wanted either a file or --undo', EXIT.usage)
      const agreed = options['yes'] === true
      await (file === undefined ? undoRestore(config, agreed) : restore(config, resolve(file), agreed))
    })

async function restore(config: Config, file: string, agreed: boolean): Promise<void> {
  const { BadBackup, openBackup, restorePglite, restorePostgres } = await import(
    '../../store/backup/index.js'
  )
  const { inWords, newerIn } = await import('../../store/index.js')
  const { ROOMS } = await import('../rooms.js')
  const backup = await openBackup(file)
  const { manifest } = backup
  const newer = newerIn(manifest.tables.migrations, ROOMS)
  if (newer.length > 0)
    throw new BadBackup(
      `${file} is of a newer version, ${manifest.version}, whose tables this program does not know (${inWords(newer)}): use that version of boson`,
    )
  say(`${file}: ${asBytes(backup.bytes)}, ${told(manifest)}`)
  for (const warning of await warnings(config, manifest)) say(`note: ${warning}`)
  if (!agreed) await confirmed('restore', REPLACES)
  if (config.databaseUrl === null) await locked(config, () => restorePglite(config.dataDir, backup))
  else {
    await restorePostgres(config.databaseUrl, backup)
    await journalAside(config)
  }
  say('restored; what was there before is aside, and `boson restore --undo` brings it back')
}

async function undoRestore(config: Config, agreed: boolean): Promise<void> {
  const { undoPglite, undoPostgres } = await import('../../store/backup/index.js')
  if (!agreed) await confirmed('undo', REPLACES)
  if (config.databaseUrl === null) await locked(config, async () => undoPglite(config.dataDir))
  else await undoPostgres(config.databaseUrl)
  say('what was there before the restore is back; a second `boson restore --undo` would change that again')
}

const REPLACES = {
  why: 'this replaces everything in the database',
  question: 'Everything in the database is put aside, and this comes in its place.',
}

function told({ kind, database, version, takenAt, serverId, tables }: Manifest): string {
  const { identities = 0, accounts = 0 } = tables.rows
  const of = kind === 'pglite' ? 'the embedded database' : `PostgreSQL ${database}`
  return `${of} of ${serverId ?? 'a coordinator'}, version ${version}, ${takenAt}: ${identities} identities, ${accounts} accounts`
}

async function warnings(config: Config, manifest: Manifest): Promise<readonly string[]> {
  const { aboutBackup } = await import('../backups.js')
  const here = aboutBackup(config, 0)
  const other = (one: string | null, two: string | null) => one !== null && two !== null && one !== two
  return [
    ...(other(here.vaultKeyId, manifest.vaultKeyId)
      ? [
          'it was sealed by another BOSON_VAULT_KEY than is set here: keys of peers, secrets of webhooks and mails that wait cannot be read without that one',
        ]
      : []),
    ...(other(here.serverId, manifest.serverId)
      ? [
          `it is of the coordinator ${manifest.serverId}, and this is ${here.serverId}: set BOSON_SERVER_ID if it is to take its place`,
        ]
      : []),
  ]
}

async function locked(config: Config, work: () => Promise<void>): Promise<void> {
  const { lockDataDir } = await import('../../store/index.js')
  const lock = lockDataDir(config.dataDir)
  try {
    await work()
  } finally {
    lock.release()
  }
}

/** What the database has not taken yet is of what was there before. */
async function journalAside({ dataDir }: Config): Promise<void> {
  const { putJournalAside } = await import('../../store/backup/index.js')
  putJournalAside(dataDir)
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)
