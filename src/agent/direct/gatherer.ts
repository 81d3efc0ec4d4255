/**
 * Where this end may be reached: the addresses of this machine, and how the STUN servers see its socket. Kept true:
 * the servers are asked again and again, which also keeps the NAT's mapping alive, and whoever listens hears of
 * every change.
 */
import { type Clock, every } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { type Endpoint, endpointText, type Family, familyOf } from '../../protocol/address.js'
import { TurnClient } from '../../turn/client.js'
import type { IceServers } from '../ports.js'
import type { DirectSocket } from './direct-socket.js'
import { endpointsOf, type Resolve, serversOf } from './servers.js'

export interface GathererOptions {
  readonly clock: Clock
  readonly random: Random
  readonly socket: DirectSocket
  readonly resolve: Resolve
  /** A port that the router may forward to the socket; null: none. */
  readonly forwardedPort: number | null
  /** The candidates are not what they were. */
  readonly changed: () => void
}

/** Below the shortest life of a mapping that RFC 4787 allows for ports in general, with a margin, ms. */
const ASK_EVERY_MS = 20_000
/** A candidate is worth this much waiting before the first word about all of them, ms. */
const PATIENCE_MS = 1_000
/** Nobody answers later than this, ms. */
const ANSWER_MS = 3_000
/** Servers that are asked at once, for each IP version: the first answer counts. */
const ASKED = 2
/** The wire takes no more; TURN may add one. */
const MOST = 15

export class Gatherer {
  readonly #options: GathererOptions
  readonly #mapped = new Map<Family, Endpoint>()
  /** The last word; null before the first. */
  #told: string | null = null
  #servers: () => IceServers = () => []
  #stop: () => void = () => {}
  #asking: Promise<void> | null = null
  /** Ends what is waited for. */
  readonly #ends = new Set<() => void>()
  #begun = false

  constructor(options: GathererOptions) {
    this.#options = options
  }

  /** As `path.signal` spells them, the most direct first. */
  get candidates(): readonly string[] {
    const local = this.#options.socket.local().map(endpointText)
    const seen = [...this.#mapped.values()]
    const mapped = [...seen, ...this.#forwarded(seen)].map(endpointText).filter(each => !local.includes(each))
    return [...local.map(each => `host ${each}`), ...mapped.map(each => `srflx ${each}`)].slice(0, MOST)
  }

  /** Where a router that forwards the port lets peers in, whatever port it gives to what leaves. IPv6 needs none. */
  #forwarded(seen: readonly Endpoint[]): Endpoint[] {
    const port = this.#options.forwardedPort
    if (port === null) return []
    return seen
      .filter(each => familyOf(each.address) === 4 && each.port !== port)
      .map(({ address }) => ({ address, port }))
  }

  /** Whether `changed` was called: answers are waited for before the first word. */
  get isSettled(): boolean {
    return this.#told !== null
  }

  /** Asks now, and again and again, the servers that are known then. */
  begin(servers: () => IceServers): void {
    if (this.#begun) return
    this.#begun = true
    this.#servers = servers
    this.#stop = every(this.#options.clock, ASK_EVERY_MS, () => void this.ask())
    void this.#patiently(this.ask()).then(() => this.#begun && this.#tell())
  }

  /** Asks the servers, unless they are being asked; resolves when all have answered, or will not. */
  ask(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null
    })
    return this.#asking
  }

  /** Tells what has changed, if anything has. */
  review(): void {
    if (this.isSettled) this.#tell()
  }

  /** The network is another one: what was learned is of no use. Tells what is left, and asks. */
  startAnew(): void {
    this.#mapped.clear()
    if (!this.#begun) return
    this.#told = null
    void this.#patiently(this.ask()).then(() => this.#begun && this.#tell())
  }

  stop(): void {
    this.#stop()
    for (const end of this.#ends) end()
    this.#begun = false
    this.#told = null
    this.#mapped.clear()
  }

  async #ask(): Promise<void> {
    const { resolve } = this.#options
    const servers = serversOf(this.#servers(), 'stun')
    const found = await Promise.all(servers.map(server => endpointsOf(server, resolve)))
    const distinct = new Map(found.flat().map(each => [endpointText(each), each]))
    const local = this.#options.socket.local()
    await Promise.all(
      ([4, 6] as const)
        .filter(family => local.some(({ address }) => familyOf(address) === family))
        .map(family => {
          const all = [...distinct.values()].filter(({ address }) => familyOf(address) === family)
          return this.#askFor(family, all.slice(0, ASKED))
        }),
    )
  }

  async #askFor(family: Family, servers: readonly Endpoint[]): Promise<void> {
    const mapped = await Promise.any(servers.map(server => this.#binding(server))).catch(() => null)
    if (mapped === null || !this.#begun) return
    const before = this.#mapped.get(family)
    this.#mapped.set(family, mapped)
    if (before === undefined || endpointText(before) !== endpointText(mapped)) this.review()
  }

  async #binding(server: Endpoint): Promise<Endpoint> {
    const { clock, random, socket } = this.#options
    const client = new TurnClient({ clock, random, send: bytes => socket.send(bytes, server) })
    const deafen = socket.onStun(message => client.received(message.bytes))
    const late = this.#after(ANSWER_MS, () => client.close())
    try {
      return await client.binding()
    } finally {
      late()
      deafen()
    }
  }

  /** Resolves with `work`, or when it takes too long. */
  #patiently(work: Promise<void>): Promise<void> {
    return new Promise(resolve => {
      const late = this.#after(PATIENCE_MS, resolve)
      void work.then(late).then(resolve)
    })
  }

  /** Runs `end` after so long, or when the gatherer stops; returns what takes that back. */
  #after(ms: number, end: () => void): () => void {
    const { clock } = this.#options
    const timer = clock.setTimeout(() => run(), ms)
    const cancel = () => {
      clock.clearTimeout(timer)
      this.#ends.delete(run)
    }
    const run = () => {
      cancel()
      end()
    }
    this.#ends.add(run)
    return cancel
  }

  /** Only what differs from the last word is told. */
  #tell(): void {
    const now = this.candidates.join()
    if (now === this.#told) return
    this.#told = now
    this.#options.changed()
  }
}
