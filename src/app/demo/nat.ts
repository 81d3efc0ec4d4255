/**
 * NATs of all kinds on one machine, by real sockets: a mapping is a socket, so that STUN servers and peers see what they
 * would see of the real thing.
 *
 *   open        one socket, which takes what comes from anyone
 *   cone        one socket for all destinations, which takes what comes from those that it has sent to
 *   symmetric   a socket for each destination, which takes what comes from there
 *   blocked     nothing leaves
 */
import { openDatagrams } from '../../agent/index.js'
import type { Datagrams, OpenDatagrams } from '../../agent/ports.js'
import { type Endpoint, endpointText } from '../../protocol/address.js'
import type { Delay } from './distance.js'

export type NatKind = 'open' | 'cone' | 'symmetric' | 'blocked'

export interface NatOptions {
  readonly kind: NatKind
  /** The outside address: one that this machine has. */
  readonly outside: string
  /** Whether an address is one of the demo's: nothing is sent anywhere else. */
  readonly isHere: (address: string) => boolean
  /** The address behind the NAT, which exists nowhere. */
  readonly inside: string
  /** Holds back what arrives. */
  readonly delay: Delay
}

/** Mappings of a symmetric NAT; the oldest goes first. */
const MAPPINGS_MAX = 64
/** The port behind the NAT: sockets there have what this machine does not. */
const INSIDE_PORT = 41_641

/** Returns what opens sockets behind the NAT. */
export function openBehind(options: NatOptions): OpenDatagrams {
  return async received => {
    const nat = new NatDatagrams(options, received)
    await nat.open()
    return nat
  }
}

type Received = Parameters<OpenDatagrams>[0]

class NatDatagrams implements Datagrams {
  readonly #options: NatOptions
  readonly #received: Received
  /** By destination; with one socket for all of them there is one. */
  readonly #mappings = new Map<string, Promise<Datagrams>>()
  readonly #sentTo = new Set<string>()
  #own: readonly Endpoint[] = []
  #closed = false

  constructor(options: NatOptions, received: Received) {
    this.#options = options
    this.#received = received
  }

  async open(): Promise<void> {
    const { kind, inside } = this.#options
    this.#own = [{ address: inside, port: INSIDE_PORT }]
    if (kind === 'symmetric' || kind === 'blocked') return
    const socket = await this.#mapping('')
    if (kind === 'open') this.#own = socket.local()
  }

  local(): readonly Endpoint[] {
    return this.#own
  }

  send(datagram: Uint8Array, to: Endpoint): void {
    const { kind, isHere } = this.#options
    // Addresses behind NATs are names only: nothing of the demo leaves this machine.
    if (this.#closed || kind === 'blocked' || !isHere(to.address)) return
    const text = endpointText(to)
    this.#sentTo.add(text)
    // The bytes may be reused before the socket is there.
    const kept = Buffer.from(datagram)
    const mapping = this.#mapping(kind === 'symmetric' ? text : '')
    void mapping.then(socket => socket.send(kept, to)).catch(() => {})
  }

  close(): void {
    this.#closed = true
    for (const mapping of this.#mappings.values()) end(mapping)
    this.#mappings.clear()
  }

  #mapping(key: string): Promise<Datagrams> {
    const known = this.#mappings.get(key)
    if (known !== undefined) return known
    const { outside } = this.#options
    const open = openDatagrams({ addresses: () => [outside], bind: { 4: outside, 6: null } })
    const made = open((datagram, from) => this.#hear(key, datagram, from))
    this.#mappings.set(key, made)
    const [oldest] = this.#mappings.keys()
    if (this.#mappings.size > MAPPINGS_MAX && oldest !== undefined) {
      end(this.#mappings.get(oldest))
      this.#mappings.delete(oldest)
    }
    return made
  }

  #hear(key: string, datagram: Uint8Array, { address, port }: Endpoint): void {
    const { kind, delay } = this.#options
    const text = endpointText({ address, port })
    if (kind === 'symmetric' ? text !== key : kind !== 'open' && !this.#sentTo.has(text)) return
    const kept = Buffer.from(datagram)
    delay.after(() => {
      if (!this.#closed) this.#received(kept, { address, port })
    })
  }
}

function end(mapping: Promise<Datagrams> | undefined): void {
  void mapping?.then(socket => socket.close()).catch(() => {})
}
