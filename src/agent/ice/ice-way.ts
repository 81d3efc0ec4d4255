/**
 * The way off the relay for programs: ICE finds the pair, DTLS proves the peer and seals the packets, SCTP
 * carries them as datagrams. For agents whose tunnel does not seal its packets itself.
 *
 * SCTP slows down when packets are lost, also on channels that resend nothing: at 1 % of loss and 40 ms it carries
 * a few Mbit/s. WireGuard's packets take the plain socket instead.
 */
import { type Clock, systemClock } from '../../kit/clock.js'
import type { LinkWay, Peer, Way, WayHost } from '../ports.js'
import { IceLink } from './ice-link.js'
import { nodeIce } from './node-peer.js'
import type { OpenIce } from './peer.js'

export interface IceWayOptions {
  readonly clock: Clock
  readonly openIce: OpenIce
}

export class IceWay implements Way {
  readonly via = 'ice'
  readonly #options: IceWayOptions
  readonly #links = new Map<number, IceLink>()

  /** Returns the way, or null when this machine has no build of the library that it needs. */
  static create(): IceWay | null {
    const openIce = nodeIce()
    return openIce === null ? null : new IceWay({ clock: systemClock, openIce })
  }

  constructor(options: IceWayOptions) {
    this.#options = options
  }

  open({ link }: Peer, host: WayHost): LinkWay {
    const known = this.#links.get(link)
    if (known !== undefined) return known
    const opened = new IceLink({ ...this.#options, link, host, closed: () => this.#links.delete(link) })
    this.#links.set(link, opened)
    opened.announce()
    return opened
  }

  networkChanged(): void {
    for (const link of this.#links.values()) link.networkChanged()
  }

  async stop(): Promise<void> {
    for (const link of this.#links.values()) link.close()
  }
}
