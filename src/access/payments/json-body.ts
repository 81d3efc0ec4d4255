/** The JSON of a body whose signature was checked first. */
import { DEPTH_MAX, depthOf } from '../../http/depth.js'
import { HttpError } from '../../http/faults.js'

/** Returns the value, or throws a 400. */
export function jsonOf(body: Uint8Array): unknown {
  if (depthOf(body) > DEPTH_MAX)
    throw new HttpError(400, 'not_understood', `the body has more than ${DEPTH_MAX} levels`)
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString())
  } catch {
    throw new HttpError(400, 'not_understood', 'the body is not JSON')
  }
}
