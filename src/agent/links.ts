/**
 * The links of this agent. Each is set up in the tunnel, reported `path.ready`, carries packets, and is
 * taken down when the coordinator closes it or no longer lists it. Links outlive the socket: while the
 * agent is away their set-up stays, and packets go on where a way off the relay carries them.
 *
 *   tunnel ── packet ──▶ link ──▶ the first way that carries, else the relay
 *      ▲                                   │
 *      └──────────── deliver ◄─────────────┘
 */
import type { Clock } from '../kit/clock.js'
import type { Wire, WireOf } from '../protocol/messages.js'
import type { Counters } from './counters.js'
import type { Ability } from './identity.js'
import { Link, type LinkMetrics, type Tier } from './link.js'
import { plain } from './plain.js'
import type { IceServers, PathPolicy, Peer, Tunnel, Way, WayHost } from './ports.js'

/** The wire's bound on a reason, UTF-16 units. */
const REASON_MAX = 128

type OwnAddresses = Parameters<Tunnel['addressed']>[0]

export interface LinksOptions {
  readonly clock: Clock
  readonly tunnel: Tunnel
  readonly counters: Counters
  readonly send: (event: Wire) => void
  /** Takes a packet for the other end; false when it was dropped, which is counted there. */
  readonly relay: (link: number, packet: Uint8Array) => boolean
  /** Ways off the relay, best first. */
  readonly ways?: readonly Way[]
  readonly policy?: PathPolicy
  readonly iceServers?: () => IceServers
  readonly events: LinksEvents
}

/** How the coordinator settled a link. */
export type Settled = Omit<WireOf<'path.settled'>, 'type'>

/** What the relay could not carry. */
export type Pressed = Omit<WireOf<'relay.pressure'>, 'type'>

export interface LinksEvents {
  /** This end is set up. */
  opened(link: number, peer: Peer): void
  /** Both ends are set up, or the path has changed: packets travel this way from now on. */
  settled(said: Settled): void
  closed(link: number, peer: Peer, reason: string): void
  /** The relay drops packets of a link: more is sent than it, or the peer, takes. */
  pressed(said: Pressed): void
  /** The tunnel could not do what it was asked to. */
  failed(error: unknown): void
}

export class Links {
  readonly #options: LinksOptions
  /** Those that suit the tunnel. */
  readonly #ways: readonly Way[]
  readonly #links = new Map<number, Link>()
  #own: OwnAddresses | null = null
  /** The tunnel is being given, or has, this identity's addresses; no link is set up before. Null: it must be. */
  #addressing: Promise<void> | null = null
  /** Links that were there when the session came to stand: the coordinator settles a path once. */
  #standing = new Set<number>()
  /** What is being taken down; a link that comes back waits for it. */
  readonly #ending = new Map<number, Promise<void>>()

  constructor(options: LinksOptions) {
    const { ways = [], tunnel } = options
    this.#options = options
    // ICE brings its own encryption; on the others a packet must protect itself.
    this.#ways = ways.filter(({ via }) => via === 'ice' || tunnel.sealed === true)
  }

  /** What this agent can do about leaving the relay. */
  get can(): readonly Ability[] {
    return this.#ways.map(({ via }) => via)
  }

  get size(): number {
    return this.#links.size
  }

  get(link: number): Link | undefined {
    return this.#links.get(link)
  }

  [Symbol.iterator](): IterableIterator<[number, Link]> {
    return this.#links.entries()
  }

  /** Gives the tunnel this identity's addresses, when it does not have them. A failure is tried again with each link. */
  addressed(own: OwnAddresses): void {
    const { overlay4, overlay6, mtu } = this.#own ?? {}
    if (own.overlay4 === overlay4 && own.overlay6 === overlay6 && own.mtu === mtu) return
    this.#own = own
    this.#addressing = null
    this.#address().catch(error => this.#options.events.failed(error))
  }

  /** Hears what the coordinator says about paths; returns false when it is about something else. */
  hear(event: Wire): boolean {
    switch (event.type) {
      case 'path.open': {
        const { type: _, ...peer } = event
        this.#open(peer)
        return true
      }
      case 'path.settled': {
        const { type: _, ...said } = event
        this.#links.get(event.link)?.ways.hear(event)
        this.#settle(said)
        return true
      }
      case 'path.signal':
      case 'path.punch':
      case 'path.reveal':
        this.#links.get(event.link)?.ways.hear(event)
        return true
      case 'path.closed':
        this.#close(event.link, event.reason)
        return true
      case 'relay.pressure':
        this.#options.events.pressed(event)
        return true
      case 'relay.gone':
        // The packets are lost either way, and what happens to the path is said by `path.closed`.
        return true
      default:
        return false
    }
  }

  /** Closes every link that the coordinator does not list. */
  keep(live: readonly number[]): void {
    this.#standing = new Set(live)
    for (const link of this.#links.keys()) {
      if (!this.#standing.has(link)) this.#close(link, 'not listed by the coordinator any more')
    }
  }

  closeAll(reason: string): void {
    for (const link of this.#links.keys()) this.#close(link, reason)
  }

  /** A packet of the peer arrived by the relay; the bytes are only lent. */
  deliver(id: number, packet: Uint8Array): void {
    const link = this.#links.get(id)
    if (link === undefined) this.#options.counters.dropped.no_link++
    else this.#arrived(id, link, packet, 'relayed', null)
  }

  /** Returns how many links had traffic since the last call. */
  countActive(): number {
    let count = 0
    for (const link of this.#links.values()) {
      const { sentBytes, receivedBytes } = link.ways.unseen
      const unseen = sentBytes + receivedBytes
      if (link.active || unseen !== link.activeUnseen) count++
      link.active = false
      link.activeUnseen = unseen
    }
    return count
  }

  /** Returns what is known of a link; null when there is no such link. */
  metrics(id: number): LinkMetrics | null {
    const link = this.#links.get(id)
    if (link === undefined) return null
    return link.metrics(this.#options.clock, this.#options.tunnel.metrics?.(id) ?? null)
  }

  /** Sends one `path.report` for every `of`-th link; which ones is `turn`, so that they do not leave all at once. */
  report(turn: number, of: number): void {
    for (const [id, link] of this.#links) {
      if (!link.ready || id % of !== turn % of) continue
      this.#noteRelayedRtt(id, link)
      const figures = this.metrics(id)
      if (figures !== null) this.#options.send({ type: 'path.report', link: id, ...said(figures) })
    }
  }

  /** The network of this machine has changed. */
  networkChanged(): void {
    for (const way of this.#ways) way.networkChanged()
  }

  /** Closes every link and gives back what the tunnel took. */
  async stop(reason: string): Promise<void> {
    this.closeAll(reason)
    await this.idle()
    for (const way of this.#ways) await way.stop()
    await this.#options.tunnel.stop()
    this.#own = null
  }

  /** Resolves when nothing is being set up or taken down any more. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#ending.values(), ...[...this.#links.values()].map(link => link.work)])
  }

  #open(peer: Peer): void {
    const id = peer.link
    let link = this.#links.get(id)
    if (link === undefined) {
      link = new Link(peer)
      link.work = this.#ending.get(id) ?? link.work
      this.#links.set(id, link)
    }
    link.peer = peer
    link.mayRelay = this.#policyOf(peer) !== 'direct-only'
    const opening = link
    opening.work = opening.work.then(() => this.#setUp(id, opening))
  }

  async #address(): Promise<void> {
    const own = this.#own
    if (own === null) return
    const addressing = (this.#addressing ??= this.#options.tunnel.addressed(own))
    try {
      await addressing
    } catch (error) {
      if (this.#addressing === addressing) this.#addressing = null
      throw error
    }
  }

  /** Never rejects: a link that cannot be set up is closed, and the coordinator is told. */
  async #setUp(id: number, link: Link): Promise<void> {
    const { tunnel, send, events } = this.#options
    if (link.state === 'closed') return
    try {
      await this.#address()
      await tunnel.open(link.peer, packet => this.#sent(id, link, packet))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      events.failed(error)
      send({ type: 'path.closed', link: id, reason: plain(`cannot be set up: ${reason}`, REASON_MAX) })
      this.#close(id, reason)
      return
    }
    // Closed meanwhile: the closing is next in `work` and takes down what was just set up.
    if (this.#links.get(id) !== link) return
    link.ready = true
    // What a way has won is said before: an end that is back and claims nothing has nothing.
    link.ways.keep(this.#waysFor(link.peer), link.peer, way => this.#hostFor(id, link, way))
    const ownPort = tunnel.ownPort ?? null
    send({ type: 'path.ready', link: id, ...(ownPort !== null && { ownPort }) })
    events.opened(id, link.peer)
    if (this.#standing.has(id) && !link.settled) this.#settle({ link: id, tier: 'relayed' })
  }

  #waysFor(peer: Peer): readonly Way[] {
    return this.#policyOf(peer) === 'relay-only' ? [] : this.#ways
  }

  /** The path's policy allows for both ends'; a coordinator that knows of none leaves it to this end's. */
  #policyOf(peer: Peer): PathPolicy {
    const { policy = 'auto' } = this.#options
    return policy === 'relay-only' ? policy : (peer.policy ?? policy)
  }

  #hostFor(id: number, link: Link, way: Way): WayHost {
    const { send, iceServers = () => [] } = this.#options
    return {
      say: send,
      deliver: (packet, tier) => this.#arrived(id, link, packet, tier, way.via),
      policy: this.#policyOf(link.peer),
      iceServers,
      relayedRttMs: () => this.#noteRelayedRtt(id, link),
    }
  }

  /** The tunnel tells its round trip, not by which way: what it says while the relay carries is the relay's. */
  #noteRelayedRtt(id: number, link: Link): number | null {
    if (link.ways.carrier === null) {
      link.relayedRttMs = this.#options.tunnel.metrics?.(id)?.rttMs ?? link.relayedRttMs
    }
    return link.relayedRttMs
  }

  #arrived(id: number, link: Link, packet: Uint8Array, tier: Tier, via: Way['via'] | null): void {
    const { clock, counters, tunnel, events } = this.#options
    if (!link.ready) return void counters.dropped.not_ready++
    if (!link.ways.admits(via)) return void counters.dropped.late++
    link.carried[tier].receivedBytes += packet.length
    link.lastReceivedAtMs = clock.now()
    link.active = true
    try {
      tunnel.deliver(id, packet)
    } catch (error) {
      events.failed(error)
    }
  }

  #sent(id: number, link: Link, packet: Uint8Array): void {
    const { dropped } = this.#options.counters
    if (this.#links.get(id) !== link) return void dropped.no_link++
    const way = link.ways.carrier
    if (way !== null) {
      link.active = true
      link.carried[way.tier ?? 'relayed'].sentBytes += packet.length
      way.send(packet)
      if (way.isInDoubt !== true) return
    }
    if (!link.mayRelay) {
      if (way === null) dropped.not_direct++
    } else if (this.#options.relay(id, packet)) {
      link.active = true
      link.carried.relayed.sentBytes += packet.length
    }
  }

  #settle(said: Settled): void {
    const { link: id, tier, via = null, reason = null } = said
    const link = this.#links.get(id)
    if (link === undefined) return
    link.state = tier
    link.via = via
    link.reason = reason
    this.#options.events.settled(said)
  }

  #close(id: number, reason: string): void {
    const link = this.#links.get(id)
    if (link === undefined) return
    this.#links.delete(id)
    this.#standing.delete(id) // the id may come again, for another path
    link.state = 'closed'
    link.ways.close()
    const ending = link.work
      .then(() => this.#options.tunnel.close(id))
      .catch(error => this.#options.events.failed(error))
      .finally(() => {
        if (this.#ending.get(id) === ending) this.#ending.delete(id)
      })
    this.#ending.set(id, ending)
    this.#options.events.closed(id, link.peer, reason)
  }
}

/** Returns the fields of a report; figures that are not there are left out. */
function said(figures: LinkMetrics): Omit<WireOf<'path.report'>, 'type' | 'link'> {
  const { sentBytes, receivedBytes, rttMs, lastReceivedMs, lossPct } = figures
  const { turnedSentBytes, turnedReceivedBytes, directSentBytes, directReceivedBytes } = figures
  return {
    ...(rttMs === null ? {} : { rttMs }),
    sentBytes,
    receivedBytes,
    ...(lastReceivedMs === null ? {} : { lastReceivedMs }),
    ...(turnedSentBytes + turnedReceivedBytes === 0 ? {} : { turnedSentBytes, turnedReceivedBytes }),
    ...(directSentBytes + directReceivedBytes === 0 ? {} : { directSentBytes, directReceivedBytes }),
    ...(lossPct === null ? {} : { lossPct }),
  }
}
