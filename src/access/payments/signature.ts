/**
 * How we know that it is the provider: `X-Boson-Signature: t=<seconds>,v1=<hex>`, where `v1` is HMAC-SHA256 over
 * `<t>.<body>`. There may be several `v1`, one for each secret that the sender has; one that is right is enough.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { HttpError } from '../../http/faults.js'

export const SIGNATURE_HEADER = 'x-boson-signature'

/** How far the clocks of both ends may be apart, and how long a delivery may be on its way, s. */
const TOLERANCE_S = 300
/** Two secrets of the sender are enough to change one; more are a way to have us compute. */
const SIGNATURES_MAX = 8
const HEADER_MAX = 1_024

/** Throws a 400 that says why, unless one of the secrets has signed this body, lately. */
export function mustBeSigned(
  header: string | undefined,
  body: Uint8Array,
  secrets: readonly string[],
  nowMs: number,
): void {
  if (header === undefined || header === '') throw refused('missing', `wanted the header ${SIGNATURE_HEADER}`)
  const { seconds, signatures } = partsOf(header)
  const expected = secrets.map(secret =>
    createHmac('sha256', secret).update(`${seconds}.`).update(body).digest(),
  )
  let isRight = false
  // All of them are looked at: how long it takes tells nothing.
  for (const given of signatures)
    for (const wanted of expected) isRight = timingSafeEqual(given, wanted) || isRight
  if (!isRight) throw refused('wrong', 'the signature is not of this body by a secret that is known here')
  // Only who has a secret learns what our clock says.
  const ageS = Math.floor(nowMs / 1_000) - seconds
  if (ageS > TOLERANCE_S)
    throw refused('old', `it was signed ${ageS} s ago, at most ${TOLERANCE_S} are taken`)
  if (ageS < -TOLERANCE_S)
    throw refused('future', `it is signed ${-ageS} s ahead of our clock, at most ${TOLERANCE_S} are taken`)
}

/** Why a delivery is refused. */
export type SignatureRefusal = 'missing' | 'malformed' | 'wrong' | 'old' | 'future'

const refused = (why: SignatureRefusal, message: string): HttpError =>
  new HttpError(400, `signature_${why}`, message)

function partsOf(header: string): { readonly seconds: number; readonly signatures: readonly Buffer[] } {
  const malformed = refused('malformed', 'wanted `t=<seconds>,v1=<64 hex digits, lower case>`')
  if (header.length > HEADER_MAX) throw malformed
  const times: string[] = []
  const signatures: Buffer[] = []
  for (const part of header.split(',')) {
    const [name, value = ''] = part.trim().split('=', 2)
    if (name === 't') times.push(value)
    else if (name === 'v1' && /^[0-9a-f]{64}$/.test(value)) signatures.push(Buffer.from(value, 'hex'))
  }
  const [time = ''] = times
  if (times.length !== 1 || !/^\d{1,12}$/.test(time)) throw malformed
  if (signatures.length === 0 || signatures.length > SIGNATURES_MAX) throw malformed
  return { seconds: Number(time), signatures }
}
