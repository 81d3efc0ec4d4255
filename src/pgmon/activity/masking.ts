/**
 * Masks secrets in the text of queries before anybody sees it: passwords of roles and user mappings, connection
 * strings, keys of pgcrypto, tokens. What only looks like a secret is masked too: nobody misses it.
 *
 *   alter role app password 'x'          alter role app password '***'
 *   dblink('host=b password=x', '…')     dblink('host=b password=***', '…')
 *
 * The text may end anywhere: PostgreSQL keeps only the beginning of a long one.
 */
import { type Literal, type Token, tokensOf } from './sql-tokens.js'

const MASK = '***'

/** Returns the text without the secrets in it. */
export function masked(sql: string): string {
  if (!MAY_HOLD_SECRETS.test(sql)) return sql
  const out: string[] = []
  /** What stood before, without spaces and comments, the last one first. */
  const before: string[] = []
  /** Of each bracket that is open: whether every literal in it is masked. */
  const calls: boolean[] = []
  let length = 0
  for (const token of tokensOf(sql)) {
    length += token.text.length
    if (token.kind === 'literal') {
      const isSecret = isNamed(before) || calls.includes(true)
      out.push(token.open, isSecret ? MASK : withinLiteral(token), token.close)
      if (isTemplate(token) && calls.length > 0) calls[calls.length - 1] = true
      // Where backslashes escape without being asked to, it goes on: nobody can tell from here what is a literal.
      if (token.body.endsWith('\\') && MAY_HOLD_SECRETS.test(sql.slice(length) + (isSecret ? SURE : '')))
        return `${out.join('')} ${MASK}`
      // Literals in two lines are one: what names the first names the second.
      if (isSecret) continue
    } else {
      if (token.text === '(') calls.push(CIPHERS.test(before[0]?.split('.').at(-1) ?? ''))
      if (token.text === ')') calls.pop()
      out.push(token.kind === 'comment' ? withoutSecrets(token.text, true) : token.text)
    }
    if (token.kind === 'space' || token.kind === 'comment') continue
    before.unshift(wordOf(token))
    if (before.length > LOOK_BACK) before.pop()
  }
  // Outside of literals stands what was no SQL at all, such as a line of a shell.
  return anywhere(out.join(''), true)
}

/** Most queries hold nothing that is worth a second look. */
const MAY_HOLD_SECRETS =
  /pass|pwd|secret|token|_?key|credential|:\/\/|crypt|hmac|digest|scram|md5|bearer|basic/i
const SURE = 'secret'

const SECRET =
  '(?:(?<![a-z])pass|password|passwd|passphrase|pwd|secret|token|(?:api|access|private|secret|signing|encryption)_?key|credentials?)'
const SECRET_WORD = new RegExp(`${SECRET}$`, 'i')
/** What stands between a name and what it is set to. */
const IS = new Set(['=', ':=', '=>', '<', '>', '!', '|', ',', '(', ':', '::', 'to', 'in', 'like', 'text'])

/** Whether what comes is the value of something secret. */
function isNamed(before: readonly string[]): boolean {
  const name = before.find(word => !IS.has(word))
  return name !== undefined && SECRET_WORD.test(name)
}

/** What it says to who looks for names: `'alter role x password '''` names what is joined to it. */
function wordOf(token: Token): string {
  if (token.kind === 'sign') return token.text
  if (token.kind !== 'literal') return token.text.replaceAll('"', '').toLowerCase()
  return token.body.slice(-NAME_MAX).replace(/[\s'"=:]+$/, '')
}
/** As far as a name may be from its value, tokens. */
const LOOK_BACK = 4
/** Longer than any name, characters. */
const NAME_MAX = 128

/** Functions of pgcrypto: among what they are called with is a key, or what is hidden by it. */
const CIPHERS = /^(?:crypt|digest|hmac|(?:en|de)crypt(?:_iv)?|pgp_(?:sym|pub)_(?:en|de)crypt(?:_bytea)?)$/

/** Whether others are put into it where something secret belongs: `format('… password %L', …)`. */
const isTemplate = ({ body }: Literal): boolean => body.includes('%') && TEMPLATE.test(body)
const TEMPLATE = new RegExp(`${SECRET}[\\s=:']+%`, 'i')

/** It may be SQL again, as in `do $$ … $$` and `execute '…'`, or a connection string. */
const withinLiteral = ({ open, body, close }: Literal): string =>
  withoutSecrets(open.startsWith('$') ? masked(body) : body, close === '')

/** In quotes, which are doubled within a literal, or escaped. */
const QUOTED = String.raw`''(?:\\?''''|\\''|[^'])*(?:''|$)|\\'(?:(?!\\')[\s\S])*(?:\\'|$)|'(?:\\.|[^'\\])*(?:'|$)|\\?"(?:\\.|[^"\\])*(?:"|$)|\$\w*\$[\s\S]*?(?:\$\w*\$|$)`
/** `password=x`, `password = 'x y'`, `"password": "x"`. */
const ASSIGNED = new RegExp(
  String.raw`(${SECRET}["']{0,2}\s*(?::=|=>|=|:)\s*)(?:${QUOTED}|(?:\\.|[^\s\\])+)`,
  'gi',
)
/** `password 'x'` */
const FOLLOWED = new RegExp(String.raw`(${SECRET}\s+)(?:${QUOTED})`, 'gi')
/** `postgres://user:password@host` */
const IN_URL = /(:\/\/[^\s:/?#@'"]*:)[^\s/?#'"]*(?=@)/g
const IN_CUT_URL = /(:\/\/[^\s:/?#@'"]*:)[^\s/?#'"@]*$/
const BEARER = /((?:bearer|basic)\s+)[^\s'",;]+/gi
/** A password as PostgreSQL keeps it. */
const KEPT = /scram-sha-256\$[^\s'"]*|\bmd5[0-9a-f]{32}\b/gi
const VARIABLE = /(pgpassword=)\S+/gi

const withoutSecrets = (text: string, isCut: boolean): string =>
  MAY_HOLD_SECRETS.test(text)
    ? anywhere(text, isCut)
        .replace(ASSIGNED, `$1${MASK}`)
        .replace(FOLLOWED, `$1${MASK}`)
        .replace(BEARER, `$1${MASK}`)
    : text

/** What is secret wherever it stands. */
const anywhere = (text: string, isCut: boolean): string =>
  (isCut ? text.replace(IN_CUT_URL, `$1${MASK}`) : text)
    .replace(IN_URL, `$1${MASK}`)
    .replace(KEPT, MASK)
    .replace(VARIABLE, `$1${MASK}`)
