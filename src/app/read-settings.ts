/**
 * Reads settings from flags, environment, file and defaults, in that order of precedence. Everything that is
 * wrong is reported at once, each line saying where it was found and what was wanted.
 *
 *   flags ─┬→ environment ─┬→ file ─┬→ default
 *          └── the first that says something counts
 */
import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { CommandError, EXIT } from './exit-codes.js'
import { modeComplaint } from './file-mode.js'
import { flagOf, type Setting } from './setting.js'

export type SettingTable = Readonly<Record<string, Setting>>

type ValueOf<S> = S extends Setting<infer T> & { readonly fallback: infer F } ? T | F : never

export type ValuesOf<T extends SettingTable> = { -readonly [K in keyof T]: ValueOf<T[K]> }

export interface Sources<K extends string = string> {
  /** Flags as they were given, by setting. */
  readonly flags: Readonly<Partial<Record<K, string>>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Path of the configuration file; when absent, BOSON_CONFIG names it. */
  readonly file?: string | undefined
}

/** The configuration cannot be used; the message lists every reason, a line each. */
export class BadConfig extends CommandError {
  constructor(problems: readonly string[]) {
    super(
      'BAD_CONFIG',
      `the configuration cannot be used:\n${problems.map(problem => `  ${problem}`).join('\n')}`,
      EXIT.usage,
    )
  }
}

/** The command line cannot be used; the message lists every reason, a line each. */
export class BadCommandLine extends CommandError {
  constructor(problems: readonly string[]) {
    super('USAGE', problems.join('\n'), EXIT.usage)
  }
}

/** Returns the value of every setting in `table`; what is wrong is added to `problems`. */
export function readSettings<T extends SettingTable>(
  table: T,
  sources: Sources,
  problems: string[],
): ValuesOf<T> {
  const file = readFile(sources.file ?? sources.env.BOSON_CONFIG, table, problems)
  const values: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(table)) {
    values[key] = setting.fallback
    const found = find(key, setting, sources, file)
    if (found === undefined) continue
    const parsed = setting.accepts.schema.safeParse(found.value)
    if (parsed.success) values[key] = parsed.data
    else {
      const wanted = wantedBy(parsed.error) ?? setting.accepts.wanted
      problems.push(`${found.name}: wanted ${wanted}, got ${shown(setting, found.value)}`)
    }
  }
  return values as ValuesOf<T> // every key was filled from the table that the type is made of
}

/** Returns what a schema that looks into the value wanted of it; undefined when it did not say. */
function wantedBy({ issues }: z.ZodError): string | undefined {
  const [issue] = issues
  const wanted: unknown = issue?.code === 'custom' ? issue.params?.['wanted'] : undefined
  return typeof wanted === 'string' ? wanted : undefined
}

interface Found {
  /** As the person knows it: a flag, a variable, or a key of the file. */
  readonly name: string
  readonly value: unknown
}

function find(
  key: string,
  setting: Setting,
  { flags, env }: Sources,
  file: Readonly<Record<string, unknown>>,
): Found | undefined {
  if (flags[key] !== undefined) return { name: flagOf(key), value: flags[key] }
  // An empty variable is how compose files and unit files spell "not set".
  if (env[setting.env] !== undefined && env[setting.env] !== '')
    return { name: setting.env, value: env[setting.env] }
  if (file[key] !== undefined && file[key] !== null)
    return { name: `${key} (configuration file)`, value: file[key] }
  return undefined
}

const shown = (setting: Setting, value: unknown): string =>
  setting.secret || setting.env.endsWith('_URL') ? 'something else' : JSON.stringify(value)

function readFile(
  path: string | undefined,
  table: SettingTable,
  problems: string[],
): Readonly<Record<string, unknown>> {
  if (path === undefined || path === '') return {}
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    problems.push(`${path}: wanted a JSON file (${error instanceof Error ? error.message : String(error)})`)
    return {}
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${path}: wanted a JSON object whose keys are settings`)
    return {}
  }
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(table, key))
      problems.push(
        `${path}: ${JSON.stringify(key)} is not a setting; known are ${Object.keys(table).join(', ')}`,
      )
  }
  const hasSecrets = Object.keys(value).some(key => table[key]?.secret === true)
  const complaint = hasSecrets ? modeComplaint(path) : null
  if (complaint !== null) problems.push(complaint)
  return value as Record<string, unknown> // an object, checked above
}
