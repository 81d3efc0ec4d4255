/** Writes STUN messages: attributes in the order they are added, then the signature, then the fingerprint. */
import { crc32 } from 'node:zlib'
import type { Endpoint } from '../protocol/address.js'
import { ATTRIBUTE, addressValue, MAGIC_COOKIE } from './attributes.js'
import { CLASSES, FINGERPRINT_XOR, HEADER_BYTES, type MessageClass, padTo4 } from './codec.js'
import { INTEGRITY, mac, type Signature } from './integrity.js'

/** Enough for most messages without growing. */
const FIRST_BYTES = 256

export class MessageWriter {
  readonly #transactionId: Buffer
  #bytes = Buffer.allocUnsafe(FIRST_BYTES)
  #length = HEADER_BYTES

  constructor(messageClass: MessageClass, method: number, transactionId: Uint8Array) {
    const classBits = CLASSES.indexOf(messageClass)
    const type =
      (method & 0xf) |
      ((method & 0x70) << 1) |
      ((method & 0xf80) << 2) |
      ((classBits & 1) << 4) |
      ((classBits & 2) << 7)
    this.#bytes.writeUInt16BE(type, 0)
    this.#bytes.writeUInt32BE(MAGIC_COOKIE, 4)
    this.#bytes.set(transactionId, 8)
    this.#transactionId = this.#bytes.subarray(8, HEADER_BYTES)
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length
  }

  add(type: number, value: Uint8Array): this {
    const end = this.#length + 4 + value.length
    const next = padTo4(end)
    this.#reserve(next)
    this.#bytes.writeUInt16BE(type, this.#length)
    this.#bytes.writeUInt16BE(value.length, this.#length + 2)
    this.#bytes.set(value, this.#length + 4)
    this.#bytes.fill(0, end, next)
    this.#length = next
    this.#bytes.writeUInt16BE(next - HEADER_BYTES, 2)
    return this
  }

  addText(type: number, text: string): this {
    return this.add(type, Buffer.from(text))
  }

  addUint32(type: number, value: number): this {
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeUInt32BE(value, 0)
    return this.add(type, bytes)
  }

  /** Adds a list of 16-bit numbers. */
  addUint16s(type: number, values: readonly number[]): this {
    return this.add(type, Buffer.from(values.flatMap(value => [value >> 8, value & 0xff])))
  }

  addAddress(type: number, endpoint: Endpoint): this {
    return this.add(type, addressValue(endpoint, null))
  }

  addXorAddress(type: number, endpoint: Endpoint): this {
    return this.add(type, addressValue(endpoint, this.#transactionId))
  }

  addError(code: number, phrase: string): this {
    return this.add(ATTRIBUTE.errorCode, errorValue(0, code, phrase))
  }

  /** Adds which address family could not be had, and why (RFC 8656 §18.14). */
  addAddressError(familyByte: number, code: number): this {
    return this.add(ATTRIBUTE.addressErrorCode, errorValue(familyByte, code, ''))
  }

  sign(signature: Signature): this {
    return this.add(INTEGRITY[signature.algorithm].type, mac(this.#bytes, this.#length, signature))
  }

  addFingerprint(): this {
    const at = this.#length
    this.addUint32(ATTRIBUTE.fingerprint, 0)
    const crc = (crc32(this.#bytes.subarray(0, at)) ^ FINGERPRINT_XOR) >>> 0
    this.#bytes.writeUInt32BE(crc, at + 4)
    return this
  }

  /** Returns the message; the writer is not to be used again. */
  finish(): Buffer {
    this.#bytes.writeUInt16BE(this.#length - HEADER_BYTES, 2)
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return
    const wider = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length))
    this.#bytes.copy(wider, 0, 0, this.#length)
    this.#bytes = wider
  }
}

function errorValue(first: number, code: number, phrase: string): Buffer {
  return Buffer.concat([Buffer.from([first, 0, Math.trunc(code / 100), code % 100]), Buffer.from(phrase)])
}
