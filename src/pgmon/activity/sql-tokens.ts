/**
 * Cuts SQL into words, literals and what is between them, as PostgreSQL’s own scanner does: enough to know what stands
 * inside of quotes. A text that ends within a literal or a comment ends it.
 */
export type Token = Literal | { readonly kind: 'space' | 'comment' | 'word' | 'sign'; readonly text: string }

export interface Literal {
  readonly kind: 'literal'
  readonly text: string
  /** `'`, `E'`, `$tag$` */
  readonly open: string
  readonly body: string
  /** Empty when the text ends within it. */
  readonly close: string
}

/** Yields every token; their texts, one after another, are the SQL. */
export function* tokensOf(sql: string): Generator<Token> {
  let at = 0
  while (at < sql.length) {
    const token = tokenAt(sql, at)
    yield token
    at += token.text.length
  }
}

const SPACE = /\s+/y
const LINE_COMMENT = /--[^\n]*/y
const WORD = /"(?:[^"]|"")*(?:"|$)|[\p{L}_][\p{L}\p{N}_$]*(?:\s*\.\s*[\p{L}_][\p{L}\p{N}_$]*)*|\d[\w.]*/uy
const ESCAPED = /(e')((?:[^'\\]|\\[\s\S]|'')*)('|\\?$)/iy
const PLAIN = /((?:u&|b|x|n)?')((?:[^']|'')*)('|$)/iy
const DOLLARS = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy
/** Most of what is no word begins nothing else. */
const PLAIN_SIGNS = '(),;*<>!|[]'
const SIGN = /:=|=>|::|[\s\S]/uy

function tokenAt(sql: string, at: number): Token {
  if (PLAIN_SIGNS.includes(sql.charAt(at))) return { kind: 'sign', text: sql.charAt(at) }
  const space = match(SPACE, sql, at)
  if (space !== null) return { kind: 'space', text: space[0] }
  if (sql.startsWith('/*', at)) return { kind: 'comment', text: blockComment(sql, at) }
  const comment = match(LINE_COMMENT, sql, at)
  if (comment !== null) return { kind: 'comment', text: comment[0] }
  const literal = match(ESCAPED, sql, at) ?? match(PLAIN, sql, at)
  if (literal !== null) {
    const [text, open = '', body = '', close = ''] = literal
    return { kind: 'literal', text, open, body, close }
  }
  const dollars = match(DOLLARS, sql, at)
  if (dollars !== null) return dollarQuoted(sql, at, dollars[0])
  const word = match(WORD, sql, at)
  if (word !== null) return { kind: 'word', text: word[0] }
  return { kind: 'sign', text: match(SIGN, sql, at)?.[0] ?? '' }
}

function match(what: RegExp, sql: string, at: number): RegExpExecArray | null {
  what.lastIndex = at
  return what.exec(sql)
}

/** Comments of this kind stand within each other. */
function blockComment(sql: string, at: number): string {
  let depth = 0
  for (let end = at; end < sql.length; end++) {
    if (sql.startsWith('/*', end)) {
      depth++
      end++
    } else if (sql.startsWith('*/', end)) {
      depth--
      end++
    }
    if (depth === 0) return sql.slice(at, end + 1)
  }
  return sql.slice(at)
}

function dollarQuoted(sql: string, at: number, open: string): Literal {
  const from = at + open.length
  const end = sql.indexOf(open, from)
  const body = end < 0 ? sql.slice(from) : sql.slice(from, end)
  const close = end < 0 ? '' : open
  return { kind: 'literal', text: open + body + close, open, body, close }
}
