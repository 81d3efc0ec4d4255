/** Faults of a request. What is thrown here is what the caller sees; anything else is only logged. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly code: string
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>

  constructor(
    statusCode: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.code = code
    this.statusCode = statusCode
    this.headers = headers
  }
}

export const badRequest = (message: string) => new HttpError(400, 'bad_request', message)

export const unauthorised = () =>
  new HttpError(401, 'unauthorised', 'this needs the header `Authorization: Bearer <SECRET_TOKEN>`', {
    'WWW-Authenticate': 'Bearer realm="boson"',
  })

export const notFound = (what: string) => new HttpError(404, 'not_found', what)

export const conflict = (message: string) => new HttpError(409, 'conflict', message)

export const unavailable = (message: string, retryAfterS: number) =>
  new HttpError(503, 'unavailable', message, { 'Retry-After': String(retryAfterS) })
