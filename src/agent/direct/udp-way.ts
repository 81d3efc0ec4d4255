/**
 * The way off the relay by the agent's own UDP socket: one socket for all links, opened with the first of them. Packets
 * travel as they are, without a header, so only those that protect themselves may.
 *
 *   link ── packet ──▶ UdpLink ──▶ socket, or a TURN server's address ──▶ peer
 *   socket ── STUN ──▶ the link that it names      ── packet ──▶ the link whose peer has that address
 */
import { type Clock, every } from '../../kit/clock.js'
import { type Random, systemRandom } from '../../kit/random.js'
import { type Endpoint, endpointText } from '../../protocol/address.js'
import type { StunMessage } from '../../turn/codec.js'
import { heldClock } from '../held-clock.js'
import type { IceServers, LinkWay, Peer, Way, WayHost } from '../ports.js'
import { type Disbelief, linkAnswered, namedIn } from './checks.js'
import type { DirectSocket } from './direct-socket.js'
import { Gatherer } from './gatherer.js'
import type { Base } from './pair.js'
import { ROUND_MS } from './punch.js'
import { isReachable } from './reach.js'
import { type Resolve, systemResolve } from './servers.js'
import { SharedRelay } from './shared-relay.js'
import { openTurned } from './turned-datagrams.js'
import { UdpLink } from './udp-link.js'

export interface UdpWayOptions {
  /** Shared with whoever else needs to be seen as the same by NATs: the probe. */
  readonly socket: DirectSocket
  readonly clock?: Clock
  readonly random?: Random
  readonly resolve?: Resolve
  /** The socket's fixed port, which a router may forward to it: peers then try it at the router's address. */
  readonly forwardedPort?: number | null
  /** Whether a peer can be there at all. */
  readonly reachable?: (endpoint: Endpoint) => boolean
  /** The socket cannot be had; it is tried again with the next link. */
  readonly failed?: (error: unknown) => void
}

const DEFAULTS = {
  clock: heldClock,
  random: systemRandom,
  resolve: systemResolve,
  forwardedPort: null,
  reachable: isReachable,
  failed: () => {},
}

/** Checks that were not believed, by why: forged, one's own sent back, heard before, or about nothing that is under way. */
export type Doubts = Readonly<Record<Disbelief | 'unexpected', number>>

export class UdpWay implements Way {
  readonly via = 'udp'
  readonly #options: Required<UdpWayOptions>
  readonly #base: Base
  readonly #gatherer: Gatherer
  readonly #relay: SharedRelay
  readonly #links = new Map<number, UdpLink>()
  readonly #doubts: Record<keyof Doubts, number> = { unsigned: 0, reflected: 0, replayed: 0, unexpected: 0 }
  #opening: Promise<void> | null = null
  #deafen: (() => void) | null = null
  #stopTicking: (() => void) | null = null
  #local: readonly string[] = []
  #servers: () => IceServers = () => []

  constructor(options: UdpWayOptions) {
    this.#options = { ...DEFAULTS, ...options }
    const { clock, random, resolve, forwardedPort } = this.#options
    this.#base = { type: 'socket', socket: options.socket }
    this.#gatherer = new Gatherer({
      clock,
      random,
      resolve,
      forwardedPort,
      socket: options.socket,
      changed: () => {
        for (const link of this.#links.values()) link.signal()
      },
    })
    this.#relay = new SharedRelay({
      open: lost =>
        openTurned({ clock, random, resolve, socket: options.socket, servers: () => this.#servers(), lost }),
      heard: base => (message, from) => this.#stun(message, from, base),
    })
  }

  get doubts(): Doubts {
    return this.#doubts
  }

  open({ link }: Peer, host: WayHost): LinkWay {
    const { clock, random, reachable } = this.#options
    const opened: UdpLink = new UdpLink({
      clock,
      random,
      link,
      host,
      base: this.#base,
      candidates: () => this.#gatherer.candidates,
      refresh: () => void this.#gatherer.ask(),
      takeRelay: () => this.#relay.take(),
      reachable,
      doubted: why => void this.#doubts[why]++,
      closed: () => {
        if (this.#links.get(link) === opened) this.#links.delete(link)
        if (this.#links.size === 0) this.#rest()
      },
    })
    this.#links.set(link, opened)
    void this.#openSocket(host).then(() => {
      if (this.#links.get(link) === opened && this.#gatherer.isSettled) opened.signal()
    })
    return opened
  }

  networkChanged(): void {
    const before = this.#local
    this.#local = this.#localTexts()
    if (before.every(each => this.#local.includes(each))) {
      // One more address, or another router: what carries may do so still.
      for (const link of this.#links.values()) link.look()
      void this.#gatherer.ask().then(() => this.#gatherer.review())
      return
    }
    for (const link of this.#links.values()) link.networkChanged()
    this.#gatherer.startAnew()
  }

  async stop(): Promise<void> {
    for (const link of this.#links.values()) link.close()
    this.#rest()
    this.#deafen?.()
    this.#deafen = null
    this.#opening = null
    this.#options.socket.close()
  }

  /** Opens what all links share. Without a socket a link says so when it is asked to try. */
  async #openSocket(host: WayHost): Promise<void> {
    const { socket } = this.#options
    try {
      await (this.#opening ??= socket.open())
    } catch (error) {
      this.#opening = null
      return this.#options.failed(error)
    }
    if (this.#stopTicking !== null || this.#links.size === 0) return
    this.#deafen ??= socket.onStun((message, from) => this.#stun(message, from, this.#base))
    this.#local = this.#localTexts()
    this.#servers = () => host.iceServers()
    this.#gatherer.begin(() => this.#servers())
    this.#stopTicking = every(this.#options.clock, ROUND_MS, () => this.#tick())
  }

  /** No links: nothing is sent. The socket stays, so that what is known of the NAT stays true. */
  #rest(): void {
    this.#stopTicking?.()
    this.#stopTicking = null
    this.#gatherer.stop()
    this.#relay.close()
  }

  #tick(): void {
    const nowMs = this.#options.clock.now()
    for (const link of this.#links.values()) if (link.isAtWork) link.tick(nowMs)
  }

  #stun(message: StunMessage, from: Endpoint, base: Base): boolean {
    const named = namedIn(message)
    const id = named?.link ?? linkAnswered(message)
    const link = id === null ? undefined : this.#links.get(id)
    if (link !== undefined) link.hearStun(message, from, base, named?.attempt ?? null)
    else if (named !== null) this.#doubts.unexpected++
    return link !== undefined || named !== null
  }

  #localTexts(): readonly string[] {
    return this.#options.socket.local().map(endpointText)
  }
}
