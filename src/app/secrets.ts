/**
 * The secrets of the coordinator. In production they come from outside and must be good ones; otherwise
 * the token is made once in the data directory, readable by its owner only.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../kit/random.js'
import { BadConfig, type Config } from './config.js'
import { modeComplaint } from './file-mode.js'
import { SETTINGS } from './settings.js'

/** A secret of fewer characters could be guessed. */
const SHORTEST = 32
/** Secrets that were published once, and the words that mark a placeholder. */
const WELL_KNOWN = /change[-_ ]?(this|me)|default|example|your[-_ ]|placeholder|password|^(.)\2*$/i

const SECRETS = ['secretToken', 'jwtSecret', 'turnStaticSecret'] as const
/** Secrets that may be left out even in production: then the data directory has them, or nobody needs them. */
const OPTIONAL_SECRETS = [
  'vaultKey',
  'promoteSecret',
  'paymentWebhookSecret',
  'paymentWebhookOldSecret',
  'telegramSecret',
  'telegramOldSecret',
] as const

/** What an earlier system called them. */
const ALSO: Partial<Record<(typeof SECRETS | typeof OPTIONAL_SECRETS)[number], string>> = {
  jwtSecret: 'SECRET_KEY',
}

/** Throws a BadConfig that names each secret which is missing, short or well known. */
export function checkSecrets(config: Config, env: Readonly<Record<string, string | undefined>>): void {
  const problems = config.mode === 'production' ? secretProblems(config, env) : []
  if (problems.length > 0) throw new BadConfig(problems)
}

/** Returns what production would refuse, a line for each: `SECRET_TOKEN: wanted …`. What is not set is made outside of it. */
export function secretProblems(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const production = config.mode === 'production'
  const named = (key: (typeof SECRETS | typeof OPTIONAL_SECRETS)[number], isWanted: boolean) => {
    const why = weakness(config[key], isWanted, ALSO[key])
    return why === null ? [] : [`${SETTINGS[key].env}: ${why}`]
  }
  return [
    ...SECRETS.flatMap(key => named(key, production)),
    ...OPTIONAL_SECRETS.flatMap(key => named(key, false)),
    ...(production ? passwordProblems(env) : []),
  ]
}

function passwordProblems(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  if ((env.POSTGRES_HOST ?? '') === '' || (env.DATABASE_URL ?? '') !== '') return []
  const password = env.POSTGRES_PASSWORD ?? ''
  return password === '' || WELL_KNOWN.test(password) || /^(postgres|boson(server)?)$/i.test(password)
    ? ['POSTGRES_PASSWORD: wanted a password that nobody knows, because NODE_ENV is production']
    : []
}

/** Returns the operator's token: the configured one, or the one of the data directory, made when missing. */
export function operatorToken(config: Config, random: Random): string {
  return config.secretToken ?? onceMade(config.dataDir, TOKEN_FILE, () => hex(random.bytes(32)))
}

/** Returns what signs TURN credentials: the configured secret, or the one of the data directory, made when missing. */
export function turnSecret(config: Config, random: Random): string {
  return config.turnStaticSecret ?? onceMade(config.dataDir, TURN_FILE, () => hex(random.bytes(32)))
}

/** Returns what signs the tokens of agents that speak HTTP: the configured secret, or the one of the data directory. */
export function jwtSecret(config: Config, random: Random): string {
  return config.jwtSecret ?? onceMade(config.dataDir, 'jwt-secret', () => hex(random.bytes(32)))
}

/** Returns what seals secrets in the database: the configured one, or the one of the data directory, made when missing. */
export function vaultSecret(config: Config, random: Random): string {
  return config.vaultKey ?? onceMade(config.dataDir, VAULT_KEY_FILE, () => hex(random.bytes(32)))
}

/** Returns the coordinator's own id: the configured one, or one made once. */
export function ownServerId(config: Config, random: Random): string {
  return config.serverId ?? onceMade(config.dataDir, SERVER_ID_FILE, () => `boson-${hex(random.bytes(4))}`)
}

/** The file in the data directory that holds the token made in development. */
export const TOKEN_FILE = 'secret-token'
const TURN_FILE = 'turn-secret'
export const VAULT_KEY_FILE = 'vault-key'
export const SERVER_ID_FILE = 'server-id'

/** The secrets that the data directory may hold. */
export const SECRET_FILES = [TOKEN_FILE, TURN_FILE, 'jwt-secret', VAULT_KEY_FILE] as const

/** Returns the operator's token and what signs TURN credentials, as far as they are there: nothing is made. */
export function existingSecrets(config: Config): {
  readonly token: string | null
  readonly turn: string | null
} {
  return {
    token: config.secretToken ?? keptSecret(config.dataDir, TOKEN_FILE),
    turn: config.turnStaticSecret ?? keptSecret(config.dataDir, TURN_FILE),
  }
}

/** Returns what the data directory keeps under a name; null when it does not. */
export function keptSecret(dataDir: string, name: string): string | null {
  try {
    return readFileSync(join(dataDir, name), 'utf8').trim()
  } catch {
    return null
  }
}

/** `also` is another name of the variable. */
function weakness(value: string | null, isWanted: boolean, also: string | undefined): string | null {
  const advice = `make one with: openssl rand -hex 32${also === undefined ? '' : `; ${also} is another name of it`}`
  if (value === null) return isWanted ? `wanted a secret, because NODE_ENV is production; ${advice}` : null
  if (WELL_KNOWN.test(value)) return `wanted a secret that nobody knows, not a placeholder; ${advice}`
  if (value.length < SHORTEST) return `wanted at least ${SHORTEST} characters, got ${value.length}; ${advice}`
  return null
}

function onceMade(dataDir: string, name: string, make: () => string): string {
  const path = join(dataDir, name)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  try {
    // `wx`: when two processes start at once, the second reads what the first wrote.
    writeFileSync(path, `${make()}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // anything else is a full or foreign disk
  }
  const complaint = modeComplaint(path)
  if (complaint !== null) throw new BadConfig([complaint])
  return readFileSync(path, 'utf8').trim()
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
