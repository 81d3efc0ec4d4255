/**
 * The first message of a WireGuard handshake, as its responder reads it (https://www.wireguard.com/papers/wireguard.pdf,
 * §5.4.2): who sends it, authenticated, and when. Whoever hears it learns from which address WireGuard's own
 * socket reaches the world.
 *
 *   0     4        8           40               88                  116    132    148
 *   │ 1   │ sender │ ephemeral │ static, sealed │ timestamp, sealed │ mac1 │ mac2 │
 *
 * `mac1` is made with nothing but the responder's public key. It proves nothing about the sender, but it costs
 * microseconds to check, and who was not told the key cannot make it.
 */
import {
  createDecipheriv,
  createHash,
  createHmac,
  diffieHellman,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'
import { keyedBlake2s } from './blake2s.js'
import { privateKeyOf, publicKeyOf } from './proof.js'

/** Bytes of the whole message; no other message of WireGuard is as long and begins like it. */
const SIZE = 148
const EPHEMERAL = 8
const STATIC = 40
const TIMESTAMP = 88
const MAC1 = 116
const MAC2 = 132
const TAG_SIZE = 16
/** Type 1, and three bytes that are zero. */
const HEAD = 0x01000000

const CHAINING = hash('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s')
const PROTOCOL = hash(CHAINING, 'WireGuard v1 zx2c4 Jason@zx2c4.com')
/** Each key seals one thing, so the nonce is always the first. */
const NONCE = new Uint8Array(12)

export interface Initiation {
  /** The sender's WireGuard public key, 32 bytes: it holds the private one. */
  readonly publicKey: Uint8Array
  /** TAI64N, 12 bytes: of two messages of one sender the later one has the greater, byte by byte. */
  readonly timestamp: Uint8Array
}

export class InitiationReader {
  readonly #privateKey: KeyObject
  readonly #mac1Key: Uint8Array
  readonly #begun: Uint8Array

  /** The responder's X25519 pair, raw. */
  constructor({
    privateKey,
    publicKey,
  }: { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array }) {
    this.#privateKey = privateKeyOf(privateKey)
    this.#mac1Key = hash('mac1----', publicKey)
    this.#begun = hash(PROTOCOL, publicKey)
  }

  /** Returns whether a datagram is an initiation by someone who knows the responder's public key. Microseconds. */
  addressed(datagram: Uint8Array): boolean {
    if (datagram.length !== SIZE || uint32(datagram) !== HEAD) return false
    const mac1 = keyedBlake2s(this.#mac1Key, datagram.subarray(0, MAC1), MAC2 - MAC1)
    return timingSafeEqual(mac1, datagram.subarray(MAC1, MAC2))
  }

  /**
   * Returns what an addressed datagram says; null when its sender does not hold the private key of what it
   * claims. Takes two X25519 agreements. Says nothing about whether it was heard before: compare the timestamp.
   */
  read(datagram: Uint8Array): Initiation | null {
    const ephemeral = datagram.subarray(EPHEMERAL, STATIC)
    const sealedStatic = datagram.subarray(STATIC, TIMESTAMP)
    try {
      const withEphemeral = hash(this.#begun, ephemeral)
      const first = derive(hmac(hmac(CHAINING, ephemeral), ONE), this.#agree(ephemeral))
      const publicKey = unseal(first.key, sealedStatic, withEphemeral)
      const second = derive(first.chaining, this.#agree(publicKey))
      const timestamp = unseal(
        second.key,
        datagram.subarray(TIMESTAMP, MAC1),
        hash(withEphemeral, sealedStatic),
      )
      return { publicKey, timestamp }
    } catch {
      // OpenSSL says both by throwing: a point with which no secret can be shared, and a seal that is broken.
      return null
    }
  }

  #agree(publicKey: Uint8Array): Uint8Array {
    return diffieHellman({ privateKey: this.#privateKey, publicKey: publicKeyOf(publicKey) })
  }
}

const ONE = Uint8Array.of(1)
const TWO = Uint8Array.of(2)

/** HKDF of two outputs: the next chaining key, and a key to seal with. */
function derive(chaining: Uint8Array, input: Uint8Array): { chaining: Uint8Array; key: Uint8Array } {
  const secret = hmac(chaining, input)
  const next = hmac(secret, ONE)
  return { chaining: next, key: hmac(secret, next, TWO) }
}

function unseal(key: Uint8Array, sealed: Uint8Array, bound: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('chacha20-poly1305', key, NONCE, { authTagLength: TAG_SIZE })
  const end = sealed.length - TAG_SIZE
  decipher.setAAD(bound, { plaintextLength: end }).setAuthTag(sealed.subarray(end))
  const opened = decipher.update(sealed.subarray(0, end))
  decipher.final()
  return opened
}

function hash(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const running = createHash('blake2s256')
  for (const part of parts) running.update(part)
  return running.digest()
}

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const running = createHmac('blake2s256', key)
  for (const part of parts) running.update(part)
  return running.digest()
}

const uint32 = (b: Uint8Array): number =>
  (((b[0] ?? 0) << 24) | ((b[1] ?? 0) << 16) | ((b[2] ?? 0) << 8) | (b[3] ?? 0)) >>> 0
