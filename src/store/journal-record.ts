/**
 * How the journal spells one change: a line that can be read with `less`, and checked.
 *
 *     1a2b3c4d ["session","s-7",0,{"sessionId":"s-7",…}]
 *     crc32    kind      key   over value
 *
 * `over` is 1 for what only history needs: audit events, closed sessions, ended routes and paths. Kind, key and `over`
 * come first, so that compaction need not parse the value. Bytes are `{"$bytes":"<base64>"}`.
 */
import { crc32 } from 'node:zlib'
import type { Change } from '../actors/ports.js'

const NEWLINE = 0x0a
/** Eight hexadecimal digits and a space. */
const CHECKSUM_BYTES = 9
/** Kind, key and `over` are within this many bytes of a line; ids are far shorter. */
const HEAD_BYTES = 4_096

/** Returns the line of a change, its newline included. */
export function encodeChange(change: Change): string {
  const json = JSON.stringify([change.kind, change.key, isOver(change) ? 1 : 0, change.value], spellBytes)
  return `${checksum(json)} ${json}\n`
}

export function decodeChange(line: Buffer): Change {
  const [kind, key, , value] = JSON.parse(line.toString('utf8', CHECKSUM_BYTES), readBytes)
  return { kind, key, value } as Change // encodeChange wrote it, and the checksum is right
}

/** Returns what compaction looks at: which key a line is about, and whether only history needs it. */
export function headOf(line: Buffer): { readonly key: string; readonly over: boolean } | null {
  const head = line.toString('utf8', CHECKSUM_BYTES, CHECKSUM_BYTES + HEAD_BYTES)
  const found = /^\["\w+","(?:[^"\\]|\\.)*",([01]),/.exec(head)
  return found === null ? null : { key: found[0].slice(0, -2), over: found[1] === '1' }
}

/** Yields the lines of a part without their newline; null for each one that is damaged or cut short. */
export function* linesOf(part: Buffer): Generator<Buffer | null> {
  for (let start = 0; start < part.length; ) {
    const end = part.indexOf(NEWLINE, start)
    const line = part.subarray(start, end < 0 ? part.length : end)
    const whole = end >= 0 && line.length > CHECKSUM_BYTES
    yield whole && line.toString('latin1', 0, 8) === checksum(line.subarray(CHECKSUM_BYTES)) ? line : null
    if (end < 0) return
    start = end + 1
  }
}

const checksum = (data: string | Buffer): string => crc32(data).toString(16).padStart(8, '0')

const isOver = (change: Change): boolean =>
  change.kind === 'audit' ||
  (change.kind === 'session' && change.value.state === 'closed') ||
  (change.kind === 'route' && change.value.state === 'ended') ||
  (change.kind === 'path' && change.value.closedAtMs !== null)

/** `this` is the object that holds the value: a Buffer has already turned itself into something else. */
function spellBytes(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key]
  return original instanceof Uint8Array ? { $bytes: Buffer.from(original).toString('base64') } : value
}

function readBytes(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || !('$bytes' in value)) return value
  return typeof value.$bytes === 'string' ? Uint8Array.from(Buffer.from(value.$bytes, 'base64')) : value
}
