/**
 * Proof of key possession. Both ends compute
 *
 *   shared = X25519(own private key, other's public key)
 *   key    = HKDF-SHA256(ikm = shared, salt = empty, info = "boson.v1 register", 32 bytes)   RFC 5869
 *   proof  = HMAC-SHA256(key, nonce ‖ len(role) ‖ role ‖ len(id) ‖ id ‖ len(serverId) ‖ serverId)
 *
 * with the lengths as one byte and the strings in UTF-8. The agent's side uses its WireGuard private key
 * and `welcome.challenge`; the coordinator's side its ephemeral key and `register.publicKey`. Only
 * the holder of the WireGuard private key, or the coordinator that made the challenge, can compute it.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto'

/** An absent salt is a hash's length of zeros (RFC 5869 §2.2). */
const NO_SALT = new Uint8Array(32)
/** The info, and the number of the first block, which is as long as the key (RFC 5869 §2.3). */
const INFO = Buffer.from('boson.v1 register\x01')
/** DER of a PKCS#8 X25519 private key (RFC 8410) up to its 32 bytes. */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
/** DER of an SPKI X25519 public key up to its 32 bytes. */
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')

export interface ProofInput {
  readonly nonce: Uint8Array
  readonly role: 'node' | 'client'
  readonly id: string
  readonly serverId: string
}

export const privateKeyOf = (raw: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: 'der', type: 'pkcs8' })
export const publicKeyOf = (raw: Uint8Array): KeyObject =>
  // As JWK: OpenSSL takes 73 µs to find out what a DER key is, and 10 µs for this one.
  createPublicKey({
    key: { kty: 'OKP', crv: 'X25519', x: Buffer.from(raw).toString('base64url') },
    format: 'jwk',
  })
const rawPublic = (key: KeyObject): Uint8Array =>
  key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length)

/** Returns a new X25519 key pair, raw: 32 bytes each. WireGuard keys are such pairs. */
export function newKeyPair(): { privateKey: Uint8Array; publicKey: Uint8Array } {
  const pair = generateKeyPairSync('x25519')
  return {
    privateKey: pair.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8.length),
    publicKey: rawPublic(pair.publicKey),
  }
}

/** Returns the raw public key of a raw private key. */
export const publicOf = (privateKey: Uint8Array): Uint8Array =>
  rawPublic(createPublicKey(privateKeyOf(privateKey)))

/**
 * Returns the 32-byte proof. Throws when the other's key is a point of small order, with which no secret
 * can be shared, and when a part of the input does not have the length that keeps the parts apart.
 */
export function makeProof(own: KeyObject, other: Uint8Array, input: ProofInput): Uint8Array {
  if (input.nonce.length !== 32) throw new RangeError('nonce: wanted 32 bytes')
  const shared = diffieHellman({ privateKey: own, publicKey: publicKeyOf(other) })
  // HKDF is two HMACs for one block; as one call of OpenSSL's it takes twice as long.
  const key = hmac(hmac(NO_SALT, shared), INFO)
  const mac = createHmac('sha256', key).update(input.nonce)
  for (const text of [input.role, input.id, input.serverId]) {
    const utf8 = Buffer.from(text, 'utf8')
    if (utf8.length > 255) throw new RangeError('role, id and serverId: wanted at most 255 bytes')
    mac.update(Uint8Array.of(utf8.length)).update(utf8)
  }
  return mac.digest()
}

const hmac = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(data).digest()

/** Returns whether `proof` is right; false also for a public key that is no usable point. Constant time in the proof. */
export function proofHolds(
  own: KeyObject,
  publicKey: Uint8Array,
  input: ProofInput,
  proof: Uint8Array,
): boolean {
  let wanted: Uint8Array
  try {
    wanted = makeProof(own, publicKey, input)
  } catch {
    return false
  }
  return proof.length === wanted.length && timingSafeEqual(proof, wanted)
}
