/** The sender's side of a WireGuard handshake initiation, as the specification writes it down (§5.4.2). */
import { createCipheriv, createHash, createHmac, diffieHellman } from 'node:crypto'
import { keyedBlake2s } from '../../src/protocol/blake2s.js'
import { newKeyPair, privateKeyOf, publicKeyOf } from '../../src/protocol/proof.js'

export interface KeyPair {
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
}

/** Returns the TAI64N label of so many nanoseconds after a moment that means nothing. */
export function tai64n(nanoseconds: number): Uint8Array {
  const label = Buffer.alloc(12)
  label.writeBigUInt64BE(0x400000006553f10an + BigInt(Math.floor(nanoseconds / 1e9)))
  label.writeUInt32BE(nanoseconds % 1e9, 8)
  return label
}

/** Returns the 148 bytes with which the holder of `sender` begins a handshake with the holder of `responder`. */
export function initiation(
  sender: KeyPair,
  responder: Uint8Array,
  timestamp: Uint8Array,
  ephemeral: KeyPair = newKeyPair(),
): Buffer {
  const agree = (own: KeyPair) =>
    diffieHellman({ privateKey: privateKeyOf(own.privateKey), publicKey: publicKeyOf(responder) })
  const message = Buffer.alloc(148)
  message[0] = 1
  message.writeUInt32LE(0x12345678, 4)
  let c = H(Buffer.from('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s'))
  let h = H(c, Buffer.from('WireGuard v1 zx2c4 Jason@zx2c4.com'))
  h = H(h, responder)
  message.set(ephemeral.publicKey, 8)
  c = kdf(c, ephemeral.publicKey)[0]
  h = H(h, ephemeral.publicKey)
  let [next, k] = kdf(c, agree(ephemeral))
  const sealedStatic = seal(k, sender.publicKey, h)
  message.set(sealedStatic, 40)
  h = H(h, sealedStatic)
  ;[next, k] = kdf(next, agree(sender))
  message.set(seal(k, timestamp, h), 88)
  return withMac1(message, responder)
}

/** Makes the message's `mac1` right again, as anyone can who knows the responder's public key. */
export function withMac1(message: Buffer, responder: Uint8Array): Buffer {
  message.set(keyedBlake2s(H(Buffer.from('mac1----'), responder), message.subarray(0, 116), 16), 116)
  return message
}

const H = (...parts: Uint8Array[]): Buffer => createHash('blake2s256').update(Buffer.concat(parts)).digest()
const mac = (key: Uint8Array, ...parts: Uint8Array[]): Buffer =>
  createHmac('blake2s256', key).update(Buffer.concat(parts)).digest()

function kdf(key: Uint8Array, input: Uint8Array): [Buffer, Buffer] {
  const t0 = mac(key, input)
  const t1 = mac(t0, Buffer.of(1))
  return [t1, mac(t0, t1, Buffer.of(2))]
}

function seal(key: Uint8Array, plain: Uint8Array, bound: Uint8Array): Buffer {
  const cipher = createCipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: 16 })
  cipher.setAAD(bound, { plaintextLength: plain.length })
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}
