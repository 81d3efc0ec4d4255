/**
 * One question of a look. A server may refuse one and answer the next: what it refuses is null in the answer, and why,
 * in words that say what to do, stands beside it.
 */
import type { Unknown } from '../forms.js'

/** Five characters of PostgreSQL’s: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const SQLSTATE = /^[0-9A-Z]{5}$/

/** Whoever looks at a server asks one question after the other. */
export class Sections {
  readonly unknown: Unknown[] = []
  readonly #grantee: string
  readonly #isLate: () => boolean

  /** `grantee`: the role that asks, as SQL spells it; `isLate`: whether the look has taken too long to ask for more. */
  constructor(grantee: string, isLate: () => boolean) {
    this.#grantee = grantee
    this.#isLate = isLate
  }

  /** Resolves with the answer, or with null when the server refuses it. Rejects when the server does not answer at all. */
  async ask<T>(what: string, question: () => Promise<T>): Promise<T | null> {
    if (this.#isLate()) {
      this.miss(what, 'the server is slow, and was not asked this time')
      return null
    }
    try {
      return await question()
    } catch (error) {
      const why = refusalOf(error, this.#grantee)
      if (why === null) throw error
      this.miss(what, why)
      return null
    }
  }

  miss(what: string, why: string): void {
    this.unknown.push({ what, why })
  }

  /** Says that a right is missing, and how it is given. */
  missRight(what: string, why: string): void {
    this.miss(what, `${why}: ${grant(this.#grantee)}`)
  }
}

/** Whether an error is the server’s affair: what PostgreSQL answers, or why it does not. */
export function isOfServer(error: unknown): boolean {
  const code = codeOf(error)
  return SQLSTATE.test(code) || code.startsWith('SERVER_')
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

const grant = (grantee: string) => `GRANT pg_monitor TO ${grantee}`

/** Returns in words what PostgreSQL answered instead of rows; null: that was no answer. */
function refusalOf(error: unknown, grantee: string): string | null {
  const code = codeOf(error)
  if (!(error instanceof Error) || !SQLSTATE.test(code)) return null
  const { message } = error
  switch (code) {
    case '42501':
      return `the role may not see it (${message}): ${grant(grantee)}`
    case '42P01':
    case '42703':
    case '42883':
      return `this server does not have it: ${message}`
    case '57014':
      return `the server took too long to answer: ${message}`
    default:
      return message
  }
}
