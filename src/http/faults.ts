/** Faults of a request. What is thrown here is what the caller sees; anything else is only logged. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly code: string
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  /** What was wrong where; empty when the message says it all. */
  readonly issues: readonly Issue[]
  /** What else programs should know: extension members of the problem (RFC 9457 §3.2). */
  readonly members: Readonly<Record<string, unknown>>

  constructor(
    statusCode: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    issues: readonly Issue[] = [],
    members: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
    this.code = code
    this.statusCode = statusCode
    this.headers = headers
    this.issues = issues
    this.members = members
  }

  /** Returns the same fault with more for programs to know. */
  telling(members: Readonly<Record<string, unknown>>): HttpError {
    const { statusCode, code, message, headers, issues } = this
    return new HttpError(statusCode, code, message, headers, issues, { ...this.members, ...members })
  }
}

export interface Issue {
  /** Such as `body.location.country`. */
  readonly at: string
  readonly message: string
}

export const badRequest = (message: string, issues: readonly Issue[] = []) =>
  new HttpError(400, 'bad_request', message, {}, issues)

/** `role` is the one that is wanted. */
export const unauthorised = (
  message = 'this needs the header `Authorization: Bearer …`, with the token that signing in gives, or SECRET_TOKEN',
  role?: string,
) =>
  new HttpError(
    401,
    'unauthorised',
    role === undefined ? message : `${message}; the role ${role} is wanted`,
    { 'WWW-Authenticate': 'Bearer realm="boson"' },
    [],
    role === undefined ? {} : { role },
  )

export const forbidden = (message: string) => new HttpError(403, 'forbidden', message)

export const notFound = (what: string) => new HttpError(404, 'not_found', what)

export const conflict = (message: string) => new HttpError(409, 'conflict', message)

export const unavailable = (message: string, retryAfterS: number) =>
  new HttpError(503, 'unavailable', message, { 'Retry-After': String(retryAfterS) })
