/**
 * The secrets of the coordinator. In production they come from outside and must be good ones; otherwise
 * the token is made once in the data directory, readable by its owner only.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../kit/random.js'
import { BadConfig, type Config } from './config.js'
import { SETTINGS } from './settings.js'

/** A secret of fewer characters could be guessed. */
const SHORTEST = 32
/** Secrets that were published once, and the words that mark a placeholder. */
const WELL_KNOWN = /change[-_ ]?(this|me)|default|example|your[-_ ]|placeholder|password|^(.)\2*$/i

const SECRETS = ['secretToken', 'jwtSecret', 'turnStaticSecret'] as const
/** Secrets that may be left out even in production: then the data directory has them. */
const OPTIONAL_SECRETS = ['vaultKey'] as const

/** Throws a BadConfig that names each secret which is missing, short or well known. */
export function checkSecrets(config: Config, env: Readonly<Record<string, string | undefined>>): void {
  const production = config.mode === 'production'
  const problems = SECRETS.flatMap(key => {
    const why = weakness(config[key], production)
    return why === null ? [] : [`${SETTINGS[key].env}: ${why}`]
  })
  for (const key of OPTIONAL_SECRETS) {
    const why = config[key] === null ? null : weakness(config[key], production)
    if (why !== null) problems.push(`${SETTINGS[key].env}: ${why}`)
  }
  if (production && (env.POSTGRES_HOST ?? '') !== '' && (env.DATABASE_URL ?? '') === '') {
    const password = env.POSTGRES_PASSWORD ?? ''
    if (password === '' || WELL_KNOWN.test(password) || /^(postgres|boson(server)?)$/i.test(password))
      problems.push('POSTGRES_PASSWORD: wanted a password that nobody knows, because NODE_ENV is production')
  }
  if (problems.length > 0) throw new BadConfig(problems)
}

/** Returns the operator's token: the configured one, or the one of the data directory, made when missing. */
export function operatorToken(config: Config, random: Random): string {
  return config.secretToken ?? onceMade(config.dataDir, TOKEN_FILE, () => hex(random.bytes(32)))
}

/** Returns what signs TURN credentials: the configured secret, or the one of the data directory, made when missing. */
export function turnSecret(config: Config, random: Random): string {
  return config.turnStaticSecret ?? onceMade(config.dataDir, 'turn-secret', () => hex(random.bytes(32)))
}

/** Returns what signs the tokens of agents that speak HTTP: the configured secret, or the one of the data directory. */
export function jwtSecret(config: Config, random: Random): string {
  return config.jwtSecret ?? onceMade(config.dataDir, 'jwt-secret', () => hex(random.bytes(32)))
}

/** Returns what seals secrets in the database: the configured one, or the one of the data directory, made when missing. */
export function vaultSecret(config: Config, random: Random): string {
  return config.vaultKey ?? onceMade(config.dataDir, 'vault-key', () => hex(random.bytes(32)))
}

/** Returns the coordinator's own id: the configured one, or one made once. */
export function ownServerId(config: Config, random: Random): string {
  return config.serverId ?? onceMade(config.dataDir, 'server-id', () => `boson-${hex(random.bytes(4))}`)
}

/** The file in the data directory that holds the token made in development. */
export const TOKEN_FILE = 'secret-token'

function weakness(value: string | null, production: boolean): string | null {
  const advice = 'make one with: openssl rand -hex 32'
  if (value === null) {
    return production ? `wanted a secret, because NODE_ENV is production; ${advice}` : null
  }
  if (production && WELL_KNOWN.test(value))
    return `wanted a secret that nobody knows, not a placeholder; ${advice}`
  if (value.length < SHORTEST)
    return production ? `wanted at least ${SHORTEST} characters, got ${value.length}; ${advice}` : null
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
  return readFileSync(path, 'utf8').trim()
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
