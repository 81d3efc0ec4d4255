/**
 * A NAT by the words of RFC 4787: how it maps, how it filters, and for how long; one for each router and family.
 * Without an outside address it translates nothing and is what stands before IPv6: a firewall that lets in only
 * what was asked for.
 *
 *   inside  ─ outbound ─→  source becomes the mapping’s outside endpoint; the destination may answer from now on
 *   inside  ←─ inbound ─   only to a live mapping, and only from whom its filter knows
 */
import type { Clock } from '../../src/kit/clock.js'
import { pick, type Random } from '../../src/kit/random.js'
import { type Endpoint, endpointText } from '../../src/protocol/address.js'

/** What a mapping, or its filter, depends on; the words of `nat.classified`. */
export type Dependence = 'endpoint_independent' | 'address_dependent' | 'address_and_port_dependent'

export interface NatOptions {
  readonly mapping: Dependence
  readonly filtering: Dependence
  /** Whether the outside port is the inside one while nobody else has it. */
  readonly preservesPort: boolean
  /** Whether those inside reach each other by their outside endpoints. */
  readonly hairpin: boolean
  /** How long a mapping lives without packets, and a filter’s memory of a peer, ms. */
  readonly lifetimeMs: number
}

export type NatKind = 'full' | 'addr' | 'port' | 'adm' | 'sym'

export interface Packet {
  readonly from: Endpoint
  readonly to: Endpoint
  readonly bytes: Buffer
  /** The host that sent it, whatever its source address says now. */
  readonly origin: string
}

/** Two minutes: the least that RFC 4787 REQ-5 allows, and what most routers do. */
const LIFETIME_MS = 120_000
const FIRST_PORT = 20_000
const PORTS = 40_000

const EIM = {
  mapping: 'endpoint_independent',
  preservesPort: true,
  hairpin: false,
  lifetimeMs: LIFETIME_MS,
} as const

/** The NATs that people have names for. */
export const NATS: Readonly<Record<NatKind, NatOptions>> = {
  full: { ...EIM, filtering: 'endpoint_independent' },
  addr: { ...EIM, filtering: 'address_dependent' },
  port: { ...EIM, filtering: 'address_and_port_dependent' },
  adm: { ...EIM, mapping: 'address_dependent', filtering: 'address_dependent', preservesPort: false },
  sym: {
    ...EIM,
    mapping: 'address_and_port_dependent',
    filtering: 'address_and_port_dependent',
    preservesPort: false,
  },
}

interface Mapping {
  readonly key: string
  readonly inside: Endpoint
  readonly outside: Endpoint
  /** Who was written to, as the filter tells them apart, and when a packet last passed. */
  readonly peers: Map<string, number>
  usedMs: number
}

export class Nat {
  readonly options: NatOptions
  readonly #clock: Clock
  readonly #random: Random
  #outside: string | null
  /** Outside ports that lead to a host inside, whoever knocks. */
  readonly #forwards = new Map<number, Endpoint>()
  readonly #byInside = new Map<string, Mapping>()
  readonly #byOutside = new Map<string, Mapping>()

  /** `outside` null: addresses stay as they are. */
  constructor(clock: Clock, random: Random, outside: string | null, options: NatOptions) {
    this.#clock = clock
    this.#random = random
    this.#outside = outside
    this.options = options
  }

  get outside(): string | null {
    return this.#outside
  }

  /** Forgets everything, as a restart does; what is sent from now on leaves from this address. */
  rebind(outside: string | null): void {
    this.#outside = outside
    this.#byInside.clear()
    this.#byOutside.clear()
  }

  /** Returns the packet as it leaves. */
  outbound(packet: Packet): Packet {
    const { mapping, filtering } = this.options
    const key = `${endpointText(packet.from)} ${seenBy(mapping, packet.to)}`
    const found = this.#live(this.#byInside.get(key)) ?? this.#open(key, packet.from)
    found.usedMs = this.#clock.now()
    found.peers.set(seenBy(filtering, packet.to), this.#clock.now())
    return { ...packet, from: found.outside }
  }

  /** Returns the packet as it enters; null when nobody inside is to have it. */
  inbound(packet: Packet): Packet | null {
    const forward = this.#forwards.get(packet.to.port)
    if (forward !== undefined) return this.#letIn(packet, forward)
    const found = this.#live(this.#byOutside.get(endpointText(packet.to)))
    if (found === undefined) return null
    const peer = seenBy(this.options.filtering, packet.from)
    const heardMs = found.peers.get(peer)
    const nowMs = this.#clock.now()
    if (heardMs === undefined ? peer !== ANYONE : nowMs - heardMs >= this.options.lifetimeMs) return null
    found.usedMs = nowMs
    found.peers.set(peer, nowMs)
    return { ...packet, to: found.inside }
  }

  forward(port: number, inside: Endpoint): void {
    this.#forwards.set(port, inside)
  }

  /** Answers leave from the forwarded port, as long as nothing was sent to this peer before from another. */
  #letIn(packet: Packet, inside: Endpoint): Packet | null {
    const key = `${endpointText(inside)} ${seenBy(this.options.mapping, packet.from)}`
    const known = this.#live(this.#byInside.get(key))
    if (known !== undefined && known.outside.port !== packet.to.port) return null
    this.#byInside.set(key, {
      key,
      inside,
      outside: packet.to,
      peers: new Map(),
      usedMs: this.#clock.now(),
    })
    return { ...packet, to: inside }
  }

  #open(key: string, inside: Endpoint): Mapping {
    const outside =
      this.#outside === null
        ? inside
        : { address: this.#outside, port: this.#port(inside.port, this.#outside) }
    const mapping: Mapping = { key, inside, outside, peers: new Map(), usedMs: this.#clock.now() }
    this.#byInside.set(key, mapping)
    this.#byOutside.set(endpointText(outside), mapping)
    return mapping
  }

  /** Returns the mapping unless it has lapsed, in which case it is gone. */
  #live(mapping: Mapping | undefined): Mapping | undefined {
    if (mapping === undefined || this.#clock.now() - mapping.usedMs < this.options.lifetimeMs) return mapping
    this.#byInside.delete(mapping.key)
    this.#byOutside.delete(endpointText(mapping.outside))
    return undefined
  }

  #port(wanted: number, address: string): number {
    let port = this.options.preservesPort ? wanted : this.#anyPort()
    while (this.#live(this.#byOutside.get(endpointText({ address, port }))) !== undefined)
      port = this.#anyPort()
    return port
  }

  #anyPort(): number {
    return FIRST_PORT + pick(this.#random, PORTS)
  }
}

const ANYONE = '*'

/** Returns what somebody who depends on so much of an endpoint tells it by. */
function seenBy(dependence: Dependence, endpoint: Endpoint): string {
  if (dependence === 'endpoint_independent') return ANYONE
  return dependence === 'address_dependent' ? endpoint.address : endpointText(endpoint)
}
