/**
 * Everything this machine sends goes through the tunnel, except what keeps the tunnel up:
 *
 *   1. to the coordinator, and from
 *      the ports of direct paths      → the main table     the relay's own connection; packets of the tunnel itself
 *   2. the main table, but not its default route           the neighbours stay reachable
 *   3. table 25199: default dev TUNNEL, else unreachable   all else
 *
 * A port is told apart by its number, not the peer by its address: what others on this machine send to the peer's
 * address does not leave in clear. When the interface is away for a moment the second
 * route of the table holds: traffic waits, it does not leave in clear.
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { Ledger } from '../system/ledger.js'
import { planResolver, writeResolver } from '../system/resolver.js'
import type { Run } from '../system/run.js'
import type { Family, Taken } from '../system/taken.js'

/** The routing table, and the priorities of the three rules: before the main table's own, which is 32766. */
const TABLE = '25199'
const OUTSIDE = '25199'
const NEIGHBOURS = '25200'
const TUNNEL = '25201'
/** A metric behind every other: the largest that `ip` takes for both families. */
const LAST = '4294967295'

export interface FullTunnelOptions {
  /** Addresses that stay outside when the tunnel begins to cover: the coordinator's. */
  readonly outside: () => readonly string[]
  /** Name servers while the tunnel is up; none: the resolver is left alone. */
  readonly dns: readonly string[]
  readonly ledger: Ledger
  readonly run: Run
  readonly resolvConf?: string
}

/** The interface that carries everything. */
export interface Carrier {
  readonly name: string
  /** Whether it takes IPv6; if not, IPv6 is closed rather than let around the tunnel. */
  readonly ipv6: boolean
}

export class FullTunnel {
  readonly #options: FullTunnelOptions
  #taken: Taken[] = []
  #covered: Promise<void> | null = null
  readonly #ports = new Set<number>()

  constructor(options: FullTunnelOptions) {
    this.#options = options
  }

  /** Sends everything through `carrier` from now on, until the ledger gives it back. */
  cover(carrier: Carrier): Promise<void> {
    this.#covered ??= this.#cover(carrier).catch(async (error: unknown) => {
      await this.#uncover()
      throw error
    })
    return this.#covered
  }

  /** The interface was made anew: its routes are set again. */
  async recover(carrier: Carrier): Promise<void> {
    if (this.#covered === null) return
    for (const family of families()) await this.#default(family, carrier)
  }

  /** Keeps further addresses outside: the coordinator has moved. */
  async keepOutside(addresses: readonly string[]): Promise<void> {
    if (this.#covered === null) return
    await this.#covered
    await this.#keepOutside(addresses)
  }

  /** Keeps what is sent by UDP from this port outside, now and when the tunnel begins to cover. */
  async keepPortOutside(port: number): Promise<void> {
    this.#ports.add(port)
    if (this.#covered === null) return
    await this.#covered
    await this.#keepPortOutside(port)
  }

  /** The port is closed: what is sent from it by others goes through the tunnel again. */
  async letPortIn(port: number): Promise<void> {
    this.#ports.delete(port)
    const text = portRule(port).join()
    const gone = this.#taken.filter(each => each.kind === 'rule' && each.rule.join() === text)
    this.#taken = this.#taken.filter(each => !gone.includes(each))
    for (const each of gone) await this.#options.ledger.giveBack(each)
  }

  async #cover(carrier: Carrier): Promise<void> {
    const { run, outside, dns, resolvConf = '/etc/resolv.conf' } = this.#options
    await this.#keepOutside(outside())
    for (const port of this.#ports) await this.#keepPortOutside(port)
    for (const family of families()) {
      const wall = ['unreachable', 'default', 'metric', LAST, 'table', TABLE]
      await this.#take({ kind: 'route', family, route: wall }, () =>
        run('ip', [family, 'route', 'replace', ...wall]),
      )
      await this.#default(family, carrier)
      await this.#rule(family, ['lookup', 'main', 'suppress_prefixlength', '0', 'priority', NEIGHBOURS])
      await this.#rule(family, ['lookup', TABLE, 'priority', TUNNEL])
    }
    if (dns.length === 0) return
    const resolver = planResolver(resolvConf, dns)
    await this.#take(resolver, () => writeResolver(resolver))
  }

  async #keepOutside(addresses: readonly string[]): Promise<void> {
    for (const address of addresses) {
      const rule = ['to', address, 'lookup', 'main', 'priority', OUTSIDE]
      if (this.#taken.some(each => each.kind === 'rule' && each.rule.includes(address))) continue
      await this.#rule(isIP(address) === 4 ? '-4' : '-6', rule)
    }
  }

  async #keepPortOutside(port: number): Promise<void> {
    const rule = portRule(port)
    if (this.#taken.some(each => each.kind === 'rule' && each.rule.join() === rule.join())) return
    for (const family of families()) await this.#rule(family, rule)
  }

  async #uncover(): Promise<void> {
    for (const taken of this.#taken.reverse()) await this.#options.ledger.giveBack(taken).catch(() => {})
    this.#taken = []
    this.#covered = null
  }

  #rule(family: Family, rule: readonly string[]): Promise<void> {
    return this.#take({ kind: 'rule', family, rule }, () =>
      this.#options.run('ip', [family, 'rule', 'add', ...rule]),
    )
  }

  async #take(taken: Taken, change: () => void | Promise<unknown>): Promise<void> {
    await this.#options.ledger.take(taken, change)
    this.#taken.push(taken)
  }

  /** Goes with the interface, so it is not written down. */
  async #default(family: Family, { name, ipv6 }: Carrier): Promise<void> {
    if (family === '-6' && !ipv6) return
    await this.#options.run('ip', [family, 'route', 'replace', 'default', 'dev', name, 'table', TABLE])
  }
}

const portRule = (port: number): readonly string[] =>
  `ipproto udp sport ${port} lookup main priority ${OUTSIDE}`.split(' ')

/** IPv6 is closed too where the machine has it: what the tunnel does not carry must not go around it. */
function families(): readonly Family[] {
  try {
    return readFileSync('/proc/net/if_inet6', 'latin1') === '' ? ['-4'] : ['-4', '-6']
  } catch {
    return ['-4']
  }
}
