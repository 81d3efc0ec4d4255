/**
 * A small internet of network namespaces in which hosts live behind real NATs.
 *
 *              203.0.113.10, .11
 *                   server
 *                     │
 *   198.51.100.11 ── core ── 198.51.100.12         a routed core: one cable to each public address,
 *        │                        │                nothing in between, so that a host can be cut off,
 *   router-a 1..n             client               moved, and found at one place
 *        │ 192.168.1.0/24    (no router)
 *      node
 *
 * Everything is inside namespaces that the lab makes, and goes with it.
 */
import type { Test } from 'tap'
import { COORDINATOR, type Namespace, Spaces } from './namespaces.js'
import { natRules } from './nat-rules.js'
import { readSpecs, type HostSpec, type Nat } from './nat-spec.js'

/** Two addresses, so that a STUN server can tell how a NAT treats each. */
export const SERVER = [COORDINATOR, '203.0.113.11'] as const
export const SERVER6 = '2001:db8:10::10'
/** The core's own address on all of its cables. */
const GATEWAY = '192.0.2.1'

/** A host of a lab. */
export interface LabHost {
  readonly name: string
  /** What it lives behind, as it was written. */
  readonly text: string
  readonly space: Namespace
  readonly address: string
  /** Where its cable can be cut: the next machine, and the device there. */
  readonly uplink: { readonly space: Namespace; readonly device: string }
  /** What is known of its site: all hosts of a LAN share it. */
  readonly site: Site
}

interface Site {
  readonly number: number
  /** The router at the public end, or the host itself. */
  readonly outermost: Namespace
  publicAddress: string
  readonly prefix6: string
  /** The device of the core that leads there. */
  readonly device: string
  /** Routers, the nearest to the hosts first. */
  readonly routers: readonly Router[]
  hosts: number
}

interface Router {
  readonly space: Namespace
  readonly nat: Nat
  /** First three numbers of the addresses behind it. */
  readonly lan: string
}

/** What a cut takes away: everything, a protocol, or the way to and from another host of the lab. */
export type Cut = 'all' | 'udp' | 'tcp' | { readonly peer: string }

export class NatLab {
  readonly #spaces = new Spaces()
  readonly #hosts = new Map<string, LabHost>()
  /** Whether it has IPv6 beside IPv4. */
  readonly dual: boolean
  #core!: Namespace
  #server!: Namespace

  private constructor(dual: boolean) {
    this.dual = dual
  }

  /** Makes the lab that `line` describes, see nat-spec.ts. Whoever made it removes it. */
  static async make(line: string): Promise<NatLab> {
    const specs = readSpecs(line)
    const lab = new NatLab(specs.some(each => each.v6))
    try {
      await lab.#build(specs)
      return lab
    } catch (error) {
      await lab.remove()
      throw error
    }
  }

  /** Makes a lab that goes with the test. */
  static async forTest(t: Test, line: string): Promise<NatLab> {
    const lab = await NatLab.make(line)
    t.teardown(() => lab.remove())
    return lab
  }

  get server(): Namespace {
    return this.#server
  }

  get hosts(): readonly LabHost[] {
    return [...this.#hosts.values()]
  }

  host(name: string): LabHost {
    const host = this.#hosts.get(name)
    if (host === undefined)
      throw new Error(`wanted one of ${[...this.#hosts.keys()].join(', ')}, not ${name}`)
    return host
  }

  /** Returns an interface name that is unique on this machine. */
  iface(): string {
    return this.#spaces.iface()
  }

  /**
   * Makes a silent black hole on the cable of a host, in place of the cut before. The packets vanish at the next
   * machine, as in a network that fails: dropped at home, the sender would be told.
   */
  async cut(name: string, what: Cut = 'all'): Promise<void> {
    await this.heal(name)
    const { site, uplink } = this.host(name)
    const outside = { space: this.#core, device: site.device }
    // A peer shows its public address, so its packets are told apart outside the NAT.
    const { space, device } = typeof what === 'object' ? outside : uplink
    const drop = (side: 'saddr' | 'daddr') =>
      typeof what === 'object' ? dropPeer(this.host(what.peer).site, side) : `meta ${PACKETS[what]} drop`
    await nft(
      space,
      `table netdev cut-${name} {
        chain from { type filter hook ingress device ${device} priority 0; ${drop('daddr')}; }
        chain to { type filter hook egress device ${device} priority 0; ${drop('saddr')}; }
      }`,
    )
  }

  /** Ends the cut of a host. */
  async heal(name: string): Promise<void> {
    const table = `table netdev cut-${name}`
    for (const space of new Set([this.host(name).uplink.space, this.#core]))
      await nft(space, `${table}; delete ${table}`)
  }

  /**
   * Gives the outermost router of a host another public address, and returns it. The router forgets its flows, as
   * masquerade does when its address goes; with `remap` the old ones go on into nowhere until they lapse.
   */
  async rebind(name: string): Promise<string> {
    const { site } = this.host(name)
    const router = site.routers.at(-1)
    if (router === undefined) throw new Error(`${name}: wanted a host behind a router`)
    const before = site.publicAddress
    const last = Number(before.split('.')[3])
    site.publicAddress = `198.51.100.${last > 100 ? last - 100 : last + 100}`
    await this.#core.script(
      `ip route del ${before} dev ${site.device}`,
      `ip route add ${site.publicAddress} dev ${site.device}`,
    )
    await site.outermost.script(
      `ip address del ${before}/32 dev wan0`,
      `ip address add ${site.publicAddress}/32 dev wan0`,
      `ip route replace default via ${GATEWAY} dev wan0 onlink`,
    )
    return site.publicAddress
  }

  /** Returns the CPU time that the programs running in it have used so far, ms. */
  cpuMs(): Promise<number> {
    return this.#spaces.cpuMs()
  }

  async remove(): Promise<void> {
    await this.#spaces.remove()
  }

  async #build(specs: readonly HostSpec[]): Promise<void> {
    this.#core = await this.#space('core', true)
    this.#server = await this.#space('server', false)
    const prefix6 = SERVER6.replace(/[^:]*$/, '')
    await this.#connect(this.#server, 'eth0', 'p-server', SERVER, prefix6)
    if (this.dual)
      await this.#server.script(
        ...SERVER.map(each => `ip address add ${like(each, prefix6)}/128 dev eth0 nodad`),
      )
    let sites = 0
    for (const spec of specs) {
      if (spec.besides === null) await this.#addSite(spec, ++sites)
      else await this.#plugIn(spec, this.host(spec.besides).site)
    }
  }

  async #addSite(spec: HostSpec, number: number): Promise<void> {
    const { name, nats } = spec
    const publicAddress = `198.51.100.${10 + number}`
    const prefix6 = `2001:db8:${100 + number}::`
    const routers: Router[] = []
    for (const [at, nat] of nats.entries()) {
      const lan = at === 0 ? (spec.lan ?? `192.168.${number}`) : `100.64.${number * 8 + at}`
      routers.push({ space: await this.#space(`r${at + 1}-${name}`, true), nat, lan })
    }
    const outermost = routers.at(-1)?.space ?? (await this.#space(name, false))
    const device = `p-${name}`
    const site: Site = { number, outermost, publicAddress, prefix6, device, routers, hosts: 0 }
    await this.#connect(outermost, routers.length > 0 ? 'wan0' : 'eth0', device, [publicAddress], prefix6)
    for (const router of routers.toReversed()) await this.#setUp(router, site, spec)
    if (routers.length > 0) return this.#plugIn(spec, site)
    if (this.dual) await outermost.script(`ip address add ${like(publicAddress, prefix6)}/128 dev eth0 nodad`)
    this.#remember(spec, outermost, publicAddress, { space: this.#core, device }, site)
  }

  /** Makes a router's LAN and rules; its uplink goes into the LAN of the next router, unless it is the last. */
  async #setUp(router: Router, site: Site, { lifetimeS, remap }: HostSpec): Promise<void> {
    const { space, lan, nat } = router
    const outer = site.routers[site.routers.indexOf(router) + 1]
    const wan = outer === undefined ? site.publicAddress : `${outer.lan}.2`
    const timeouts = ['', '_stream'].map(each => `net.netfilter.nf_conntrack_udp_timeout${each}=${lifetimeS}`)
    await space.script(
      'ip link add lan0 up type bridge',
      `ip address add ${lan}.1/24 dev lan0`,
      ...(lifetimeS === null ? [] : [`sysctl -qw ${timeouts.join(' ')}`]),
      ...this.#six('ip address add fe80::1/64 dev lan0 nodad'),
    )
    if (outer !== undefined) {
      await this.#plug(space, 'wan0', outer, wan, 'fe80::2')
      await outer.space.script('true', ...this.#six(`ip route add ${site.prefix6}/64 via fe80::2 dev lan0`))
    }
    if (router === site.routers[0])
      await space.script('true', ...this.#six(`ip address add ${site.prefix6}1/64 dev lan0 nodad`))
    await nft(space, natRules(nat, { wan, remap, lifetimeS }))
  }

  /** Adds a host to the LAN of a site. */
  async #plugIn(spec: HostSpec, site: Site): Promise<void> {
    const [router] = site.routers as [Router] // whoever calls has seen that there is one
    const space = await this.#space(spec.name, false)
    const last = 2 + site.hosts++
    const address = `${router.lan}.${last}`
    const device = await this.#plug(space, 'eth0', router, address, `${site.prefix6}${last}`)
    this.#remember(spec, space, address, { space: router.space, device }, site)
  }

  #remember(spec: HostSpec, space: Namespace, address: string, uplink: LabHost['uplink'], site: Site): void {
    const { name, text } = spec
    this.#hosts.set(name, { name, text, space, address, uplink, site })
  }

  async #space(name: string, forwards: boolean): Promise<Namespace> {
    const space = await this.#spaces.add(name, FILES)
    const on = Number(forwards)
    const off6 = Number(!this.dual)
    await space.script(
      `sysctl -qw net.ipv4.ip_forward=${on} net.ipv6.conf.all.forwarding=${on} ` +
        `net.ipv6.conf.all.disable_ipv6=${off6} net.ipv6.conf.default.disable_ipv6=${off6}`,
      // Where bridges hand their frames to the firewall, packets inside a LAN would meet the NAT.
      'sysctl -qew net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0',
    )
    return space
  }

  /** Lays a cable from the core to a machine with public addresses. */
  async #connect(
    space: Namespace,
    device: string,
    coreDevice: string,
    addresses: readonly string[],
    prefix6: string,
  ): Promise<void> {
    await this.#core.script(
      `ip link add ${coreDevice} up type veth peer name ${device} netns ${space.id}`,
      `ip address add ${GATEWAY}/32 dev ${coreDevice}`,
      ...addresses.map(each => `ip route add ${each} dev ${coreDevice}`),
      ...this.#six(
        `ip address add fe80::1/64 dev ${coreDevice} nodad`,
        `ip route add ${prefix6}/64 via fe80::2 dev ${coreDevice}`,
      ),
    )
    await space.script(
      `ip link set ${device} up`,
      ...addresses.map(each => `ip address add ${each}/32 dev ${device}`),
      `ip route add default via ${GATEWAY} dev ${device} onlink`,
      ...this.#six(
        `ip address add fe80::2/64 dev ${device} nodad`,
        `ip route add default via fe80::1 dev ${device}`,
      ),
    )
  }

  /** Plugs a machine into a router's LAN; returns the router's device. */
  async #plug(space: Namespace, device: string, router: Router, address: string, address6: string) {
    const socket = `l-${address.split('.').slice(2).join('-')}`
    await router.space.script(
      `ip link add ${socket} master lan0 up type veth peer name ${device} netns ${space.id}`,
    )
    await space.script(
      `ip link set ${device} up`,
      `ip address add ${address}/24 dev ${device}`,
      `ip route add default via ${router.lan}.1`,
      ...this.#six(
        `ip address add ${address6}/64 dev ${device} nodad`,
        `ip route add default via fe80::1 dev ${device}`,
      ),
    )
    return socket
  }

  #six(...lines: readonly string[]): readonly string[] {
    return this.dual ? lines : []
  }
}

/** The name `server` is known; every other one fails at once, because nobody answers there. */
const FILES = {
  'resolv.conf': 'nameserver 127.0.0.1\n',
  hosts: `127.0.0.1 localhost\n${SERVER[0]} server\n`,
}

const PACKETS = { all: 'protocol { ip, ip6 }', udp: 'l4proto udp', tcp: 'l4proto tcp' } as const

const dropPeer = ({ publicAddress, prefix6 }: Site, side: 'saddr' | 'daddr'): string =>
  `ip ${side} ${publicAddress} drop; ip6 ${side} ${prefix6}/64 drop`

/** Returns the IPv6 address whose last group is the last number of an IPv4 address. */
const like = (address: string, prefix6: string): string => `${prefix6}${address.split('.')[3]}`

async function nft(space: Namespace, rules: string): Promise<void> {
  await space.script(`nft -f - <<'END'\n${rules}\nEND`)
}
