/** Reads the body of a request, which arrives in pieces that are only lent, up to a bound. */
import type { HttpResponse } from 'uWebSockets.js'
import { HttpError } from '../http/faults.js'

/** The largest body where an endpoint does not say otherwise, bytes. */
export const BODY_MAX = 64 * 1024

/** Gives the whole body to `taken`, or a 413 to `failed` as soon as it is too large. Call it before any await. */
export function readBody(
  res: HttpResponse,
  contentLength: string | undefined,
  max: number = BODY_MAX,
  taken: (body: Uint8Array) => void,
  failed: (error: HttpError) => void,
): void {
  if (Number(contentLength ?? 0) > max) return failed(tooLarge(max))
  let pieces: Buffer[] | null = []
  let size = 0
  res.onData((piece, isLast) => {
    if (pieces === null) return
    size += piece.byteLength
    if (size > max) {
      pieces = null
      return failed(tooLarge(max))
    }
    pieces.push(Buffer.from(Buffer.from(piece))) // a copy: the piece dies with this call
    if (!isLast) return
    const [first] = pieces
    taken(pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces, size))
  })
}

export const tooLarge = (max: number): HttpError =>
  new HttpError(413, 'too_large', `the body may have at most ${max} bytes`)
