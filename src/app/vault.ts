/**
 * Secrets in the database, sealed: AES-256-GCM under a key that the database does not have. The place of a secret is
 * authenticated with it, so that a row which is given another's secret opens for nobody.
 *
 *   version 1, 1 byte │ nonce 12 │ tag 16 │ ciphertext
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { Random } from '../kit/random.js'
import type { Vault } from './plugin.js'

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES

/** Returns the vault of this key: any text that nobody can guess. */
export function openVault(key: string, random: Random): Vault {
  const secretKey = Buffer.from(hkdfSync('sha256', key, '', 'boson vault', 32))
  return {
    seal(secret, about) {
      const nonce = random.bytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', secretKey, nonce).setAAD(Buffer.from(about))
      const ciphertext = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.from([VERSION]), nonce, cipher.getAuthTag(), ciphertext])
    },
    open(sealed, about) {
      if (sealed.length < HEAD_BYTES || sealed[0] !== VERSION) return null
      const nonce = sealed.subarray(1, 1 + NONCE_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', secretKey, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(about)).setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEAD_BYTES))
      try {
        return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES)), decipher.final()]).toString()
      } catch {
        return null
      }
    },
  }
}
