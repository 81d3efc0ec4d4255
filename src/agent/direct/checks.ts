/**
 * The checks of an attempt on the wire: Binding requests and answers as ICE has them (RFC 8445 §7), signed with
 * the key that the coordinator gave to both ends.
 *
 *   request   USERNAME link:attempt · ICE-CONTROLLING or ICE-CONTROLLED · USE-CANDIDATE? · integrity · fingerprint
 *   answer    XOR-MAPPED-ADDRESS · integrity · fingerprint
 *
 * Both ends hold the same key, so a request says which end made it: one's own, sent back, proves nothing.
 *
 *   transaction id   count, 4 bytes · link, 4 bytes · random, 4 bytes
 *
 * The count tells a request that comes again, without a list of all; the link tells whom an answer is for.
 */
import type { Random } from '../../kit/random.js'
import type { Endpoint } from '../../protocol/address.js'
import { ATTRIBUTE, METHOD, readAddress } from '../../turn/attributes.js'
import { type StunMessage, valueOf } from '../../turn/codec.js'
import { hasSignature, type Signature } from '../../turn/integrity.js'
import { MessageWriter } from '../../turn/writer.js'
import { ReplayWindow } from './replay-window.js'

/** RFC 8445 §16.1. */
const USE_CANDIDATE = 0x0025
const ICE_CONTROLLED = 0x8029
const ICE_CONTROLLING = 0x802a
const NOTHING = Buffer.alloc(0)

/** Why a check was not believed. */
export type Disbelief = 'unsigned' | 'reflected' | 'replayed'

export interface ChecksOptions {
  readonly link: number
  readonly attempt: number
  readonly key: Uint8Array
  readonly controlling: boolean
  readonly random: Random
}

export class Checks {
  readonly #link: number
  readonly #username: string
  readonly #signature: Signature
  readonly #own: number
  readonly #theirs: number
  readonly #tieBreaker: Buffer
  readonly #random: Random
  readonly #seen = new ReplayWindow()
  #count = 0

  constructor({ link, attempt, key, controlling, random }: ChecksOptions) {
    this.#link = link
    this.#username = `${link}:${attempt}`
    this.#signature = { algorithm: 'sha256', key }
    this.#own = controlling ? ICE_CONTROLLING : ICE_CONTROLLED
    this.#theirs = controlling ? ICE_CONTROLLED : ICE_CONTROLLING
    this.#tieBreaker = Buffer.from(random.bytes(8))
    this.#random = random
  }

  /** Returns a new request and its transaction id as hex. */
  request(nominates: boolean): { readonly id: string; readonly bytes: Buffer } {
    const id = Buffer.alloc(12)
    id.writeUInt32BE(++this.#count >>> 0, 0)
    id.writeUInt32BE(this.#link, 4)
    id.set(this.#random.bytes(4), 8)
    const writer = new MessageWriter('request', METHOD.binding, id)
    writer.addText(ATTRIBUTE.username, this.#username).add(this.#own, this.#tieBreaker)
    if (nominates) writer.add(USE_CANDIDATE, NOTHING)
    return { id: id.toString('hex'), bytes: this.#finish(writer) }
  }

  /** Returns the answer to a request that was believed; `from` is where it came from. */
  answer(request: StunMessage, from: Endpoint): Buffer {
    const writer = new MessageWriter('success', METHOD.binding, request.transactionId)
    return this.#finish(writer.addXorAddress(ATTRIBUTE.xorMappedAddress, from))
  }

  /** Returns why a request is not believed, or what it says. A request is believed once. */
  read(request: StunMessage): { readonly nominates: boolean } | Disbelief {
    if (!this.#isSigned(request)) return 'unsigned'
    if (valueOf(request, this.#theirs) === undefined) return 'reflected'
    if (!this.#seen.take(request.transactionId.readUInt32BE(0))) return 'replayed'
    return { nominates: valueOf(request, USE_CANDIDATE) !== undefined }
  }

  /** Returns how the peer sees this end; null when the answer is not the peer's. */
  readAnswer(answer: StunMessage): Endpoint | null {
    if (!this.#isSigned(answer)) return null
    return readAddress(valueOf(answer, ATTRIBUTE.xorMappedAddress), answer.transactionId)
  }

  #isSigned(message: StunMessage): boolean {
    return message.attributes.at(-1)?.type === ATTRIBUTE.fingerprint && hasSignature(message, this.#signature)
  }

  #finish(writer: MessageWriter): Buffer {
    return writer.sign(this.#signature).addFingerprint().finish()
  }
}

/** Returns which link and attempt a check names; null when the message is none. */
export function namedIn(message: StunMessage): { readonly link: number; readonly attempt: number } | null {
  if (message.class !== 'request' || message.method !== METHOD.binding) return null
  const text = valueOf(message, ATTRIBUTE.username)?.toString('latin1') ?? ''
  const [, link, attempt] = /^(\d{1,10}):(\d{1,10})$/.exec(text) ?? []
  return link === undefined ? null : { link: Number(link), attempt: Number(attempt) }
}

/** Returns which link an answer is for, if it answers a check at all. */
export const linkAnswered = (message: StunMessage): number | null =>
  message.class === 'success' || message.class === 'error' ? message.transactionId.readUInt32BE(4) : null
