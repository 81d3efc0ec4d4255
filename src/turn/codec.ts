/**
 * Reads STUN messages and ChannelData, strictly.
 *
 *   0      2        4          8                20
 *   ├ type ┼ length ┼ cookie   ┼ transaction id ┼ attributes: type, length, value, padding to 4 bytes …
 *
 * Of an attribute that comes twice the first counts. After MESSAGE-INTEGRITY only MESSAGE-INTEGRITY-SHA256
 * and FINGERPRINT count, after that one only FINGERPRINT, and nothing after FINGERPRINT: what follows is not
 * protected, so nobody may act on it.
 */
import { crc32 } from 'node:zlib'
import { ATTRIBUTE, MAGIC_COOKIE } from './attributes.js'

export const HEADER_BYTES = 20
/** FINGERPRINT is the CRC-32 XORed with "STUN", so that it differs from one of another protocol. */
export const FINGERPRINT_XOR = 0x5354554e
/** ChannelData has a header of its own: channel number and length. */
export const CHANNEL_HEADER_BYTES = 4
/** Channel numbers (RFC 8656 §12), inclusive. */
export const FIRST_CHANNEL = 0x4000
export const LAST_CHANNEL = 0x4fff
/** RFC 5766 let clients go up to here, and many still do: a server takes what it never would choose. */
export const LAST_OLD_CHANNEL = 0x7fff

export const CLASSES = ['request', 'indication', 'success', 'error'] as const
export type MessageClass = (typeof CLASSES)[number]

export interface StunMessage {
  readonly class: MessageClass
  readonly method: number
  /** 12 bytes. */
  readonly transactionId: Buffer
  /** Those that count, in order; MESSAGE-INTEGRITY, its SHA-256 twin and FINGERPRINT among them. */
  readonly attributes: readonly Attribute[]
  /** The whole message. */
  readonly bytes: Buffer
}

export interface Attribute {
  readonly type: number
  /** A view of the message, without padding. */
  readonly value: Buffer
  /** Where the attribute's header begins in the message. */
  readonly at: number
}

/** Returns whether these bytes begin as a message does, right or wrong: what does not is of another protocol. */
export const isStun = (bytes: Buffer): boolean =>
  bytes.length >= HEADER_BYTES && (bytes[0] as number) < 0x40 && bytes.readUInt32BE(4) === MAGIC_COOKIE

/** Returns the message that fills `bytes` exactly, or null when it is none or its FINGERPRINT is wrong. */
export function readMessage(bytes: Buffer): StunMessage | null {
  if (!isStun(bytes)) return null
  const type = bytes.readUInt16BE(0)
  const length = bytes.readUInt16BE(2)
  if (length % 4 !== 0 || bytes.length !== HEADER_BYTES + length) return null
  const attributes = readAttributes(bytes)
  if (attributes === null) return null
  const last = attributes.at(-1)
  if (last?.type === ATTRIBUTE.fingerprint && !rightFingerprint(bytes, last)) return null
  return {
    class: CLASSES[((type >> 4) & 1) | ((type >> 7) & 2)] as MessageClass, // two bits
    method: (type & 0xf) | ((type >> 1) & 0x70) | ((type >> 2) & 0xf80),
    transactionId: bytes.subarray(8, HEADER_BYTES),
    attributes,
    bytes,
  }
}

/** Returns the value of the first attribute of this type. */
export function valueOf(message: StunMessage, type: number): Buffer | undefined {
  return message.attributes.find(attribute => attribute.type === type)?.value
}

/** Returns the attributes that the receiver must understand and does not, each once. */
export function notUnderstood(message: StunMessage, understood: ReadonlySet<number>): number[] {
  const types = message.attributes.map(({ type }) => type)
  return [...new Set(types.filter(type => type < 0x8000 && !understood.has(type)))]
}

/** Returns the number in an attribute of exactly 4 bytes; null when it is misshapen. */
export function readUint32(value: Buffer): number | null {
  return value.length === 4 ? value.readUInt32BE(0) : null
}

/** Returns code of an ERROR-CODE value; null when it is misshapen. */
export function readErrorCode(value: Buffer | undefined): number | null {
  if (value === undefined || value.length < 4) return null
  return ((value[2] as number) & 7) * 100 + (value[3] as number) // at least 4 bytes
}

export interface ChannelData {
  readonly channel: number
  /** A view of what was read. */
  readonly data: Buffer
}

/** Returns the ChannelData that `bytes` begin with; padding may follow. Null when it is none or cut short. */
export function readChannelData(bytes: Buffer): ChannelData | null {
  if (bytes.length < CHANNEL_HEADER_BYTES) return null
  const channel = bytes.readUInt16BE(0)
  const end = CHANNEL_HEADER_BYTES + bytes.readUInt16BE(2)
  if (channel < FIRST_CHANNEL || channel > LAST_OLD_CHANNEL || end > bytes.length) return null
  return { channel, data: bytes.subarray(CHANNEL_HEADER_BYTES, end) }
}

/** Returns ChannelData; on a stream it is padded to 4 bytes. */
export function writeChannelData(channel: number, data: Uint8Array, padded: boolean): Buffer {
  const end = CHANNEL_HEADER_BYTES + data.length
  const bytes = Buffer.allocUnsafe(padded ? padTo4(end) : end)
  bytes.writeUInt16BE(channel, 0)
  bytes.writeUInt16BE(data.length, 2)
  bytes.set(data, CHANNEL_HEADER_BYTES)
  return bytes.fill(0, end)
}

export const padTo4 = (length: number): number => (length + 3) & ~3

function readAttributes(bytes: Buffer): Attribute[] | null {
  const attributes: Attribute[] = []
  let sealed = 0
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    // Lengths are multiples of four, so a header is always whole.
    const type = bytes.readUInt16BE(at)
    const end = at + 4 + bytes.readUInt16BE(at + 2)
    if (end > bytes.length) return null
    const seal = SEALS.indexOf(type) + 1
    if (sealed === 0 || seal > sealed) {
      attributes.push({ type, value: bytes.subarray(at + 4, end), at })
      sealed = seal
    }
    at = padTo4(end)
  }
  return attributes
}

/** Each of these ends what counts, except for those after it in this list. */
const SEALS: readonly number[] = [
  ATTRIBUTE.messageIntegrity,
  ATTRIBUTE.messageIntegritySha256,
  ATTRIBUTE.fingerprint,
]

function rightFingerprint(bytes: Buffer, { value, at }: Attribute): boolean {
  if (value.length !== 4) return false
  // The length in the header counts up to the fingerprint's end, also when something follows it.
  const header = Buffer.from(bytes.subarray(0, HEADER_BYTES))
  header.writeUInt16BE(at + 8 - HEADER_BYTES, 2)
  const crc = crc32(bytes.subarray(HEADER_BYTES, at), crc32(header))
  return value.readUInt32BE(0) === (crc ^ FINGERPRINT_XOR) >>> 0
}
