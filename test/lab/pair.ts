/**
 * A client and a node with a route between them, each at a place of its own, and pings that the node echoes.
 *
 *   const pair = await Pair.met({ client: { nat: ['port'] }, node: { nat: ['port'] } })
 *   await pair.until('direct')        pings until both ends and the coordinator say so
 *   await pair.talk(5_000)            a ping every 20 ms
 *   pair.lost                         those that never came back
 */
import type { PathPolicy, RouteView } from '../../src/actors/ports.js'
import { decodeAll } from '../../src/protocol/codec.js'
import type { Wire } from '../../src/protocol/messages.js'
import { type ClientHost, clientOn, type NodeHost, nodeOn } from './hosts.js'
import { Lab, type LabOptions } from './lab.js'
import type { Place } from './udp-net.js'

export interface PairOptions extends LabOptions {
  readonly client: Place
  readonly node: Place
  /** What either wants of its paths. */
  readonly policies?: { readonly client?: PathPolicy; readonly node?: PathPolicy }
}

/** As a call or a game would: often enough that silence is noticed at once, ms. */
const PING_EVERY_MS = 20
/** The longest round trip in the lab, and some, ms. */
const ECHO_MS = 200

type Tier = RouteView['tier']

export class Pair {
  readonly lab: Lab
  readonly client: ClientHost
  readonly node: NodeHost

  readonly #told: { readonly type: Wire['type']; readonly atMs: number }[] = []

  constructor(lab: Lab, client: ClientHost, node: NodeHost) {
    this.lab = lab
    this.client = client
    this.node = node
    lab.internet.overhear((host, message) => {
      if (host !== client.name) return
      for (const { type } of decodeAll(message)) this.#told.push({ type, atMs: lab.clock.now() })
    })
  }

  /** Returns the two on `lab`, or on one of their own, when their route carries. */
  static async met(
    { client, node, policies = {}, ...options }: PairOptions,
    lab?: Lab,
    names: readonly [string, string] = ['anna', 'bert'],
  ): Promise<Pair> {
    const there = lab ?? (await Lab.start(options))
    there.host(names[0], client)
    there.host(names[1], node)
    const serves = await nodeOn(there, names[1], policyOf(policies.node))
    const asks = await clientOn(there, names[0], policyOf(policies.client))
    await asks.routed({ target: names[1] })
    return new Pair(there, asks, serves)
  }

  /** The path as the coordinator sees it. */
  get path(): RouteView {
    const link = this.client.agent.current?.link
    const route = this.lab.mesh.routes().find(each => each.link === link)
    if (route === undefined) throw new Error('the pair has no route')
    return route
  }

  /** How packets leave the client, and the node; null: they do not. */
  get tiers(): readonly [client: Tier | null, node: Tier | null] {
    const link = this.client.agent.current?.link
    const of = ({ agent }: ClientHost | NodeHost): Tier | null =>
      agent.status().links.find(each => each.link === link)?.tier ?? null
    return [of(this.client), of(this.node)]
  }

  /** Pings for so long. */
  async talk(ms: number, everyMs = PING_EVERY_MS): Promise<void> {
    for (let left = ms; left > 0; left -= everyMs) {
      this.client.ping()
      await this.lab.clock.run(Math.min(left, everyMs))
    }
  }

  /** Waits for the echoes that are under way. */
  async hush(): Promise<void> {
    await this.lab.clock.run(ECHO_MS)
  }

  /** Pings until everybody says that packets travel this way; returns how long it took, ms. Throws when it takes too long. */
  async until(tier: Tier, withinMs = 10_000): Promise<number> {
    const sinceMs = this.lab.clock.now()
    while (!this.is(tier)) {
      if (this.lab.clock.now() - sinceMs >= withinMs)
        throw new Error(
          `wanted ${tier} within ${withinMs} ms, got ${JSON.stringify([this.tiers, this.path])}`,
        )
      await this.talk(PING_EVERY_MS)
    }
    return this.lab.clock.now() - sinceMs
  }

  is(tier: Tier): boolean {
    const sent = tier === 'waiting' ? null : tier
    return this.path.tier === tier && this.tiers.every(each => each === sent)
  }

  /** Numbers of the pings since then that never came back. */
  lost(sinceMs = 0): number[] {
    const back = new Set(this.client.echoes.map(({ n }) => n))
    return this.client.pings.filter(({ n, atMs }) => atMs >= sinceMs && !back.has(n)).map(({ n }) => n)
  }

  /** When the coordinator said such a thing to the client, ms. */
  told(type: Wire['type']): number[] {
    return this.#told.filter(each => each.type === type).map(({ atMs }) => atMs)
  }

  /** Numbers of the pings that came back more than once. */
  get repeated(): number[] {
    const once = new Set<number>()
    const again = new Set<number>()
    for (const { n } of this.client.echoes) (once.has(n) ? again : once).add(n)
    return [...again]
  }
}

const policyOf = (policy: PathPolicy | undefined) => (policy === undefined ? {} : { policy })
