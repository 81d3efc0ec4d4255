/**
 * Makes one configuration of flags, environment, file and defaults, in that order of precedence.
 * Everything that is wrong is reported at once, each line saying where it was found and what was wanted.
 *
 *   flags ─┬→ environment ─┬→ file ─┬→ default
 *          └── the first that says something counts
 */
import { readFileSync } from 'node:fs'
import { CommandError, EXIT } from './exit-codes.js'
import { flagOf, type SettingKey, SETTINGS } from './settings.js'
import type { Setting } from './setting.js'

type ValueOf<S> = S extends Setting<infer T> & { readonly fallback: infer F } ? T | F : never

export type Config = { readonly [K in SettingKey]: ValueOf<(typeof SETTINGS)[K]> } & {
  /** The address to listen on, decided. */
  readonly host: string
}

export interface Sources {
  /** Flags as they were given, by setting. */
  readonly flags: Readonly<Partial<Record<SettingKey, string>>>
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

/** Returns the configuration, or throws a BadConfig that names every bad setting. */
export function readConfig(sources: Sources): Config {
  const problems: string[] = []
  const file = readFile(sources.file ?? sources.env.BOSON_CONFIG, problems)
  const env = withPostgresParts(sources.env, problems)
  const config: Record<string, unknown> = {}
  for (const [key, setting] of entries()) {
    const found = find(key, setting, sources.flags, env, file)
    if (found === undefined) {
      config[key] = setting.fallback
      continue
    }
    const parsed = setting.accepts.schema.safeParse(found.value)
    if (parsed.success) config[key] = parsed.data
    else problems.push(`${found.name}: wanted ${setting.accepts.wanted}, got ${shown(setting, found.value)}`)
  }
  if ((config.tlsCert === null) !== (config.tlsKey === null)) {
    const missing = config.tlsCert === null ? 'BOSON_TLS_CERT' : 'BOSON_TLS_KEY'
    problems.push(`${missing}: wanted a path, because the other half of the certificate is set`)
  }
  if (problems.length > 0) throw new BadConfig(problems)
  config.host ??= config.mode === 'production' ? '0.0.0.0' : '127.0.0.1'
  return config as unknown as Config // every key was filled from the table that Config is made of
}

interface Found {
  /** As the person knows it: a flag, a variable, or a key of the file. */
  readonly name: string
  readonly value: unknown
}

function find(
  key: SettingKey,
  setting: Setting,
  flags: Sources['flags'],
  env: Sources['env'],
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

function readFile(path: string | undefined, problems: string[]): Readonly<Record<string, unknown>> {
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
    if (!Object.hasOwn(SETTINGS, key))
      problems.push(
        `${path}: ${JSON.stringify(key)} is not a setting; known are ${Object.keys(SETTINGS).join(', ')}`,
      )
  }
  return value as Record<string, unknown> // an object, checked above
}

/** POSTGRES_HOST and its siblings are another spelling of DATABASE_URL, which counts first. */
function withPostgresParts(env: Sources['env'], problems: string[]): Sources['env'] {
  const host = env.POSTGRES_HOST
  if (host === undefined || host === '' || (env.DATABASE_URL ?? '') !== '') return env
  const url = new URL('postgres://localhost')
  try {
    url.hostname = host
    url.port = env.POSTGRES_PORT ?? '5432'
    url.username = encodeURIComponent(env.POSTGRES_USER ?? 'bosonserver')
    url.password = encodeURIComponent(env.POSTGRES_PASSWORD ?? '')
    url.pathname = `/${encodeURIComponent(env.POSTGRES_DB ?? 'bosonserver')}`
  } catch {
    problems.push('POSTGRES_HOST: wanted a host name')
  }
  if (url.hostname.toLowerCase() !== host.toLowerCase() && url.hostname !== `[${host}]`)
    problems.push(`POSTGRES_HOST: wanted a host name, got ${JSON.stringify(host)}`)
  return { ...env, DATABASE_URL: url.href }
}

export const entries = (): readonly (readonly [SettingKey, Setting])[] =>
  Object.entries(SETTINGS) as unknown as readonly (readonly [SettingKey, Setting])[] // Object.entries forgets the keys
