/**
 * A whole mesh in one process: a coordinator, nodes and clients over real WebSockets on this machine, and
 * real UDP datagrams through the relay.
 *
 *   SenderApp ⇄ UdpTunnel ⇄ MeshClient ⇄ coordinator ⇄ MeshNode ⇄ UdpTunnel ⇄ EchoApp
 */
import { MeshClient, MeshNode, UdpTunnel } from '../../agent/index.js'
import { heldClock } from '../../agent/held-clock.js'
import { systemClock } from '../../kit/clock.js'
import { type Random, systemRandom } from '../../kit/random.js'
import { MemoryJournal, MemoryStore } from '../../store/index.js'
import { readConfig } from '../config.js'
import { type Coordinator, startCoordinator } from '../coordinator.js'
import type { Leveled } from '../../telemetry/log-level.js'
import type { Log } from '../mesh.js'
import { EchoApp, SenderApp } from './app.js'

export interface WorldOptions {
  readonly nodes: number
  readonly clients: number
  /** What each client sends, datagrams/s. */
  readonly perSecond: number
  readonly log: Log & Leveled
  /** Hears what happens, for people. */
  readonly happened: (what: string) => void
}

export interface DemoNode {
  readonly id: string
  readonly country: string
  readonly key: Uint8Array
  readonly echo: EchoApp
  /** null: killed. */
  agent: MeshNode | null
}

export interface DemoClient {
  readonly id: string
  readonly agent: MeshClient
  readonly app: SenderApp
  readonly tunnel: UdpTunnel
  /** The last time it moved: where from, and how long it was without a node, ms. */
  moved: { readonly from: string; readonly tookMs: number } | null
}

export interface Totals {
  readonly nodes: number
  readonly clients: number
  readonly routes: number
  readonly datagrams: { readonly sent: number; readonly delivered: number; readonly lost: number }
  readonly failovers: number
  readonly failoverMs: { readonly p50: number | null; readonly max: number | null }
}

const PLACES = [
  ['fra', 'DE'],
  ['hel', 'FI'],
  ['ams', 'NL'],
  ['par', 'FR'],
  ['vie', 'AT'],
  ['sto', 'SE'],
] as const
const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy'] as const

/** An echo that takes longer than this is lost, ms. */
const LAST_ECHO_MS = 1_000
const LOOK_MS = 10

export class World {
  readonly nodes: DemoNode[] = []
  readonly clients: DemoClient[] = []
  readonly #options: WorldOptions
  readonly #random: Random = systemRandom
  readonly #coordinator: Coordinator
  readonly #credential: string
  readonly #failoversMs: number[] = []
  /** When each node was killed. */
  readonly #killedMs = new Map<string, number>()
  /** The node that each client was last carried by. */
  readonly #nodeOf = new Map<string, string>()
  #ending = false

  private constructor(options: WorldOptions, coordinator: Coordinator, credential: string) {
    this.#options = options
    this.#coordinator = coordinator
    this.#credential = credential
  }

  /** Resolves when every node is online and every client sends through one. */
  static async start(options: WorldOptions): Promise<World> {
    const coordinator = await startCoordinator(coordinatorOptions(options))
    const wish = { role: null, uses: null, ttlMs: null, note: 'demo', actor: 'demo' }
    const world = new World(options, coordinator, (await coordinator.mesh.createEnrolmentKey(wish)).secret)
    for (let i = 0; i < options.nodes; i++) world.nodes.push(await world.#newNode(i))
    await Promise.all(world.nodes.map(node => world.revive(node)))
    await Promise.all(Array.from({ length: options.clients }, (_, i) => world.#newClient(i)))
    return world
  }

  get mesh(): Coordinator['mesh'] {
    return this.#coordinator.mesh
  }

  get port(): number {
    return this.#coordinator.port
  }

  /** Clients whose datagrams go to this node now. */
  clientsOf(node: DemoNode): number {
    return this.clients.filter(({ agent }) => agent.current?.nodeId === node.id).length
  }

  /** The node with the most clients is gone, without a word to anyone. */
  async kill(): Promise<void> {
    const alive = this.nodes.filter(node => node.agent !== null)
    const [victim] = alive.sort((a, b) => this.clientsOf(b) - this.clientsOf(a))
    // The last node is spared: its clients would have nowhere to go.
    if (victim === undefined || alive.length < 2) return
    const { agent } = victim
    victim.agent = null
    this.#killedMs.set(victim.id, heldClock.now())
    this.#options.happened(`${victim.id} dies; clients on it: ${this.clientsOf(victim)}`)
    await agent?.stop({ leave: false })
  }

  /** Brings a node (back) online. */
  async revive(node: DemoNode): Promise<void> {
    if (node.agent !== null) return
    const { id, key, country, echo } = node
    const agent = new MeshNode({
      ...this.#agentOptions(id, key),
      tunnel: new UdpTunnel({ applicationPort: echo.port }),
      profile: { country, maxSessions: 1_000, bandwidthMbps: 1_000 },
    })
    node.agent = agent
    await agent.start()
    if (this.#killedMs.delete(id)) this.#options.happened(`${id} is back`)
  }

  /** What has come of it so far. */
  totals(): Totals {
    const sent = sum(this.clients, ({ app }) => app.sent)
    const delivered = sum(this.clients, ({ app }) => app.answered)
    const times = this.#failoversMs.toSorted((a, b) => a - b)
    return {
      nodes: this.nodes.length,
      clients: this.clients.length,
      routes: this.mesh.stats().routes.active,
      datagrams: { sent, delivered, lost: sent - delivered },
      failovers: times.length,
      failoverMs: { p50: rounded(times[(times.length - 1) >> 1]), max: rounded(times.at(-1)) },
    }
  }

  /** Lets the last echoes arrive, and resolves with the totals. */
  async settle(): Promise<Totals> {
    this.#ending = true
    for (const { app } of this.clients) app.rest()
    while (this.clients.some(({ app }) => app.awaits(LAST_ECHO_MS))) await wait(LOOK_MS)
    return this.totals()
  }

  async stop(): Promise<void> {
    this.#ending = true
    for (const { app } of this.clients) app.close()
    await Promise.all(this.clients.map(({ agent }) => agent.stop()))
    await Promise.all(this.nodes.flatMap(({ agent }) => (agent === null ? [] : [agent.stop()])))
    for (const { echo } of this.nodes) echo.close()
    await this.#coordinator.stop(0)
  }

  async #newNode(i: number): Promise<DemoNode> {
    const [place, country] = PLACES[i % PLACES.length] as (typeof PLACES)[number] // inside, by the remainder
    const id = `${place}-${i + 1}`
    return { id, country, key: this.#random.bytes(32), echo: await EchoApp.open(), agent: null }
  }

  async #newClient(i: number): Promise<void> {
    const id = i < PEOPLE.length ? (PEOPLE[i] as string) : `client-${i + 1}` // inside, just compared
    const tunnel = new UdpTunnel()
    const agent = new MeshClient({ ...this.#agentOptions(id, this.#random.bytes(32)), tunnel })
    const client: DemoClient = { id, agent, tunnel, app: await SenderApp.open(heldClock), moved: null }
    this.clients.push(client)
    agent.on('route', route => this.#carried(client, route.nodeId))
    agent.on('lost', ({ reason }) => {
      if (!this.#ending) this.#options.happened(`${id} has no node: ${reason}`)
    })
    await agent.start()
    await agent.route({}, { patient: true })
    client.app.start(this.#options.perSecond, () => {
      const route = agent.current
      return route === null ? undefined : tunnel.portOf(route.link)
    })
  }

  /** A client's datagrams travel to this node from now on. */
  #carried(client: DemoClient, nodeId: string): void {
    const from = this.#nodeOf.get(client.id)
    this.#nodeOf.set(client.id, nodeId)
    const killedMs = from === undefined ? undefined : this.#killedMs.get(from)
    if (from === undefined || from === nodeId || killedMs === undefined) return
    const tookMs = Math.round(heldClock.now() - killedMs)
    this.#failoversMs.push(tookMs)
    client.moved = { from, tookMs }
    this.#options.happened(`${client.id} moves from ${from} to ${nodeId}, ${tookMs} ms after the loss`)
  }

  #agentOptions(id: string, privateKey: Uint8Array) {
    return { url: `ws://127.0.0.1:${this.port}`, id, privateKey, credential: this.#credential }
  }
}

/** The demo's coordinator keeps everything in memory and takes any datagrams, from any number of agents here. */
function coordinatorOptions({ log }: WorldOptions): Parameters<typeof startCoordinator>[0] {
  const many = '1000000'
  const flags = {
    host: '127.0.0.1',
    port: '0',
    relayPayload: 'any',
    greetingPerAddress: many,
    hellosPerSecond: many,
    helloBurst: many,
  }
  const config = readConfig({ flags, env: {} })
  return {
    config,
    serverId: 'demo',
    token: Buffer.from(systemRandom.bytes(32)).toString('hex'),
    jwtSecret: Buffer.from(systemRandom.bytes(32)).toString('hex'),
    vaultKey: Buffer.from(systemRandom.bytes(32)).toString('hex'),
    clock: systemClock,
    random: systemRandom,
    store: new MemoryStore({ overlay4: config.overlay4, overlay6: config.overlay6 }),
    storeKind: 'memory',
    journal: new MemoryJournal(),
    redis: null,
    log,
  }
}

const sum = <T>(list: readonly T[], of: (item: T) => number): number =>
  list.reduce((total, item) => total + of(item), 0)
const rounded = (ms: number | undefined): number | null => (ms === undefined ? null : Math.round(ms))
const wait = (ms: number): Promise<void> =>
  new Promise(resolve => {
    heldClock.setTimeout(resolve, ms)
  })
