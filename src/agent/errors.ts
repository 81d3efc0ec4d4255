/** What a caller can do something about. Each has a `code` and says what was wanted. */

export type AgentErrorCode =
  | 'BAD_ADDRESS'
  | 'BAD_KEY'
  | 'BAD_OPTION'
  | 'KEY_FILE'
  | 'MEMORY_FILE'
  | 'REFUSED'
  | 'ROUTE_REFUSED'
  | 'STOPPED'

export class AgentError extends Error {
  readonly code: AgentErrorCode

  constructor(code: AgentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'AgentError'
    this.code = code
  }
}

/** The coordinator will not have this agent until a person acts. */
export class RefusedError extends AgentError {
  /** The wire's word for it, such as `not_authorised`. */
  readonly why: string

  constructor(why: string, reason: string) {
    super('REFUSED', `the coordinator refused this agent (${why}): ${reason}`)
    this.name = 'RefusedError'
    this.why = why
  }
}

/** No node meets what was asked for. */
export class RouteRefusedError extends AgentError {
  /** The wire's word for it, such as `no_candidate`. */
  readonly why: string
  /** Each requirement that excluded nodes, with how many. */
  readonly unmet: readonly string[]
  /** When asking again may help, ms; null when the coordinator did not say. */
  readonly retryAfterMs: number | null

  constructor(why: string, reason: string, unmet: readonly string[], retryAfterMs: number | null) {
    super('ROUTE_REFUSED', unmet.length === 0 ? reason : `${reason} (${unmet.join('; ')})`)
    this.name = 'RouteRefusedError'
    this.why = why
    this.unmet = unmet
    this.retryAfterMs = retryAfterMs
  }
}
