/**
 * Where a relay may send to. A TURN server stands inside its operator's network, so without a policy every
 * client could reach what only the server can: databases, metadata services, other tunnels.
 *
 *   routed for this client, or excepted? ─→ plain, not IPv4 in IPv6 clothes? ─→ one of ours? ─→ public, or excepted?
 */
import { ipBytes } from '../protocol/address.js'
import { isIn, type Network, networks } from '../protocol/network.js'
import { isDisguised, isPublic } from '../protocol/public-address.js'

export interface PeerPolicyOptions {
  /** Addresses that this host listens on or is known by. */
  readonly own: readonly string[]
  /** Networks to refuse beyond those that are never public: overlays, databases, hosts reached by SSH. */
  readonly denied?: readonly string[]
  /** Networks to allow although they are not public, also without a route: a laboratory, an office. */
  readonly excepted?: readonly string[]
  /** Whether the coordinator has a route that lets this identity reach this address; absent: any public one. */
  readonly routed?: (id: string, address: string) => boolean
}

export type PeerRefusal = 'not_routed' | 'disguised' | 'own' | 'denied' | 'not_public'

export class PeerPolicy {
  readonly #own: readonly Network[]
  readonly #denied: readonly Network[]
  readonly #excepted: readonly Network[]
  readonly #routed: (id: string, address: string) => boolean

  constructor({ own, denied = [], excepted = [], routed = () => true }: PeerPolicyOptions) {
    this.#own = networks(own)
    this.#denied = networks(denied)
    this.#excepted = networks(excepted)
    this.#routed = routed
  }

  /** Returns why `id` may not reach the canonical address, or null when it may. */
  refusal(id: string, address: string): PeerRefusal | null {
    const ip = ipBytes(address)
    if (ip === null) return 'not_public'
    if (!isIn(ip, this.#excepted) && !this.#routed(id, address)) return 'not_routed'
    if (isDisguised(ip)) return 'disguised'
    if (isIn(ip, this.#own)) return 'own'
    if (isIn(ip, this.#denied)) return 'denied'
    return isPublic(ip) || isIn(ip, this.#excepted) ? null : 'not_public'
  }
}
