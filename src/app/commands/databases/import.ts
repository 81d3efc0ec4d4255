/**
 * `boson databases import`: takes over the servers and SSH keys of PostgreSQL Activity Monitor. Its files are read here, its
 * secrets are opened by the coordinator with its key, and sealed with ours.
 *
 *   /etc/pg_activity_monitor/  servers.json, encryption_key.key, users.json, ssh_keys/{keys.json, private/*.pem}
 */
import { Command } from 'commander'
import { basename, join } from 'node:path'
import type { Entry, ImportReport } from '../../../pgmon/import/forms.js'
import { columns } from '../../columns.js'
import { CommandError } from '../../exit-codes.js'
import { modeComplaint } from '../../file-mode.js'
import { addOperatorOptions, Operator } from '../../operator.js'
import { optionsOf, print, say } from './about-server.js'
import { fileText, usage } from './secret-file.js'

/** Hundreds of keys are opened and sealed, ms. */
const PATIENCE_MS = 60_000

const EXAMPLES = `
Examples:
  $ cd /etc/pg_activity_monitor
  $ boson databases import --servers servers.json --key encryption_key.key --ssh-keys ssh_keys --dry-run
  $ boson databases import --servers servers.json --key encryption_key.key --ssh-keys ssh_keys --users users.json`

/** Returns the command. */
export const importCommand = (): Command =>
  addOperatorOptions(new Command('import'))
    .description('take over servers and SSH keys of PostgreSQL Activity Monitor; it can be repeated')
    .requiredOption('--servers <file>', 'its servers.json')
    .requiredOption('--key <file>', 'its encryption_key.key')
    .option('--ssh-keys <directory>', 'its ssh_keys, with keys.json and private')
    .option('--users <file>', 'its users.json: says who needs an account here')
    .option('--tls <way>', 'how the servers are reached: disable, require, verify-full')
    .option('--dry-run', 'look at everything, and keep nothing')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (_, command: Command) => {
      const options = optionsOf(command)
      const keyFile = String(options['key'])
      const complaint = modeComplaint(keyFile)
      if (complaint !== null) say(`warning: ${complaint}`)
      const { sshKeys, users, tls, dryRun } = options
      const report = await new Operator(options).ask<ImportReport>(
        'POST',
        '/pgmon/import',
        {
          encryption_key: fileText(keyFile).trim(),
          servers: jsonOf(String(options['servers'])),
          ...(typeof sshKeys === 'string' && { ssh_keys: keysIn(sshKeys) }),
          ...(typeof users === 'string' && { users: usersIn(users) }),
          ...(tls !== undefined && { tls }),
          dry_run: dryRun === true,
        },
        PATIENCE_MS,
      )
      print(options['json'] === true ? JSON.stringify(report) : page(report))
      if (report.dry_run) say('This was a trial: nothing is kept.')
      const failed = all(report).filter(({ outcome }) => outcome === 'failed').length
      if (failed > 0) throw new CommandError('NOT_IMPORTED', `${failed} of them could not be imported`)
    })

interface KeyFile {
  readonly id?: unknown
  readonly name?: unknown
  readonly description?: unknown
  readonly private_key_path?: unknown
}

/** Returns what keys.json lists, each with what its file holds: the file is looked for here, wherever it was before. */
function keysIn(directory: string): readonly object[] {
  return listOf<KeyFile>(join(directory, 'keys.json')).map(
    ({ id, name, description, private_key_path: path }) => ({
      id,
      name,
      description,
      private_key: fileText(join(directory, 'private', basename(String(path)))).trim(),
    }),
  )
}

/** Returns who there was; hashes of passwords stay where they are. */
const usersIn = (path: string): readonly object[] =>
  listOf<{ readonly login?: unknown; readonly role?: unknown }>(path).map(({ login, role }) => ({
    login,
    role,
  }))

function listOf<T extends object>(path: string): readonly T[] {
  const value = jsonOf(path)
  if (Array.isArray(value) && value.every(each => typeof each === 'object' && each !== null))
    return value as T[] // checked
  throw usage(`${path}: wanted a list of objects`)
}

function jsonOf(path: string): unknown {
  const text = fileText(path)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw usage(`${path}: wanted a JSON file (${error instanceof Error ? error.message : String(error)})`)
  }
}

const all = ({ ssh_keys, servers, users }: ImportReport): readonly Entry[] => [
  ...ssh_keys,
  ...servers,
  ...users,
]

/** Returns what a person sees. */
function page({ ssh_keys, servers, users }: ImportReport): string {
  const rows = (what: string, entries: readonly Entry[]) =>
    entries.map(({ name, was, outcome, message }) => [
      what,
      name === was ? name : `${name} (was ${was})`,
      outcome.replace('_', ' '),
      message,
    ])
  const found = [...rows('SSH key', ssh_keys), ...rows('server', servers), ...rows('user', users)]
  return found.length === 0
    ? 'there is nothing to import'
    : columns(['WHAT', 'NAME', 'OUTCOME', 'WHY'], found)
}
