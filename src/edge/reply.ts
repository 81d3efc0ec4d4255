/** What a handler answers with. */
import { HttpError } from './http-error.js'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

type Headers = Readonly<Record<string, string>>

/** Returns a JSON answer. */
export const json = (value: unknown, status = 200, headers: Headers = {}): Reply => ({
  status,
  headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(value),
})

/** Returns an answer of plain text, or of another textual type. */
export const text = (
  body: string,
  type = 'text/plain; charset=utf-8',
  status = 200,
  headers: Headers = {},
): Reply => ({ status, headers: { 'Content-Type': type, ...headers }, body })

/** Returns an answer without a body. */
export const empty = (status = 204, headers: Headers = {}): Reply => ({ status, headers, body: '' })

/** Returns the answer to a fault; of faults that are ours the caller learns nothing but that. */
export function faultReply(error: unknown): Reply {
  const known = error instanceof HttpError ? error : new HttpError(500, 'internal', 'internal error')
  return json(
    { error: { message: known.message, statusCode: known.statusCode } },
    known.statusCode,
    known.headers,
  )
}
