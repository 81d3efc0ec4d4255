/**
 * A mesh around the globe that lives by itself: what an inspector, a dashboard or a screenshot wants to look at. The
 * coordinator is the real one, with its database and plug-ins; nodes and clients are those of the library, on sockets of
 * this machine, behind NATs of all kinds and as far away as their cities. Some nodes are busy, one comes and goes, one is
 * drained now and then; clients come, go, and change their minds.
 *
 *   SenderApp ⇄ UdpTunnel ⇄ MeshClient ⇄ NAT, distance ⇄ coordinator, or the peer's NAT ⇄ MeshNode ⇄ UdpTunnel ⇄ EchoApp
 */
import { heldClock } from '../../agent/held-clock.js'
import { MeshClient, MeshNode, UdpTunnel } from '../../agent/index.js'
import type { PathPolicy } from '../../agent/ports.js'
import { every } from '../../kit/clock.js'
import { pick, type Random, systemRandom } from '../../kit/random.js'
import type { Mesh } from '../mesh.js'
import { EchoApp, SenderApp } from './app.js'
import { tidalFigures } from './figures.js'
import { type Place, placeOf } from './places.js'
import { clientWays, nodeWays } from './whereabouts.js'

export interface LivelyOptions {
  readonly url: string
  readonly mesh: Pick<Mesh, 'createEnrolmentKey' | 'drain' | 'cancelDrain' | 'steer'>
  readonly nodes: number
  readonly clients: number
  /** What each client sends in the mean, datagrams/s. */
  readonly perSecond: number
  /** Hears what happens, for people. */
  readonly happened: (what: string) => void
}

interface LivelyNode {
  readonly id: string
  readonly make: () => MeshNode
  readonly echo: EchoApp
  /** null: away. */
  agent: MeshNode | null
}

interface LivelyClient {
  readonly id: string
  readonly make: () => MeshClient
  readonly tunnel: UdpTunnel
  readonly app: SenderApp
  readonly perSecond: number
  agent: MeshClient | null
}

/** Every so many clients want no more than the relay. */
const RELAY_ONLY_EVERY = 9
const NAMES = [
  'alice',
  'bob',
  'carol',
  'dave',
  'erin',
  'frank',
  'grace',
  'heidi',
  'ivan',
  'judy',
  'mallory',
  'niaj',
  'olivia',
  'peggy',
  'rupert',
  'sybil',
  'trent',
  'uma',
  'victor',
  'walter',
] as const

/** The node that comes and goes, and the one that is drained: by their places in the list, where there are so many. */
const FLAPPING = 3
const DRAINED = 1
/** A node whose uplink is full at high tide. */
const BUSIEST = 7
/** How often each thing happens, and how long it lasts, ms. */
const FLAP_EVERY_MS = 47_000
const FLAP_FOR_MS = 6_000
const DRAIN_EVERY_MS = 120_000
const DRAIN_FOR_MS = 45_000
const CHURN_EVERY_MS = 9_000
const CHURN_FOR_MS = 5_000
const REROUTE_EVERY_MS = 21_000
/** Agents start one after another, as they would: this far apart, ms. */
const START_EVERY_MS = 40

export class LivelyMesh {
  readonly nodes: LivelyNode[] = []
  readonly clients: LivelyClient[] = []
  readonly #options: LivelyOptions
  readonly #random: Random = systemRandom
  readonly #stops: (() => void)[] = []
  #credential = ''
  #ending = false

  private constructor(options: LivelyOptions) {
    this.#options = options
  }

  /** Resolves when the nodes are there; the clients come one after another. */
  static async start(options: LivelyOptions): Promise<LivelyMesh> {
    const lively = new LivelyMesh(options)
    await lively.#begin()
    return lively
  }

  async stop(): Promise<void> {
    this.#ending = true
    for (const stop of this.#stops) stop()
    for (const { app } of this.clients) app.close()
    await Promise.all(this.clients.flatMap(({ agent }) => (agent === null ? [] : [agent.stop()])))
    await Promise.all(this.nodes.flatMap(({ agent }) => (agent === null ? [] : [agent.stop()])))
    for (const { echo } of this.nodes) echo.close()
  }

  async #begin(): Promise<void> {
    const { mesh, nodes, clients } = this.#options
    const wish = { role: null, uses: null, ttlMs: null, note: 'demo', actor: 'demo' }
    this.#credential = (await mesh.createEnrolmentKey(wish)).secret
    for (let i = 0; i < nodes; i++) this.nodes.push(await this.#newNode(i))
    await Promise.all(this.nodes.map(node => this.#join(node)))
    this.#steer()
    for (let i = 0; i < clients; i++) {
      this.clients.push(await this.#newClient(i))
      this.#aside(this.#come(this.clients[i] as LivelyClient)) // just added
      await wait(START_EVERY_MS)
    }
    this.#live()
  }

  /** What an operator has laid down. */
  #steer(): void {
    const { mesh } = this.#options
    for (const [i, { id }] of this.nodes.entries())
      mesh.steer(
        id,
        { groups: [i % 3 === 0 ? 'premium' : 'basic'], ...(i % 5 === 4 && { costWeight: 2 }) },
        'demo',
      )
  }

  #live(): void {
    const [flapping, drained] = [this.nodes[FLAPPING], this.nodes[DRAINED]]
    const often = (ms: number, run: () => void) => this.#stops.push(every(heldClock, ms, run))
    if (flapping !== undefined) often(FLAP_EVERY_MS, () => this.#aside(this.#flap(flapping)))
    if (drained !== undefined) often(DRAIN_EVERY_MS, () => this.#drain(drained))
    often(CHURN_EVERY_MS, () => this.#aside(this.#churn()))
    often(REROUTE_EVERY_MS, () => this.#aside(this.#reroute()))
  }

  /** What goes on beside the rest is cut off when the demo ends. */
  #aside(work: Promise<void>): void {
    work.catch((error: Error) => {
      if (!this.#ending) this.#options.happened(`that did not work: ${error.message}`)
    })
  }

  /** Gone without a word, and back after a moment. */
  async #flap(node: LivelyNode): Promise<void> {
    const { agent } = node
    if (agent === null) return
    node.agent = null
    this.#options.happened(`${node.id} loses its uplink`)
    await agent.stop({ leave: false })
    await wait(FLAP_FOR_MS)
    if (this.#ending) return
    await this.#join(node)
    this.#options.happened(`${node.id} is back`)
  }

  #drain({ id }: LivelyNode): void {
    const { mesh, happened } = this.#options
    happened(`${id} is drained for an update`)
    mesh.drain(id, { withinMs: null, actor: 'demo' })
    const timer = heldClock.setTimeout(() => {
      happened(`${id} is given clients again`)
      mesh.cancelDrain(id, 'demo')
    }, DRAIN_FOR_MS)
    this.#stops.push(() => heldClock.clearTimeout(timer))
  }

  async #churn(): Promise<void> {
    const client = this.#anyClient()
    const { agent } = client ?? {}
    if (client === undefined || agent === null || agent === undefined) return
    client.agent = null
    client.app.rest()
    this.#options.happened(`${client.id} leaves`)
    await agent.stop()
    await wait(CHURN_FOR_MS)
    if (this.#ending) return
    await this.#come(client)
    this.#options.happened(`${client.id} comes again`)
  }

  async #reroute(): Promise<void> {
    const client = this.#anyClient()
    const { country } = placeOf(pick(this.#random, this.nodes.length))
    this.#options.happened(`${client?.id} asks for a node in ${country}`)
    await client?.agent?.route({ country }, { patient: true }).catch(() => {})
  }

  #anyClient(): LivelyClient | undefined {
    const here = this.clients.filter(({ agent }) => agent !== null)
    return here[pick(this.#random, here.length)]
  }

  async #join(node: LivelyNode): Promise<void> {
    node.agent = node.make()
    await node.agent.start()
  }

  /** A client that is refused waits for a node like any other. */
  async #come(client: LivelyClient): Promise<void> {
    const agent = client.make()
    client.agent = agent
    await agent.start()
    await agent.route({}, { patient: true })
    client.app.start(client.perSecond, () => {
      const route = client.agent?.current ?? null
      return route === null ? undefined : client.tunnel.portOf(route.link)
    })
  }

  async #newNode(index: number): Promise<LivelyNode> {
    const place = placeOf(index)
    const id = `${place.name}-${1 + Math.floor(index / 16)}`
    const echo = await EchoApp.open()
    const key = this.#random.bytes(32)
    const bandwidthMbps = index === BUSIEST ? 200 : 500 * (1 + (index % 4))
    const node: LivelyNode = {
      id,
      echo,
      agent: null,
      make: () =>
        new MeshNode({
          ...this.#agentOptions(id, key),
          ...nodeWays(index, place, this.#random),
          tunnel: new UdpTunnel({ applicationPort: echo.port, sealed: true }),
          gauges: tidalFigures({
            index,
            bandwidthMbps,
            busy: index === BUSIEST ? 1 : 0.15 + 0.1 * (index % 6),
            links: () => node.agent?.status().links.length ?? 0,
            clock: heldClock,
            random: this.#random,
          }),
          profile: {
            ...whereOf(place),
            bandwidthMbps,
            maxSessions: 20 + 10 * (index % 5),
            exit: index % 2 === 0,
            tags: [index % 2 === 0 ? 'exit' : 'inner', ...(index % 4 === 0 ? ['ssd'] : [])],
          },
        }),
    }
    return node
  }

  async #newClient(index: number): Promise<LivelyClient> {
    const id = NAMES[index] ?? `client-${index + 1}`
    const key = this.#random.bytes(32)
    const tunnel = new UdpTunnel({ sealed: true })
    const place = placeOf(3 * index + 1)
    const policy: PathPolicy = index % RELAY_ONLY_EVERY === RELAY_ONLY_EVERY - 1 ? 'relay-only' : 'auto'
    return {
      id,
      tunnel,
      agent: null,
      app: await SenderApp.open(heldClock),
      perSecond: Math.max(1, Math.round(this.#options.perSecond * (0.2 + 1.6 * this.#random.float()))),
      make: () =>
        new MeshClient({
          ...this.#agentOptions(id, key),
          ...clientWays(index, place, this.#random),
          tunnel,
          policy,
          profile: whereOf(place),
        }),
    }
  }

  #agentOptions(id: string, privateKey: Uint8Array) {
    return { url: this.#options.url, id, privateKey, credential: this.#credential }
  }
}

const whereOf = ({ country, region, latitude, longitude }: Place) => ({
  country,
  region,
  latitude,
  longitude,
})

const wait = (ms: number): Promise<void> =>
  new Promise(resolve => {
    heldClock.setTimeout(resolve, ms)
  })
