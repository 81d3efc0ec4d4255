/**
 * Fernet, as the Python system sealed its secrets: https://github.com/fernet/spec. Only opened here, never made. How old a
 * token is does not matter: it was kept, not sent.
 *
 *   0x80 │ time 8 │ IV 16 │ AES-128-CBC … │ HMAC-SHA256 32      the key: 16 to sign, 16 to encrypt
 */
import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto'

export interface FernetKey {
  readonly signing: Buffer
  readonly encryption: Buffer
}

const VERSION = 0x80
const IV_AT = 9
const CIPHERTEXT_AT = 25
const BLOCK = 16
const MAC_BYTES = 32
const BASE64URL = /^[A-Za-z0-9_-]+={0,2}$/

/** Returns the key that a text is; null when it is none. */
export function readFernetKey(text: string): FernetKey | null {
  const bytes = bytesOf(text)
  if (bytes?.length !== 32) return null
  return { signing: bytes.subarray(0, 16), encryption: bytes.subarray(16) }
}

/** Returns whether a text looks like a token: every one of version 0x80 begins like this until the year 2106. */
export const isFernet = (text: string): boolean => text.startsWith('gAAAAA')

/** Returns what was sealed; null when it was not sealed by this key, or is no longer as it was. */
export function openFernet(token: string, { signing, encryption }: FernetKey): string | null {
  const bytes = bytesOf(token)
  if (bytes === null || bytes.length < CIPHERTEXT_AT + BLOCK + MAC_BYTES || bytes[0] !== VERSION) return null
  const [signed, mac] = [bytes.subarray(0, -MAC_BYTES), bytes.subarray(-MAC_BYTES)]
  if (!timingSafeEqual(createHmac('sha256', signing).update(signed).digest(), mac)) return null
  const decipher = createDecipheriv('aes-128-cbc', encryption, bytes.subarray(IV_AT, CIPHERTEXT_AT))
  try {
    return Buffer.concat([decipher.update(signed.subarray(CIPHERTEXT_AT)), decipher.final()]).toString()
  } catch {
    return null
  }
}

function bytesOf(text: string): Buffer | null {
  const trimmed = text.trim()
  return BASE64URL.test(trimmed) ? Buffer.from(trimmed, 'base64url') : null
}
