/**
 * Nonces that need no memory: each carries when it was made, and a MAC over that and the address it was made
 * for. Who asks from an address they do not hold never learns a nonce that works there.
 *
 *   obMatJos2 Q AAA   ttmmmmmmm in base64        the cookie (RFC 8489 §9.2) says that SHA-256 is offered
 *                     ttmmmmmmm in base64        short form, where the answer has to stay small
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Random } from '../kit/random.js'

/** A nonce is taken for this long, ms: a client is asked for a newer one seldom, a stolen one is soon worthless. */
export const NONCE_LIFETIME_MS = 600_000
/** A key makes nonces for this long, ms; the one before still verifies. */
const KEY_LIFETIME_MS = 3_600_000
/** The time in a nonce counts these, ms, in 16 bits: it comes round after six days. */
const TICK_MS = 8_000
const MAC_BYTES = 7
/** Nonce cookie and security features: bit 0, password algorithms. */
const OFFER = `obMatJos2${Buffer.from([0x80, 0, 0]).toString('base64')}`

export class Nonces {
  readonly #random: Random
  #key: Uint8Array
  #previousKey: Uint8Array
  #keySinceMs: number

  constructor(random: Random, nowMs: number) {
    this.#random = random
    this.#key = random.bytes(32)
    this.#previousKey = this.#key
    this.#keySinceMs = nowMs
  }

  /** Returns a nonce for a flow; with `offer` it also says that SHA-256 may be used. */
  make(flow: string, offer: boolean, nowMs: number): string {
    this.#rotate(nowMs)
    const nonce = this.#spell(this.#key, Math.floor(nowMs / TICK_MS) & 0xffff, flow)
    return offer ? OFFER + nonce : nonce
  }

  /** Returns whether the nonce was made for this flow, not too long ago. */
  holds(nonce: string, flow: string, nowMs: number): boolean {
    this.#rotate(nowMs)
    const bare = nonce.startsWith(OFFER) ? nonce.slice(OFFER.length) : nonce
    const bytes = Buffer.from(bare, 'base64')
    if (bytes.length !== 2 + MAC_BYTES) return false
    const tick = bytes.readUInt16BE(0)
    const age = (Math.floor(nowMs / TICK_MS) - tick) & 0xffff
    if (age * TICK_MS >= NONCE_LIFETIME_MS) return false
    return [this.#key, this.#previousKey].some(key => same(bare, this.#spell(key, tick, flow)))
  }

  #rotate(nowMs: number): void {
    if (nowMs - this.#keySinceMs < KEY_LIFETIME_MS) return
    this.#previousKey = this.#key
    this.#key = this.#random.bytes(32)
    this.#keySinceMs = nowMs
  }

  #spell(key: Uint8Array, tick: number, flow: string): string {
    const time = Buffer.from([tick >> 8, tick & 0xff])
    const mac = createHmac('sha256', key).update(time).update(flow).digest().subarray(0, MAC_BYTES)
    return Buffer.concat([time, mac]).toString('base64')
  }
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
