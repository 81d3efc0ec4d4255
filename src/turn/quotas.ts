/** How many allocations one identity, one network and all together may hold, those on their way included. */
import { ipBytes } from '../protocol/address.js'
import type { Flow } from './flow.js'
import type { PortRange } from './ports.js'
import type { Refused } from './refused.js'

export interface QuotaLimits {
  readonly perUser: number
  /** Per IPv4 address, and per /64 of IPv6. */
  readonly perAddress: number
  readonly total: number
}

/** One identity may connect by several ways at once, and leaves some behind when its process is killed. */
const PER_USER = 16
/** A household or an office behind one address. */
const PER_ADDRESS = 64
/** Share of the ports that may be in use: beyond it random ones are hard to find. */
const PORT_SHARE = 0.8

/** Returns the quotas of a server whose relays have these ports. */
export const defaultQuotas = ({ first, last }: PortRange): QuotaLimits => ({
  perUser: PER_USER,
  perAddress: PER_ADDRESS,
  total: Math.floor((last - first + 1) * PORT_SHARE),
})

export class Quotas {
  readonly #limits: QuotaLimits
  readonly #users = new Map<string, number>()
  readonly #addresses = new Map<string, number>()
  #total = 0

  constructor(limits: QuotaLimits) {
    this.#limits = limits
  }

  /** Takes a place, or returns which quota is used up. */
  take(userId: string, flow: Flow): Refused | null {
    const address = subscriber(flow.address)
    if (this.#total >= this.#limits.total) return { code: 508, refusal: 'capacity' }
    if ((this.#users.get(userId) ?? 0) >= this.#limits.perUser) return { code: 486, refusal: 'user_quota' }
    if ((this.#addresses.get(address) ?? 0) >= this.#limits.perAddress)
      return { code: 486, refusal: 'address_quota' }
    this.#total++
    add(this.#users, userId, 1)
    add(this.#addresses, address, 1)
    return null
  }

  give(userId: string, flow: Flow): void {
    this.#total--
    add(this.#users, userId, -1)
    add(this.#addresses, subscriber(flow.address), -1)
  }
}

function add(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}

/** One IPv6 subscriber has 2^64 addresses. */
const subscriber = (address: string): string =>
  address.includes(':') ? (ipBytes(address)?.subarray(0, 8).toString('hex') ?? address) : address
