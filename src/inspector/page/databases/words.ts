/** What servers tell, in words and figures. It knows no page. */
import { count, duration, short, UNKNOWN } from '../ui/format.js'
import type { Tone } from '../ui/tone.js'
import type { PoolProfile, Session, Status, Tls, Waiting } from './kinds.js'

export const STATUS_WORDS: Readonly<Record<Status, { readonly word: string; readonly tone: Tone }>> = {
  up: { word: 'up', tone: 'good' },
  down: { word: 'down', tone: 'bad' },
  disabled: { word: 'off', tone: 'plain' },
  unknown: { word: 'not looked at yet', tone: 'plain' },
}

export const TLS_WORDS: Readonly<Record<Tls, string>> = {
  require: 'TLS, whoever answers',
  'verify-full': 'TLS, and the certificate must be its own',
  disable: 'Plain text: for this machine and private networks',
}

export const POOL_WORDS: Readonly<Record<PoolProfile, string>> = {
  default: 'Usual: 1 to 5 connections',
  stats_db: 'Many databases: 2 to 10 connections',
  high_load: 'Busy: 5 to 20 connections',
}

type Maybe = number | null | undefined

/** 90 → 1 min 30 s. */
export const seconds = (value: Maybe): string =>
  typeof value === 'number' ? duration(Math.max(0, value) * 1000) : UNKNOWN

/** 0.9997 → 99.9 %: rounded down, so that nothing is called whole that is not. */
export function ratio(value: Maybe): string {
  if (typeof value !== 'number') return UNKNOWN
  // What floating point lacks is no tenth of a percent.
  const tenths = Math.floor(value * 1000 + 1e-6)
  return `${tenths % 10 === 0 && tenths >= 1000 ? tenths / 10 : (tenths / 10).toFixed(1)} %`
}

/** 12.5 → 12.5/s. */
export function perSecond(value: Maybe): string {
  if (typeof value !== 'number') return UNKNOWN
  if (value >= 10_000) return `${short(value / 1000)} k/s`
  return `${short(value)}/s`
}

/** How many there are, on the average of a while: 7, 63.4. */
export const mean = (value: Maybe): string =>
  typeof value !== 'number' ? UNKNOWN : Number.isInteger(value) ? count(value) : short(value)

/** How long ago something was that nobody counts the seconds of: 3725 → 1 h. */
export const roughly = (value: Maybe): string =>
  typeof value === 'number' ? (/^[\d,]+ \w+/.exec(seconds(value))?.[0] ?? UNKNOWN) : UNKNOWN

/** 123,456,789 transactions → 123 M, whatever their number: so that ages can be compared. */
export function millions(value: Maybe): string {
  if (typeof value !== 'number') return UNKNOWN
  return value > 0 && value < 1e6 ? '< 1 M' : `${count(Math.round(value / 1e6))} M`
}

/** Returns a query as one line: what starts a fold. */
export const oneLine = (query: string): string => query.replaceAll(/\s+/g, ' ').trim()

/** `anna on shop, billing-worker`: whose session it is. */
export function whose({ user, database, application, kind }: Session): string {
  if (user === null && database === null) return kind
  const place = [user ?? UNKNOWN, database === null ? '' : ` on ${database}`].join('')
  return application === null || application === '' ? place : `${place}, ${application}`
}

/** How serious the state of a session is: an idle one that keeps a transaction open holds locks and dead rows. */
export function toneOfSession({ state, blocked_by: blockedBy }: Pick<Session, 'state' | 'blocked_by'>): Tone {
  if (blockedBy.length > 0) return 'bad'
  if (state?.startsWith('idle in transaction') === true) return 'warn'
  return state === 'active' ? 'good' : 'plain'
}

/** `AccessExclusiveLock on public.orders`; what has no relation is named by its type. */
export const lockWords = ({ mode, type, relation }: NonNullable<Waiting['lock']>): string =>
  relation === null ? `${mode} on ${LOCK_TYPES[type] ?? type}` : `${mode} on ${relation}${PARTS[type] ?? ''}`

/** As pg_locks calls them. */
const LOCK_TYPES: Readonly<Record<string, string>> = {
  transactionid: 'the end of a transaction',
  virtualxid: 'the end of a transaction',
  advisory: 'an advisory lock',
  relation: 'a table',
}
const PARTS: Readonly<Record<string, string>> = {
  transactionid: ', a row that another transaction holds',
  tuple: ', one row',
  page: ', one page',
  extend: ', its end',
}

interface Mended {
  /** Plain text, and what is code, by turns; the first is plain. */
  readonly words: readonly string[]
  /** Statements that can be run as they are; null: there are none. */
  readonly sql: string | null
}

/** Returns what is missing in words, and the statements that mend it: between backticks, or what the words end in. */
export function mended(said: string): Mended {
  const words = said.split('`')
  if (words.length > 1) {
    const statements = words.filter((text, i) => i % 2 === 1 && STATEMENT.test(text) && !text.includes('…'))
    return { words, sql: statements.length === 0 ? null : statements.map(ended).join('\n') }
  }
  const at = said.search(STATEMENT)
  return at < 0 ? { words, sql: null } : { words: [said.slice(0, at).trimEnd()], sql: ended(said.slice(at)) }
}

const STATEMENT = /\b(?:GRANT|CREATE|ALTER) [A-Za-z_]+ \S/

const ended = (statement: string): string => statement.replace(/;?$/, ';')
