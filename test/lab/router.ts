/**
 * Where packets go: segments that switch them to a station, and routers that lead out of a segment.
 *
 *   host ─ LAN ─ router (NAT, firewall) ─ carrier’s segment ─ router (CGN) ─ core ─ host with a public address
 *
 * Only the segment in which a packet finds its station takes time; routers take none.
 */
import { familyOf } from '../../src/protocol/address.js'
import type { Nat, Packet } from './nat.js'

export class Segment {
  readonly #stations = new Map<string, (packet: Packet) => void>()
  readonly #takes: (packet: Packet, arrive: () => void) => void
  /** The way out; null in the core. */
  gateway: ((packet: Packet) => void) | null = null

  /** `takes` calls `arrive` when the packet has crossed the segment, or never. */
  constructor(takes: (packet: Packet, arrive: () => void) => void) {
    this.#takes = takes
  }

  attach(address: string, station: (packet: Packet) => void): void {
    this.#stations.set(address, station)
  }

  detach(address: string): void {
    this.#stations.delete(address)
  }

  /** Carries the packet to its station here, or out; without either it is lost. */
  send(packet: Packet): void {
    if (this.#stations.has(packet.to.address))
      this.#takes(packet, () => this.#stations.get(packet.to.address)?.(packet)) // it may have left meanwhile
    else this.gateway?.(packet)
  }
}

export interface RouterOptions {
  readonly inner: Segment
  readonly outer: Segment
  readonly nat4: Nat
  /** IPv6 is translated by nobody: its addresses are public, behind this firewall. Null: there is none. */
  readonly v6: { readonly firewall: Nat; readonly outer: Segment } | null
  /** Lets no UDP out. */
  readonly blocksUdp: boolean
  /** The router that it stands behind itself. */
  readonly behind: Router | null
}

export class Router {
  readonly inner: Segment
  readonly outer: Segment
  readonly #options: RouterOptions
  blocksUdp: boolean

  constructor(options: RouterOptions) {
    this.#options = options
    this.inner = options.inner
    this.outer = options.outer
    this.blocksUdp = options.blocksUdp
    this.inner.gateway = packet => this.#out(packet)
    if (options.nat4.outside !== null) this.outer.attach(options.nat4.outside, this.#in)
  }

  get carries6(): boolean {
    return this.#options.v6 !== null
  }

  /** The IPv4 address that the world sees what is behind it at. */
  get seenAt(): string {
    return this.#options.behind?.seenAt ?? this.outside
  }

  /** The IPv4 address that it shows outside. */
  get outside(): string {
    return this.#options.nat4.outside ?? ''
  }

  /** Lets packets for this IPv6 address in, as far as the firewall does. */
  announce6(address: string): void {
    this.#options.v6?.outer.attach(address, this.#in)
  }

  withdraw6(address: string): void {
    this.#options.v6?.outer.detach(address)
  }

  /** Lets everybody reach this port of a host inside. */
  forward(port: number, address: string): void {
    this.#options.nat4.forward(port, { address, port })
  }

  /** Gets another address from its provider and has forgotten every mapping. */
  rebind(address: string): void {
    this.outer.detach(this.outside)
    this.#options.nat4.rebind(address)
    this.#options.v6?.firewall.rebind(null)
    this.outer.attach(address, this.#in)
  }

  #out(packet: Packet): void {
    const nat = this.#natFor(packet)
    if (nat === null || this.blocksUdp) return
    const outer = familyOf(packet.to.address) === 4 ? this.outer : this.#options.v6?.outer
    if (packet.to.address !== nat.outside) outer?.send(nat.outbound(packet))
    else if (nat.options.hairpin) this.#in(nat.outbound(packet))
  }

  readonly #in = (packet: Packet): void => {
    const entered = this.blocksUdp ? null : (this.#natFor(packet)?.inbound(packet) ?? null)
    if (entered !== null) this.inner.send(entered)
  }

  #natFor({ to }: Packet): Nat | null {
    return familyOf(to.address) === 4 ? this.#options.nat4 : (this.#options.v6?.firewall ?? null)
  }
}
