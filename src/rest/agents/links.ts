/**
 * The links of an agent that speaks HTTP: whom its WireGuard has for peers, and where it may be reached itself. Setting
 * WireGuard up is the agent's own affair, so this end of a link is ready at once.
 */
import type { LinkId } from '../../actors/ports.js'
import type { Clock } from '../../kit/clock.js'
import type { Wire, WireOf } from '../../protocol/messages.js'
import { Bell } from './bell.js'

export interface OpenLink
  extends Pick<WireOf<'path.open'>, 'link' | 'routeId' | 'peerId' | 'peerKey' | 'allowedIps' | 'keepaliveS'> {
  /** Where the other end says it may be reached, as on the wire. */
  readonly candidates: readonly string[]
}

export class Links {
  readonly #links = new Map<LinkId, OpenLink>()
  readonly #say: (event: Wire) => void
  readonly #bell: Bell
  #changes = 0
  #place: string | null = null
  #revision = 0

  constructor(clock: Clock, say: (event: Wire) => void) {
    this.#say = say
    this.#bell = new Bell(clock)
  }

  /** How often anything of it has changed. */
  get changes(): number {
    return this.#changes
  }

  [Symbol.iterator](): IterableIterator<OpenLink> {
    return this.#links.values()
  }

  at(link: LinkId): OpenLink | undefined {
    return this.#links.get(link)
  }

  /** Returns the newest link to a peer: while a route moves there may be two. */
  to(peerId: string): OpenLink | undefined {
    return [...this.#links.values()].findLast(link => link.peerId === peerId)
  }

  /** Resolves when something changes, or after so many ms. */
  changed(withinMs: number): Promise<void> {
    return this.#bell.rung(withinMs)
  }

  /** Lets go of whoever waits. */
  close(): void {
    this.#bell.ring()
  }

  /** Tells the other ends where the agent's WireGuard is, `address:port`; null: nowhere any more. */
  standAt(place: string | null): void {
    this.#place = place
    this.#revision++
    for (const link of this.#links.keys()) this.#signal(link)
  }

  /** This end cannot serve the link. */
  decline(link: LinkId, reason: string): void {
    if (this.#links.delete(link)) this.#say({ type: 'path.closed', link, reason })
  }

  hear(event: Wire): void {
    if (event.type === 'path.open') this.#open(event)
    else if (event.type === 'path.closed') this.#links.delete(event.link)
    else if (event.type === 'path.signal') {
      const link = this.#links.get(event.link)
      if (link !== undefined) this.#links.set(event.link, { ...link, candidates: event.candidates })
    } else return
    this.#changes++
    this.#bell.ring()
  }

  #open({ link, routeId, peerId, peerKey, allowedIps, keepaliveS }: WireOf<'path.open'>): void {
    const candidates = this.#links.get(link)?.candidates ?? []
    this.#links.set(link, { link, routeId, peerId, peerKey, allowedIps, keepaliveS, candidates })
    this.#say({ type: 'path.ready', link })
    if (this.#place !== null) this.#signal(link)
  }

  #signal(link: LinkId): void {
    const candidates = this.#place === null ? [] : [`srflx ${this.#place}`]
    this.#say({ type: 'path.signal', link, revision: this.#revision, candidates })
  }
}
