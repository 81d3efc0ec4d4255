/** A key pair as it is kept and shown: all of it follows from the private key. */
import type { KeyObject } from 'node:crypto'
import { fingerprintOf } from '../../ssh/fingerprint.js'
import { readPrivateKey } from '../../ssh/private-key.js'
import { keyText } from './key-text.js'

export interface KeyParts {
  readonly kind: 'rsa' | 'ed25519' | 'ecdsa'
  /** Of an RSA key; null: of another. */
  readonly bits: number | null
  /** As `authorized_keys` has it, without a comment. */
  readonly publicKey: string
  /** `SHA256:…`. */
  readonly fingerprint: string
  /** Without a passphrase. */
  readonly privateKey: string
}

/** Returns the parts of a private key of a kind that we take. */
export function partsOf(key: KeyObject, kind: KeyParts['kind']): KeyParts {
  const privateKey = keyText(key)
  const parsed = readPrivateKey(privateKey)
  const blob = parsed.getPublicSSH()
  return {
    kind,
    bits: kind === 'rsa' ? (key.asymmetricKeyDetails?.modulusLength ?? null) : null,
    publicKey: `${parsed.type} ${blob.toString('base64')}`,
    fingerprint: fingerprintOf(blob),
    privateKey,
  }
}
