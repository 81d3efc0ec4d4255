/**
 * What one client has opened: a relayed address per family, the peers it may hear from, and its channels.
 *
 *   client ──flow──→ allocation ─┬─ relay (IPv4) ──→ peers with a permission (300 s)
 *                                └─ relay (IPv6)     or a channel (600 s)
 *
 * Times are those of the caller's monotonic clock, ms.
 */
import { type Endpoint, endpointText, type Family, familyOf } from '../protocol/address.js'
import type { Flow } from './flow.js'

/** RFC 8656 §9: a permission lapses unless it is asked for again, ms. */
export const PERMISSION_MS = 300_000
/** RFC 8656 §12: so does a channel, ms. */
export const CHANNEL_MS = 600_000
/** A lapsed channel number stays with its peer this long, ms: packets under way must not reach another. */
export const CHANNEL_REST_MS = 300_000
/** Lifetime when the client does not ask for more, and the most it gets, s. */
export const DEFAULT_LIFETIME_S = 600
export const MOST_LIFETIME_S = 3_600
/** Peers of one allocation. */
export const MOST_PERMISSIONS = 64
export const MOST_CHANNELS = 64

export interface Relay {
  /** Names the socket towards the shell. */
  readonly id: number
  readonly family: Family
  /** As clients and peers see it. */
  readonly endpoint: Endpoint
  expiresMs: number
}

export interface Channel {
  readonly number: number
  readonly peer: Endpoint
  expiresMs: number
}

export interface AllocationOptions {
  readonly flow: Flow
  readonly userId: string
  /** Transaction of the request that made it, and the answer to send again when that request comes again. */
  readonly transactionId: string
}

export class Allocation {
  readonly flow: Flow
  readonly userId: string
  readonly transactionId: string
  granted: Buffer = Buffer.alloc(0)
  /** Lifetimes end by then; infinite unless the server drains. */
  leaveByMs = Number.POSITIVE_INFINITY
  readonly relays = new Map<Family, Relay>()
  /** When each peer's permission lapses, by address. */
  readonly #permissions = new Map<string, number>()
  readonly #channels = new Map<number, Channel>()
  readonly #channelOf = new Map<string, Channel>()
  /** The one that was asked for last: packets come in runs. */
  #recent: Channel | undefined

  constructor({ flow, userId, transactionId }: AllocationOptions) {
    this.flow = flow
    this.userId = userId
    this.transactionId = transactionId
  }

  /** Returns the relay that reaches this peer. */
  relayTo(peer: Endpoint): Relay | undefined {
    return this.relays.get(familyOf(peer.address))
  }

  /** Lets these addresses send to the client; false, and nothing changes, when they would be too many. */
  permit(addresses: readonly string[], nowMs: number): boolean {
    const more = new Set(addresses.filter(address => !this.#permissions.has(address)))
    if (this.#permissions.size + more.size > MOST_PERMISSIONS) return false
    for (const address of addresses) this.#permissions.set(address, nowMs + PERMISSION_MS)
    return true
  }

  permits(address: string, nowMs: number): boolean {
    const expiresMs = this.#permissions.get(address)
    return expiresMs !== undefined && expiresMs > nowMs
  }

  /** Binds a channel, or refreshes it. Says so when number or peer belong to another one, or there is no room. */
  bind(number: number, peer: Endpoint, nowMs: number): 'bound' | 'taken' | 'full' {
    const byNumber = this.#channels.get(number)
    const byPeer = this.#channelOf.get(endpointText(peer))
    if (byNumber !== byPeer) return 'taken'
    if (byNumber === undefined && this.#channels.size >= MOST_CHANNELS) return 'full'
    if (!this.permit([peer.address], nowMs)) return 'full'
    const channel = byNumber ?? { number, peer, expiresMs: 0 }
    channel.expiresMs = nowMs + CHANNEL_MS
    this.#channels.set(number, channel)
    this.#channelOf.set(endpointText(peer), channel)
    return 'bound'
  }

  channel(number: number, nowMs: number): Channel | null {
    const channel = this.#channels.get(number)
    return channel !== undefined && channel.expiresMs > nowMs ? channel : null
  }

  channelTo(peer: Endpoint, nowMs: number): Channel | null {
    if (this.#recent?.peer.port !== peer.port || this.#recent.peer.address !== peer.address)
      this.#recent = this.#channelOf.get(endpointText(peer))
    const channel = this.#recent
    return channel !== undefined && channel.expiresMs > nowMs ? channel : null
  }

  /** Forgets permissions and channels that have lapsed. */
  sweep(nowMs: number): void {
    for (const [address, expiresMs] of this.#permissions)
      if (expiresMs <= nowMs) this.#permissions.delete(address)
    for (const channel of this.#channels.values())
      if (channel.expiresMs + CHANNEL_REST_MS <= nowMs) this.#forget(channel)
  }

  /** Forgets every peer that `denies`. */
  withdraw(denies: (address: string) => boolean): void {
    for (const address of this.#permissions.keys()) if (denies(address)) this.#permissions.delete(address)
    for (const channel of this.#channels.values()) if (denies(channel.peer.address)) this.#forget(channel)
  }

  #forget(channel: Channel): void {
    this.#recent = undefined
    this.#channels.delete(channel.number)
    this.#channelOf.delete(endpointText(channel.peer))
  }
}
