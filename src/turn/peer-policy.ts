/**
 * Where a relay may send to. A TURN server stands inside its operator's network, so without a policy every
 * client could reach what only the server can: databases, metadata services, other tunnels.
 *
 *   routed for this client, or excepted? ─→ plain, not IPv4 in IPv6 clothes? ─→ one of ours? ─→ public, or excepted?
 */
import { ipBytes } from '../protocol/address.js'
import { isIn, type Network, network, networks } from './network.js'

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

/** Returns whether an IPv6 address stands for an IPv4 one: a peer is named by the address it has. */
const isDisguised = (ip: Buffer): boolean =>
  ip.length === 16 && (isIn(ip, DISGUISES) || (ip.readUInt32BE(8) & ~ISATAP_GLOBAL) === ISATAP)

const isPublic = (ip: Buffer): boolean =>
  ip.length === 4 ? !isIn(ip, SPECIAL_V4) : isIn(ip, GLOBAL_V6) && !isIn(ip, SPECIAL_V6)

/** The third word of an ISATAP address (RFC 5214), but for its bit that says "globally unique". */
const ISATAP = 0x00005efe
const ISATAP_GLOBAL = 0x02000000

const DISGUISES = networks([
  '::ffff:0:0/96', // mapped
  '::ffff:0:0:0/96', // translated (RFC 2765)
  '64:ff9b::/96', // NAT64
  '64:ff9b:1::/48', // NAT64, local
  '2001::/32', // Teredo
  '2002::/16', // 6to4
])

/** RFC 6890 and its registry: not to be forwarded, or not unicast. */
const SPECIAL_V4 = networks([
  '0.0.0.0/8', // this network
  '10.0.0.0/8',
  '100.64.0.0/10', // shared by carriers
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local, and cloud metadata
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24', // documentation, as the two below
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
])

/** All of IPv6 that is given out; what is not in it (::, ::1, v4-compatible, fc00::/7, fe80::/10, ff00::/8) is refused. */
const GLOBAL_V6 = [network('2000::/3')]
const SPECIAL_V6 = networks([
  '2001::/23', // protocol assignments
  '2001:db8::/32', // documentation, as the one below
  '3fff::/20',
])
