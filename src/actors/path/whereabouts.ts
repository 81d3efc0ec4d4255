/**
 * Where the ends of a path reach each other's WireGuard. At an address of a machine's own, WireGuard is found at the
 * port where it listens. Behind a NAT its socket has another mapping than the agent's: it is asked to show itself.
 *
 *   the pair that carries ─┬─ host address ──▶ that address, WireGuard's port
 *                          └─ else path.reveal ─▶ handshake initiation ─▶ ear ─▶ the address it came from
 *
 * Only an address at which the checks of that pair were answered counts: an initiation is never answered, so an end
 * could send one in the name of any address, and have the other end's packets go there.
 */
import { type Endpoint, endpointText, readEndpoint } from '../../protocol/address.js'
import type { Ear } from './ear.js'
import { across, type PathCell, type Side } from './path-cell.js'

/** Where an end's WireGuard is, as a candidate that the other end is told. */
export type Found = (side: Side) => string

/**
 * How long WireGuard has to show itself, ms. It repeats an initiation that is not answered after 5 s, and then one
 * that got lost has had its second chance.
 */
export const SHOW_MS = 6_500

export interface WhereaboutsOptions {
  /** null: there is no STUN port of ours to hear on. */
  readonly ear: Ear | null
  /** Where agents send to what the ear hears, `host:port`; null while nobody listens. */
  readonly earAt: () => string | null
}

export class Whereabouts {
  readonly #options: WhereaboutsOptions

  constructor(options: WhereaboutsOptions) {
    this.#options = options
  }

  /** Returns whether it can be found out for both ends. */
  canFind(path: PathCell): boolean {
    return this.#earAt() !== null || path.sides.every(side => plainly(path, side) !== null)
  }

  /** Calls `found` when it is known for both ends, perhaps at once; returns what gives up. */
  find(path: PathCell, found: (at: Found) => void): () => void {
    const known = new Map<Side, string>()
    const listening: (() => void)[] = []
    const giveUp = () => listening.forEach(end => end())
    const learn = (side: Side, at: string) => {
      known.set(side, at)
      if (known.size < path.sides.length) return
      giveUp()
      found(each => known.get(each) as string) // both are known
    }
    const hidden: Side[] = []
    for (const side of path.sides) {
      const at = plainly(path, side)
      if (at === null) hidden.push(side)
      else learn(side, at)
    }
    for (const side of hidden) this.#ask(path, side, listening, at => learn(side, at))
    return giveUp
  }

  #ask(path: PathCell, side: Side, listening: (() => void)[], learn: (at: string) => void): void {
    const { ear } = this.#options
    const endpoint = this.#earAt()
    if (ear === null || endpoint === null) return
    const heard = (mapped: Endpoint) => {
      if (proved(path, side)?.at.address === mapped.address) learn(`srflx ${endpointText(mapped)}`)
    }
    const { end } = side
    const { link } = path
    listening.push(ear.expect(end.identity.publicKey, heard))
    end.line?.tell({
      type: 'path.reveal',
      link,
      publicKey: ear.publicKey,
      endpoint,
      withinMs: SHOW_MS,
    })
  }

  #earAt(): string | null {
    return this.#options.ear === null ? null : this.#options.earAt()
  }
}

/** Returns where the WireGuard of an end is that the other end reaches at an address of its own; else null. */
function plainly(path: PathCell, side: Side): string | null {
  const pair = proved(path, side)
  if (side.ownPort === null || pair?.type !== 'host') return null
  return `host ${endpointText({ ...pair.at, port: side.ownPort })}`
}

/** Returns where the other end reaches this one by the pair that carries; null when it has not said. */
function proved(path: PathCell, side: Side): { readonly type: string; readonly at: Endpoint } | null {
  const [type = '', text = ''] = path.standing?.said.get(across(path, side).end)?.remote?.split(' ') ?? []
  const at = readEndpoint(text)
  return at && { type, at }
}

/** Returns `host:port` of the first of these STUN URIs (RFC 7064); null when there is none. */
export function earAt([uri]: readonly string[]): string | null {
  const [, host, port = '3478'] = /^stun:(\[[^\]]+\]|[^:[\]?]+)(?::(\d+))?$/.exec(uri ?? '') ?? []
  return host === undefined ? null : `${host}:${port}`
}
