/**
 * WireGuard public keys as clients send them. Each has one spelling only, so that the same key is never taken for two:
 * base64 of 44 characters, a number below the prime of the curve, and none of the few points that share no secret.
 */
import { diffieHellman } from 'node:crypto'
import { z } from 'zod'
import { privateKeyOf, publicKeyOf } from '../../protocol/proof.js'
import { readKey } from './key.js'

const KEY_BYTES = 32
/** The prime 2²⁵⁵ − 19 begins with this byte, little-endian, and goes on with 0xff; the last byte is 0x7f. */
const PRIME_LOW = 0xed
const PRIME_HIGH = 0x7f
/** Any private key shows whether a point is of small order: nothing of it is kept. */
const PROBE = privateKeyOf(Buffer.alloc(KEY_BYTES, 0x42))

const error = 'wanted a WireGuard public key: 44 characters of base64, as `wg pubkey` prints it'

/** A public key; gives its 32 bytes. */
export const publicKey = z
  .string({ error })
  .regex(/^[A-Za-z0-9+/]{43}=$/, { error })
  .transform((text, context) => {
    const key = readKey(text)
    if (key !== null && isUsable(key)) return key
    context.addIssue(error)
    return z.NEVER
  })
  .meta({ example: 'mF8mKd0mz6bUvfeVWwGZCKMqJG2cbuAXRfBuKVYGmzs=' })

/** Returns whether a secret can be shared with this key, and it is the only spelling of it. */
function isUsable(key: Uint8Array): boolean {
  const isReduced =
    (key[31] ?? 0) < PRIME_HIGH ||
    (key[31] === PRIME_HIGH && ((key[0] ?? 0) < PRIME_LOW || key.subarray(1, 31).some(byte => byte !== 0xff)))
  if (!isReduced) return false
  try {
    diffieHellman({ privateKey: PROBE, publicKey: publicKeyOf(key) })
    return true
  } catch {
    return false
  }
}
