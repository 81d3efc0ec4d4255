/**
 * UDP of the in-memory internet: hosts stand somewhere, with or without routers before them, and open sockets.
 *
 *   net.place('server', { addresses: ['20.0.0.1', '20.0.0.2'] })     in the open
 *   net.place('anna', { nat: ['port'] })                             at home, behind a router of her own
 *   net.place('bert', { nat: ['port', 'sym'] })                      the nearest router first: the last is his carrier’s
 *   const office = net.router({ nat: ['sym'], blocksUdp: true })     shared: hosts behind it have a LAN between them
 *   net.place('carl', { behind: office })
 *   net.place('dora', { nat: ['port'], behind: office })             a router of her own, in somebody else’s network
 *
 * A host that is placed again has moved: its sockets stay open, under other addresses.
 */
import type { Datagrams, OpenDatagrams } from '../../src/agent/ports.js'
import type { Clock } from '../../src/kit/clock.js'
import { pick, type Random } from '../../src/kit/random.js'
import { type Endpoint, familyOf } from '../../src/protocol/address.js'
import { Nat, type NatKind, type NatOptions, NATS, type Packet } from './nat.js'
import { Router, Segment } from './router.js'

/** A NAT by its name, or one that differs from it. */
export type NatSpec = NatKind | (Partial<NatOptions> & { readonly kind: NatKind })

export interface Site {
  /** The routers between here and the core, the nearest first. */
  readonly nat?: readonly NatSpec[]
  /** A router that others stand behind too: without routers of one’s own it is one LAN, else it is the carrier’s. */
  readonly behind?: Router
  /** Whether there is IPv6: public addresses, and behind a router a firewall that lets in only what was asked for. */
  readonly v6?: boolean
  /** Whether the nearest router lets no UDP out. */
  readonly blocksUdp?: boolean
}

export interface Place extends Site {
  /** In the open: these addresses instead of the next free ones. */
  readonly addresses?: readonly string[]
  /** A port that the nearest router forwards to the host, whose agent is told to use it. */
  readonly forwards?: number
}

export interface UdpNetOptions {
  readonly clock: Clock
  readonly random: Random
  /** One way through the core, ms. */
  readonly latencyMs: number
  /** Whether the host is off the net altogether. */
  readonly isOff: (host: string) => boolean
  /** Whether it has stopped reading. */
  readonly isDeaf: (host: string) => boolean
}

export interface UdpSocket {
  send(datagram: Uint8Array, to: Endpoint): void
  close(): void
}

/** One way through a LAN, ms. */
const LAN_MS = 1
const FIRST_LOCAL_PORT = 32_768

interface Host {
  readonly name: string
  segment: Segment
  router: Router | null
  addresses: string[]
  /** Null: the router forwards nothing. */
  forwards: number | null
  readonly sockets: Set<Socket>
}

interface Socket {
  /** null: every address of the host. */
  readonly address: string | null
  readonly port: number
  readonly received: (datagram: Buffer, from: Endpoint) => void
}

export class UdpNet {
  /** Lost of the packets that cross the core, between 0 and 1. */
  loss = 0
  /** Packets of the core are late by up to this, ms; it takes their order. */
  jitterMs = 0
  latencyMs: number
  readonly #clock: Clock
  readonly #random: Random
  readonly #isOff: (host: string) => boolean
  readonly #isDeaf: (host: string) => boolean
  readonly #core: Segment
  readonly #hosts = new Map<string, Host>()
  /** Hosts, and pairs of hosts, between which no UDP passes. */
  readonly #cut = new Set<string>()
  /** Hosts that a LAN has had. */
  readonly #members = new Map<Segment, number>()
  #publics = 0
  #shared = 0

  constructor({ clock, random, latencyMs, isOff, isDeaf }: UdpNetOptions) {
    this.#clock = clock
    this.#random = random
    this.#isOff = isOff
    this.#isDeaf = isDeaf
    this.latencyMs = latencyMs
    this.#core = new Segment((_, arrive) => {
      if (this.#random.float() < this.loss) return
      clock.setTimeout(arrive, this.latencyMs + this.#random.float() * this.jitterMs)
    })
  }

  /** Returns routers in a row, the nearest one: what is behind it is one LAN. */
  router({ nat = ['port'], behind, v6 = false, blocksUdp = false }: Site): Router {
    let outer = behind?.inner ?? this.#core
    let router = behind
    for (let i = nat.length - 1; i >= 0; i--) {
      const { kind, ...other } = specOf(nat[i] as NatSpec) // i is in range
      const options = { ...NATS[kind], ...other }
      const nearest = i === 0
      router = new Router({
        inner: new Segment((_, arrive) => void this.#clock.setTimeout(arrive, LAN_MS)),
        outer,
        nat4: new Nat(this.#clock, this.#random, this.#outsideIn(outer), options),
        v6: v6 && nearest ? { firewall: this.#firewall(), outer: this.#core } : null,
        blocksUdp: nearest && blocksUdp,
        behind: router ?? null,
      })
      outer = router.inner
    }
    if (router === undefined) throw new Error('router: wanted at least one NAT')
    return router
  }

  /** Puts a host where it is from now on. */
  place(name: string, place: Place): void {
    const host = this.#hosts.get(name) ?? this.#newHost(name)
    this.#detach(host)
    const { nat = [], v6 = false, behind } = place
    const hasOwn = nat.length > 0 || (behind === undefined && place.blocksUdp === true)
    host.router = hasOwn ? this.router(place) : (behind ?? null)
    host.segment = host.router?.inner ?? this.#core
    host.addresses = [...(place.addresses ?? this.#addresses(host.router, v6))]
    for (const address of host.addresses) {
      host.segment.attach(address, packet => this.#arrive(host, packet))
      if (familyOf(address) === 6) host.router?.announce6(address)
    }
    host.forwards = place.forwards ?? null
    const [inside] = host.addresses
    if (host.forwards !== null && inside !== undefined) host.router?.forward(host.forwards, inside)
  }

  /** The port that is forwarded to a host; null when there is none. */
  forwardedTo(name: string): number | null {
    return this.#hosts.get(name)?.forwards ?? null
  }

  /** Whether the host was placed. */
  has(name: string): boolean {
    return this.#hosts.has(name)
  }

  /** The IPv4 address that the world sees a host at; null when it has no place. */
  seenAt(name: string): string | null {
    const host = this.#hosts.get(name)
    return host?.router?.seenAt ?? host?.addresses[0] ?? null
  }

  /** Where a host’s sockets are bound. */
  socketsOf(name: string): Endpoint[] {
    const { addresses = [], sockets = [] } = this.#hosts.get(name) ?? {}
    return [...sockets].flatMap(({ port }) => addresses.map(address => ({ address, port })))
  }

  /** The provider gives the host’s nearest router another address; its mappings are gone. */
  rebind(name: string): void {
    const router = this.#hosts.get(name)?.router
    if (router === undefined || router === null) throw new Error(`${name} is not behind a router`)
    router.rebind(this.#outsideIn(router.outer))
  }

  /** Opens the agent’s socket on a host: this port or any free one, every address. */
  datagramsFrom(name: string, wanted: number | null = null): OpenDatagrams {
    return async received => {
      const host = this.#hosts.get(name)
      if (host === undefined) throw new Error(`${name} has no UDP`)
      const { port, ...socket } = this.#open(host, null, wanted ?? this.#freePort(host), received)
      const datagrams: Datagrams = {
        ...socket,
        local: () => host.addresses.map(address => ({ address, port })),
      }
      return datagrams
    }
  }

  /** Opens a socket of a host in the open; null when another has it. */
  listen(
    name: string,
    { address, port }: Endpoint,
    received: (datagram: Buffer, from: Endpoint) => void,
  ): UdpSocket | null {
    const host = this.#hosts.get(name)
    if (host === undefined || !host.addresses.includes(address)) throw new Error(`${name} has no ${address}`)
    for (const socket of host.sockets) if (socket.port === port && socket.address === address) return null
    return this.#open(host, address, port, received)
  }

  /** Closes every socket of a host, as the end of its process does. */
  crash(name: string): void {
    this.#hosts.get(name)?.sockets.clear()
  }

  /** Stops UDP of one host, or between two, without telling anyone; TCP goes on. */
  cut(name: string, other = ''): void {
    this.#cut.add(pairOf(name, other))
  }

  heal(name: string, other = ''): void {
    this.#cut.delete(pairOf(name, other))
  }

  /** Whether no UDP passes between two hosts. */
  isCut(name: string, other: string): boolean {
    return this.#isSilent(name, other) || this.#isSilent(other, name)
  }

  #open(
    host: Host,
    address: string | null,
    port: number,
    received: (datagram: Buffer, from: Endpoint) => void,
  ): UdpSocket & { readonly port: number } {
    const socket: Socket = { address, port, received }
    host.sockets.add(socket)
    return {
      port,
      send: (datagram, to) => {
        if (host.sockets.has(socket)) this.#send(host, socket, datagram, to)
      },
      close: () => void host.sockets.delete(socket),
    }
  }

  #send(host: Host, socket: Socket, datagram: Uint8Array, to: Endpoint): void {
    const address = socket.address ?? host.addresses.find(own => familyOf(own) === familyOf(to.address))
    if (address === undefined || this.#isSilent(host.name, host.name)) return
    host.segment.send({
      from: { address, port: socket.port },
      to,
      bytes: Buffer.from(datagram),
      origin: host.name,
    })
  }

  #arrive(host: Host, { from, to, bytes, origin }: Packet): void {
    if (this.#isDeaf(host.name) || this.#isSilent(host.name, origin)) return
    for (const { address, port, received } of host.sockets) {
      if (port !== to.port || (address !== null && address !== to.address)) continue
      received(bytes, from)
      bytes.fill(0xdd) // the bytes were lent: whoever kept them has nothing
      return
    }
  }

  #isSilent(host: string, origin: string): boolean {
    return this.#isOff(host) || this.#cut.has(pairOf(host, '')) || this.#cut.has(pairOf(host, origin))
  }

  #newHost(name: string): Host {
    const host: Host = {
      name,
      segment: this.#core,
      router: null,
      addresses: [],
      sockets: new Set(),
      forwards: null,
    }
    this.#hosts.set(name, host)
    return host
  }

  #detach(host: Host): void {
    for (const address of host.addresses) {
      host.segment.detach(address)
      if (familyOf(address) === 6) host.router?.withdraw6(address)
    }
  }

  #addresses(router: Router | null, v6: boolean): string[] {
    const four = router === null ? this.#public4() : this.#lan4(router)
    return v6 || router?.carries6 === true ? [four, `2600:${(++this.#publics).toString(16)}::1`] : [four]
  }

  /** Every LAN has the same addresses, as homes do. */
  #lan4({ inner }: Router): string {
    const last = (this.#members.get(inner) ?? 1) + 1
    this.#members.set(inner, last)
    return `192.168.1.${last}`
  }

  #public4(): string {
    const n = ++this.#publics
    return `30.0.${n >> 8}.${n & 0xff}`
  }

  /** Carriers share 100.64.0.0/10 out (RFC 6598). */
  #outsideIn(segment: Segment): string {
    if (segment === this.#core) return this.#public4()
    const n = ++this.#shared
    return `100.64.${n >> 8}.${n & 0xff}`
  }

  #firewall(): Nat {
    return new Nat(this.#clock, this.#random, null, NATS.port)
  }

  #freePort(host: Host): number {
    const taken = new Set([...host.sockets].map(({ port }) => port))
    for (;;) {
      const port = FIRST_LOCAL_PORT + pick(this.#random, 28_000)
      if (!taken.has(port)) return port
    }
  }
}

/** Returns what a NAT is like and how it differs. */
export const specOf = (spec: NatSpec): Partial<NatOptions> & { readonly kind: NatKind } =>
  typeof spec === 'string' ? { kind: spec } : spec

const pairOf = (one: string, other: string): string => [one, other].sort().join(' ')
