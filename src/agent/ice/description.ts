/**
 * A session description (RFC 8866) on its way between two ends, as `path.signal` carries it. It names the
 * attempt it belongs to, so that a late one of an earlier attempt is not taken for the answer to this one.
 */
const ATTEMPT = /^a=x-attempt:(\d+)\r?$/m
/**
 * What says that no more candidates come (RFC 8838 §14). It is not passed on: libjuice hears it before the candidates
 * of the same description, and gives up at once when its thread looks in between.
 */
const ENOUGH = /^a=end-of-candidates\r?\n?/gm

export function writeDescription(sdp: string, attempt: number): Uint8Array {
  return Buffer.from(`${sdp.trimEnd()}\r\na=x-attempt:${attempt}\r\n`)
}

/** Returns the description and its attempt, or null when the bytes are none. */
export function readDescription(
  bytes: Uint8Array,
): { readonly sdp: string; readonly attempt: number } | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  const attempt = ATTEMPT.exec(text)?.[1]
  if (!text.startsWith('v=0') || attempt === undefined) return null
  const sdp = text.replace(ATTEMPT, '').replace(ENOUGH, '')
  return { sdp: sdp.trimEnd().concat('\r\n'), attempt: Number(attempt) }
}

/** Returns the candidates of a description as ICE stacks take them one by one. */
export const candidatesOf = (sdp: string): readonly string[] =>
  [...sdp.matchAll(/^a=(candidate:[^\r\n]+)/gm)].map(([, candidate = '']) => candidate)

/** Returns the id of the one media section that data channels have. */
export const mediaIdOf = (sdp: string): string => /^a=mid:([^\r\n]+)/m.exec(sdp)?.[1] ?? '0'
