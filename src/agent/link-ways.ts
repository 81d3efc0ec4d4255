/**
 * The ways off the relay that one link has, best first. A packet takes the first one that carries; when none
 * does, it is for the relay.
 */
import type { LinkWay, PathWord, Peer, Unseen, Way, WayHost } from './ports.js'

interface Open {
  readonly way: Way
  readonly link: LinkWay
}

export class LinkWays {
  #open: readonly Open[] = []

  /** Opens what is wanted, closes what is not any more, and introduces the peer again to what stays. */
  keep(wanted: readonly Way[], peer: Peer, hostFor: (way: Way) => WayHost): void {
    const before = this.#open
    for (const { way, link } of before) if (!wanted.includes(way)) link.close()
    this.#open = wanted.map(way => {
      const known = before.find(each => each.way === way)
      known?.link.introduced(peer)
      return known ?? { way, link: way.open(peer, hostFor(way)) }
    })
  }

  /** The way that packets take now; null for the relay. */
  get carrier(): LinkWay | null {
    for (const { link } of this.#open) if (link.tier !== null) return link
    return null
  }

  /** Round trip, ms, and loss, %, of what carries: WireGuard’s own socket leaves the measuring to the one beneath. */
  get measured(): Pick<LinkWay, 'rttMs' | 'lossPct'> {
    const carrying = this.#open.filter(({ link }) => link.tier !== null)
    const first = (of: 'rttMs' | 'lossPct') =>
      carrying.find(({ link }) => link[of] !== null)?.link[of] ?? null
    return { rttMs: first('rttMs'), lossPct: first('lossPct') }
  }

  /** Whether packets that arrived by `via`, or with null by the relay, may be delivered. */
  admits(via: Way['via'] | null): boolean {
    return this.#open.every(({ way, link }) => way.via === via || link.strayed?.() !== false)
  }

  /** What was carried past this process. */
  get unseen(): Unseen {
    const sum = { sentBytes: 0, receivedBytes: 0, lastReceivedAtMs: null as number | null }
    for (const { unseen } of this.#open.map(({ link }) => link)) {
      sum.sentBytes += unseen?.sentBytes ?? 0
      sum.receivedBytes += unseen?.receivedBytes ?? 0
      sum.lastReceivedAtMs = later(sum.lastReceivedAtMs, unseen?.lastReceivedAtMs ?? null)
    }
    return sum
  }

  /** Passes on what the coordinator says: to the way it is about, else to all. */
  hear(word: PathWord): void {
    for (const { way, link } of this.#open) if (concerns(word, way.via)) link.hear(word)
  }

  close(): void {
    for (const { link } of this.#open) link.close()
    this.#open = []
  }
}

/** Returns the later of two moments; null is never. */
const later = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b)

function concerns(word: PathWord, via: Way['via']): boolean {
  if (word.type === 'path.punch') return word.via === via
  return word.type !== 'path.reveal' || via === 'wireguard'
}
