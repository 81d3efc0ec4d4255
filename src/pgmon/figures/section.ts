/**
 * One question of a look. A server may refuse one and answer the next: what it refuses is null in the answer, and why,
 * in words that say what to do, stands beside it.
 */
import { ServerFault } from '../databases/errors.js'
import type { Unknown } from '../forms.js'

/**
 * Five characters of PostgreSQL’s: https://www.postgresql.org/docs/current/errcodes-appendix.html. None of its classes
 * begins with the E of EPIPE.
 */
const SQLSTATE = /^(?!E)[0-9A-Z]{5}$/

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

  /**
   * Resolves with the answer, or with null when the server refuses it: then each of these parts is missed. Rejects when the
   * server does not answer at all.
   */
  async ask<T>(parts: readonly string[], question: () => Promise<T>): Promise<T | null> {
    const refused = (why: string) => {
      for (const what of parts) this.miss(what, why)
      return null
    }
    if (this.#isLate()) return refused('the server is slow, and was not asked this time')
    try {
      return await question()
    } catch (error) {
      const why = refusalOf(error, this.#grantee)
      if (why === null) throw error
      return refused(why)
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
  return error instanceof ServerFault || SQLSTATE.test(codeOf(error))
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
