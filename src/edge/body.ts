/** Reads the body of a request, which arrives in pieces that are only lent, up to a bound. */
import type { HttpResponse } from 'uWebSockets.js'
import { HttpError } from '../http/faults.js'

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
