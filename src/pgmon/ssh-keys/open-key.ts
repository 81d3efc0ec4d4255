/**
 * Private keys as people have them: OpenSSH’s own form, PKCS#1, SEC 1 and PKCS#8 in PEM, with or without a passphrase. What
 * is read is written anew, so that nothing of a file is kept but the key.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readPrivateKey } from '../../ssh/private-key.js'
import { type KeyParts, partsOf } from './key-parts.js'
import { NO_KEY, pemBlock } from './pem-block.js'

/** What is wrong with a key: never a word of the key itself. */
export class KeyComplaint extends Error {
  override readonly name = 'KeyComplaint'
  readonly code = 'KEY_COMPLAINT'
}

/** Shorter ones are no safer than a password; longer ones would stop everything else while they sign. */
const RSA_BITS = { min: 2_048, max: 8_192 }
const CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1']

/** Returns the parts of the key that a text has; throws a `KeyComplaint`. */
export function openKey(text: string, passphrase: string | null): KeyParts {
  const key = keyIn(text, passphrase)
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return partsOf(key, 'ed25519')
    case 'rsa':
      if (modulusLength < RSA_BITS.min || modulusLength > RSA_BITS.max)
        throw new KeyComplaint(
          `it is an RSA key of ${modulusLength} bits: wanted ${RSA_BITS.min} to ${RSA_BITS.max}`,
        )
      return partsOf(key, 'rsa')
    case 'ec':
      if (CURVES.includes(namedCurve)) return partsOf(key, 'ecdsa')
      throw new KeyComplaint(`it is on the curve ${namedCurve ?? '?'}, which SSH does not know`)
    default:
      throw new KeyComplaint(
        `it is a key of the kind ${key.asymmetricKeyType ?? '?'}: wanted RSA, Ed25519 or ECDSA`,
      )
  }
}

function keyIn(text: string, passphrase: string | null): KeyObject {
  const block = pemBlock(text)
  if (block === null) throw new KeyComplaint(NO_KEY)
  const { isOpenSsh, isEncrypted, isEndless } = block
  if (isEncrypted && passphrase === null) throw new KeyComplaint('it is encrypted: its passphrase is wanted')
  if (isEndless)
    throw new KeyComplaint('it would take too long to open: wanted one that is encrypted in fewer rounds')
  const words = isEncrypted && passphrase !== null ? { passphrase } : {}
  try {
    // Of OpenSSH’s own form Node.js knows nothing, and of PKCS#8 the SSH client.
    return isOpenSsh
      ? createPrivateKey(readPrivateKey(block.text, words.passphrase).getPrivatePEM())
      : createPrivateKey({ key: block.text, ...words })
  } catch (error) {
    throw new KeyComplaint(isEncrypted ? 'it does not open with this passphrase' : NO_KEY, { cause: error })
  }
}
