/** Reads the body of a request, which arrives in pieces that are only lent, up to a bound. */
import type { HttpResponse } from 'uWebSockets.js'
import { badRequest, HttpError } from '../http/faults.js'
import type { Request } from '../http/router.js'
import type { z } from 'zod'

/** The largest body where an endpoint does not say otherwise, bytes. */
export const BODY_MAX = 64 * 1024

/** Resolves with the whole body; rejects with 413 as soon as it is too large. Call it before any await. */
export function readBody(
  res: HttpResponse,
  contentLength: string | undefined,
  max = BODY_MAX,
): Promise<Uint8Array> {
  const tooLarge = () => new HttpError(413, 'too_large', `the body may have at most ${max} bytes`)
  if (Number(contentLength ?? 0) > max) return Promise.reject(tooLarge())
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let size = 0
    res.onData((piece, isLast) => {
      size += piece.byteLength
      if (size > max) return reject(tooLarge())
      pieces.push(Buffer.from(Buffer.from(piece))) // a copy: the piece dies with this call
      if (isLast) resolve(Buffer.concat(pieces, size))
    })
  })
}

/** Returns the body as what `schema` describes; throws a 400 that lists what is wrong. An empty body is `{}`. */
export function readJson<T>(request: Request, schema: z.ZodType<T>): T {
  let value: unknown
  try {
    value = request.body.length === 0 ? {} : JSON.parse(Buffer.from(request.body).toString())
  } catch {
    throw badRequest('the body is not JSON')
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.length === 0 ? 'body' : path.join('.')}: ${message}`,
  )
  throw badRequest(problems.join('; '))
}
