/** What is shown to people who ask for help elsewhere: settings without secrets, and text from which every known one is cut. */
import type { SettingTable } from './read-settings.js'

export const SECRET = '[secret]'
/** Shorter ones would cut words out of every sentence, and open nothing. */
const SHORTEST = 4
/** Name and password within a URL. */
const CREDENTIALS = /(\/\/)([^/?#@\s]*)@/g

type Values = Readonly<Record<string, unknown>>

/** Returns what holds, by the name of its variable: whether a secret is set, never which; URLs without passwords. */
export function maskedSettings(table: SettingTable, values: Values): Record<string, unknown> {
  const shown = Object.entries(table).map(([key, { env, secret }]) => {
    const value = values[key] ?? null
    return [env === '' ? key : env, secret && value !== null ? SECRET : masked(value)] as const
  })
  return Object.fromEntries(shown)
}

/** Returns every secret that settings hold, passwords within URLs too. */
export function secretsIn(table: SettingTable, values: Values): readonly string[] {
  return Object.entries(table).flatMap(([key, { secret }]) => {
    const value = values[key]
    if (typeof value !== 'string') return []
    const passwords = [...value.matchAll(CREDENTIALS)].flatMap(([, , found = '']) => passwordOf(found))
    return secret ? [value, ...passwords] : passwords
  })
}

/** Returns the text without these secrets, however JSON or a URL spells them. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const spelled = secrets
    .filter(({ length }) => length >= SHORTEST)
    .flatMap(secret => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
    .toSorted((a, b) => b.length - a.length)
  return spelled.reduce((rest, each) => rest.replaceAll(each, SECRET), text)
}

function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked)
  return typeof value === 'string' ? value.replace(CREDENTIALS, `$1${SECRET}@`) : value
}

function passwordOf(credentials: string): readonly string[] {
  const password = credentials.slice(credentials.indexOf(':') + 1)
  try {
    return [password, decodeURIComponent(password)]
  } catch {
    return [password]
  }
}
