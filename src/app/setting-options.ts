/** Settings as flags of a command. */
import type { Command } from 'commander'
import {
  BadCommandLine,
  readSettings,
  type SettingTable,
  type Sources,
  type ValuesOf,
} from './read-settings.js'
import { flagOf, yesNo, type Setting } from './setting.js'

/** Adds a flag for each setting that is not a secret, and `--config`; returns the command. */
export const addSettings = (command: Command, table: SettingTable): Command =>
  addFlags(command, table).option(
    '--config <file>',
    'JSON file whose keys are the flags without dashes [BOSON_CONFIG]',
  )

/** Adds a flag for each setting that is not a secret; returns the command. */
export function addFlags(command: Command, table: SettingTable): Command {
  for (const [key, setting] of Object.entries(table)) {
    if (setting.secret) continue
    const value = setting.accepts === yesNo ? '' : ' <value>'
    command.option(`${flagOf(key)}${value}`, describe(setting))
  }
  return command
}

/** Returns settings as flags of a command that reads no environment. */
export const asFlags = <T extends SettingTable>(table: T): T =>
  // Nothing of the table's type changes.
  Object.fromEntries(Object.entries(table).map(([key, setting]) => [key, { ...setting, env: '' }])) as T

/** Returns where the settings of a command come from, given the options that it was called with. */
export function sourcesOf(table: SettingTable, options: Readonly<Record<string, unknown>>): Sources {
  const given = Object.keys(table).filter(key => options[key] !== undefined)
  return {
    flags: Object.fromEntries(given.map(key => [key, String(options[key])])),
    env: process.env,
    file: options['config'] as string | undefined, // commander gives the text of `--config`
  }
}

/** Returns what was given on the command line, by nothing but flags; throws a BadConfig that names all that is wrong. */
export function readFlags<T extends SettingTable>(
  table: T,
  options: Readonly<Record<string, unknown>>,
): ValuesOf<T> {
  const problems: string[] = []
  const { flags } = sourcesOf(table, options)
  const values = readSettings(table, { flags, env: {} }, problems)
  if (problems.length > 0) throw new BadCommandLine(problems)
  return values
}

function describe({ doc, env, fallback }: Setting): string {
  if (env === '') return doc
  const value = Array.isArray(fallback) ? fallback.join(',') : JSON.stringify(fallback || '')
  const shown = value.replaceAll('"', '')
  return `${doc} [${env}${shown === '' ? '' : `, ${shown}`}]`
}
