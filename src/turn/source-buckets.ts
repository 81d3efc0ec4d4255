/**
 * How many answers a network may draw before it has proved anything. A spoofed source costs no memory: the
 * networks share a fixed table, by a hash that nobody outside knows.
 */
import type { Random } from '../kit/random.js'
import { ipBytes } from '../protocol/address.js'

/** Two networks that meet in one slot share its allowance; with this many that is rare. */
const SLOTS = 1 << 16
/** One customer's share: /24 of IPv4, /56 of IPv6, in bytes. */
const V4_BYTES = 3
const V6_BYTES = 7

export class SourceBuckets {
  readonly #perMs: number
  readonly #burst: number
  readonly #salt: number
  readonly #tokens: Float64Array
  readonly #atMs: Float64Array

  /** Each network draws `perSecond` answers steadily, and two seconds' worth at once. */
  constructor(perSecond: number, random: Random, nowMs: number) {
    this.#perMs = perSecond / 1000
    this.#burst = 2 * perSecond
    this.#salt = Buffer.from(random.bytes(4)).readUInt32BE(0)
    this.#tokens = new Float64Array(SLOTS).fill(this.#burst)
    this.#atMs = new Float64Array(SLOTS).fill(nowMs)
  }

  /** Takes one answer from the allowance of the address's network; false when there is none. */
  take(address: string, nowMs: number): boolean {
    const slot = this.#slotOf(address)
    const idleMs = nowMs - (this.#atMs[slot] as number) // slot is inside, here and below
    const tokens = Math.min(this.#burst, (this.#tokens[slot] as number) + idleMs * this.#perMs)
    this.#atMs[slot] = nowMs
    this.#tokens[slot] = tokens < 1 ? tokens : tokens - 1
    return tokens >= 1
  }

  /** FNV-1a over the network, begun with the salt. */
  #slotOf(address: string): number {
    const ip = ipBytes(address) ?? Buffer.alloc(4)
    let hash = this.#salt
    const length = ip.length === 4 ? V4_BYTES : V6_BYTES
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (ip[i] as number), 0x01000193) // i is inside
    return ((hash >>> 16) ^ hash) & (SLOTS - 1)
  }
}
