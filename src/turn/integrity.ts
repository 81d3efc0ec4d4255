/** Who signed a message: MESSAGE-INTEGRITY (HMAC-SHA1) and MESSAGE-INTEGRITY-SHA256, and the keys for them. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { ATTRIBUTE } from './attributes.js'
import { HEADER_BYTES, type StunMessage } from './codec.js'

export type IntegrityAlgorithm = 'sha1' | 'sha256'

/** How one side of an exchange signs. */
export interface Signature {
  readonly algorithm: IntegrityAlgorithm
  readonly key: Uint8Array
}

export const INTEGRITY = {
  sha1: { type: ATTRIBUTE.messageIntegrity, bytes: 20 },
  sha256: { type: ATTRIBUTE.messageIntegritySha256, bytes: 32 },
} as const

/** Ids in PASSWORD-ALGORITHM (RFC 8489 §18.5). */
export const PASSWORD_ALGORITHM = { md5: 1, sha256: 2 } as const
export type PasswordAlgorithm = keyof typeof PASSWORD_ALGORITHM

/** Returns the key of a long-term credential (RFC 8489 §9.2.2). */
export function longTermKey(
  algorithm: PasswordAlgorithm,
  username: string,
  realm: string,
  password: string,
): Buffer {
  return createHash(algorithm).update(`${username}:${realm}:${password}`).digest()
}

/** Returns the value of USERHASH (RFC 8489 §14.4). */
export const userhash = (username: string, realm: string): Buffer =>
  createHash('sha256').update(`${username}:${realm}`).digest()

/** Returns the stronger algorithm that the message is signed with, or null when it is not signed. */
export function signedWith(message: StunMessage): IntegrityAlgorithm | null {
  const has = (type: number) => message.attributes.some(attribute => attribute.type === type)
  if (has(INTEGRITY.sha256.type)) return 'sha256'
  return has(INTEGRITY.sha1.type) ? 'sha1' : null
}

/** Returns whether the message carries this signature, compared in constant time; a shortened one counts for nothing. */
export function hasSignature(message: StunMessage, { algorithm, key }: Signature): boolean {
  const { type, bytes } = INTEGRITY[algorithm]
  const attribute = message.attributes.find(one => one.type === type)
  if (attribute === undefined || attribute.value.length !== bytes) return false
  return timingSafeEqual(attribute.value, mac(message.bytes, attribute.at, { algorithm, key }))
}

/** Returns the MAC over a message up to `at`, with the length field as if the MAC's attribute were the last. */
export function mac(message: Buffer, at: number, { algorithm, key }: Signature): Buffer {
  const header = Buffer.from(message.subarray(0, HEADER_BYTES))
  header.writeUInt16BE(at + 4 + INTEGRITY[algorithm].bytes - HEADER_BYTES, 2)
  return createHmac(algorithm, key).update(header).update(message.subarray(HEADER_BYTES, at)).digest()
}
