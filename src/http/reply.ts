/** What a handler answers with. */
import { badRequest, HttpError, unavailable } from './faults.js'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  /** What the body is the JSON of, where there is one: who can use that itself spares the spelling. */
  readonly value?: unknown
}

type Headers = Readonly<Record<string, string>>

/** Returns a JSON answer. */
export const json = (value: unknown, status = 200, headers?: Headers): Reply =>
  new JsonReply(status, headers === undefined ? AS_JSON : { ...AS_JSON, ...headers }, value)
const AS_JSON: Headers = { 'Content-Type': 'application/json; charset=utf-8' }

class JsonReply implements Reply {
  readonly status: number
  readonly headers: Headers
  readonly value: unknown
  #body: string | undefined

  constructor(status: number, headers: Headers, value: unknown) {
    this.status = status
    this.headers = headers
    this.value = value
  }

  get body(): string {
    return (this.#body ??= JSON.stringify(this.value))
  }
}

/** Returns an answer of plain text, or of another textual type. */
export const text = (
  body: string,
  type = 'text/plain; charset=utf-8',
  status = 200,
  headers: Headers = {},
): Reply => ({ status, headers: { 'Content-Type': type, ...headers }, body })

/** Returns an answer without a body. */
export const empty = (status = 204, headers: Headers = {}): Reply => ({ status, headers, body: '' })

/** A fault as callers see it: RFC 9457, and in the same object the form that the first BosonServer had. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  /** For programs. */
  readonly code: string
  readonly issues?: HttpError['issues']
  readonly error: { readonly message: string; readonly statusCode: number }
}

/** Returns the answer to a fault; of faults that are ours the caller learns nothing but that. */
export function faultReply(error: unknown): Reply {
  const { statusCode: status, code, message, issues, headers, members } = asHttpError(error)
  const problem: Problem = {
    ...members,
    type: 'about:blank',
    title: PHRASES[status] ?? 'Error',
    status,
    detail: message,
    code,
    ...(issues.length > 0 && { issues }),
    error: { message, statusCode: status },
  }
  return json(problem, status, { ...headers, 'Content-Type': 'application/problem+json; charset=utf-8' })
}

/** When a database that is away should be asked again, s. */
const RETRY_AFTER_S = 5

/** What a database says of a text with the character U+0000 in it, and of such a one in JSON. */
const NO_NUL: ReadonlySet<unknown> = new Set(['22021', '22P05'])

/** Returns a fault as it is told: a database that is away is a state of ours, anything unknown is only logged. */
export function asHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'STORE_UNAVAILABLE')
    return unavailable('the database is away: sessions go on, this needs it', RETRY_AFTER_S)
  if (NO_NUL.has(code)) return badRequest('no text may have the character U+0000 in it')
  return new HttpError(500, 'internal', 'internal error')
}

export const PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}
