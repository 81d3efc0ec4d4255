/** What went over the mesh is accounted for once, whatever happens to agents, paths and the coordinator. */
import { rmSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { PathTraffic } from '../../src/actors/ports.js'
import { pick, seededRandom } from '../../src/kit/random.js'
import { MIGRATIONS } from '../../src/reports/migrations.js'
import type { ReportTables } from '../../src/reports/tables.js'
import { COUNTS, type Counts, countsOf, larger, NOTHING, sum } from '../../src/reports/traffic/counts.js'
import { Sampler } from '../../src/reports/traffic/sampler.js'
import { openStore, type Room, type StoreOptions, StoreUnavailable } from '../../src/store/index.js'
import { Lab } from '../lab/lab.js'
import { startPostgres } from '../parts/postgres.js'
import type { RawAgent } from '../support/raw-agent.js'
import { shortFolder } from '../support/short-folder.js'
import { routed } from '../support/town.js'

interface Report {
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly turnedSentBytes?: number
  readonly directSentBytes?: number
}

/** A mesh in memory whose traffic is accounted for in a real database. */
class Town {
  readonly lab: Lab
  readonly links = new Map<string, number>()
  readonly warned: string[] = []
  isAway = false
  sampler!: Sampler // made by start
  readonly #room: Room<ReportTables>
  readonly #agents = new Map<string, RawAgent>()
  readonly #paths = new Map<string, PathTraffic & { readonly counts: Counts }>()
  /** What each end has counted on a link. */
  readonly #counters = new Map<string, Required<Report>>()

  private constructor(lab: Lab, room: Room<ReportTables>) {
    this.lab = lab
    this.#room = room
  }

  static async start(room: Room<ReportTables>, seed = 1): Promise<Town> {
    const town = new Town(await Lab.start({ seed }), room)
    await room.ask(async db => {
      for (const table of ['traffic_paths', 'traffic_pairs', 'traffic_marks'] as const)
        await db.deleteFrom(table).execute()
    })
    await town.#listen()
    for (const [role, id] of [
      ['node', 'fra-1'],
      ['client', 'alice'],
      ['client', 'bob'],
      ['client', 'carol'],
    ] as const)
      town.#agents.set(id, await town.lab.enrolled(role, id))
    return town
  }

  agent(id: string): RawAgent {
    const agent = this.#agents.get(id)
    if (agent === undefined) throw new Error(`nobody is called ${id}`)
    return agent
  }

  nodeOf(client: string): string {
    return this.agent(client).last('route.assigned').nodeId
  }

  async ask(client: string): Promise<number> {
    const { link } = await routed(this.lab, this.agent(client), [this.agent('fra-1')])
    this.links.set(client, link)
    return link
  }

  async release(client: string): Promise<void> {
    const { routeId } = this.agent(client).last('route.assigned')
    this.agent(client).say({ type: 'route.release', routeId })
    this.links.delete(client)
    await this.#moment()
  }

  async report(end: string, link: number, report: Report): Promise<void> {
    this.agent(end).say({ type: 'path.report', link, ...report })
    await this.#moment()
  }

  /** Something goes over the link, and the end says so. */
  async grow(end: string, link: number, random: ReturnType<typeof seededRandom>): Promise<void> {
    const before = this.#counters.get(`${end} ${link}`) ?? FRESH
    const bytes = () => (random.float() < 0.5 ? 0 : pick(random, 1_000_000))
    const [turned, direct] = [bytes(), bytes()]
    const counters = {
      sentBytes: before.sentBytes + turned + direct + bytes(),
      receivedBytes: before.receivedBytes + bytes(),
      turnedSentBytes: before.turnedSentBytes + turned,
      directSentBytes: before.directSentBytes + direct,
    }
    this.#counters.set(`${end} ${link}`, counters)
    await this.report(end, link, counters)
  }

  /** Its counters begin anew, on every link. */
  async restartAgent(end: string): Promise<void> {
    for (const [client, link] of this.links) {
      if (end !== client && end !== this.nodeOf(client)) continue
      this.agent(end).say({ type: 'path.ready', link }, { type: 'path.report', link, ...FRESH })
      this.#counters.delete(`${end} ${link}`)
    }
    await this.#moment()
  }

  /** The coordinator is killed and starts again; agents come back and say again what they have counted. */
  async crash(): Promise<void> {
    this.lab.crash()
    await this.lab.boot()
    await this.#listen()
    for (const [id, before] of this.#agents) {
      const back = await this.lab.raw(before.hello().role, id, before.keys)
      const ticket = before.heard.findLast(it => it.type === 'resumed' || it.type === 'registered')?.ticket
      if (ticket === undefined) throw new Error(`${id} has no ticket`)
      back.say({ type: 'resume', ticket })
      back.heard.unshift(...before.heard.filter(({ type }) => type === 'route.assigned'))
      this.#agents.set(id, back)
    }
    await this.#moment()
    for (const [client, link] of this.links) {
      for (const end of [client, this.nodeOf(client)]) {
        const counted = this.#counters.get(`${end} ${link}`)
        if (counted !== undefined) await this.report(end, link, counted)
      }
    }
  }

  /** Returns what is accounted for, by pair. */
  async accounted(width: 'hour' | 'day' = 'hour'): Promise<Map<string, Counts>> {
    const rows = await this.#room.ask(db =>
      db
        .selectFrom('traffic_pairs')
        .select(['client_id', 'node_id', ...COUNTS])
        .where('width', '=', width)
        .orderBy('client_id')
        .execute(),
    )
    const pairs = new Map<string, Counts>()
    for (const { client_id, node_id, ...counts } of rows)
      pairs.set(`${client_id} ${node_id}`, sum(pairs.get(`${client_id} ${node_id}`) ?? NOTHING, counts))
    return pairs
  }

  /** Returns the most that each path has told, by pair. */
  told(): Map<string, Counts> {
    const pairs = new Map<string, Counts>()
    const paths = [...this.#paths.values()].sort((a, b) => (a.clientId < b.clientId ? -1 : 1))
    for (const { clientId, nodeId, counts } of paths) {
      if (COUNTS.every(name => counts[name] === 0)) continue
      const key = `${clientId} ${nodeId}`
      pairs.set(key, sum(pairs.get(key) ?? NOTHING, counts))
    }
    return pairs
  }

  async end(): Promise<void> {
    await this.sampler.stop()
    this.lab.crash()
  }

  async #listen(): Promise<void> {
    const { mesh, clock } = this.lab
    mesh.onTraffic(traffic => {
      const counts = larger(countsOf(traffic.bytes), this.#paths.get(traffic.pathId)?.counts ?? NOTHING)
      this.#paths.set(traffic.pathId, { ...traffic, counts })
    })
    const log = {
      debug() {},
      info() {},
      warn: (_: object, message: string) => void this.warned.push(message),
      error() {},
    }
    const room: Room<ReportTables> = {
      ...this.#room,
      transact: work =>
        this.isAway ? Promise.reject(new StoreUnavailable('away')) : this.#room.transact(work),
    }
    this.sampler = await Sampler.start({ mesh, clock, room, log, everyMs: 86_400_000 })
  }

  async #moment(): Promise<void> {
    await this.lab.clock.run(100)
  }
}

const FRESH = { sentBytes: 0, receivedBytes: 0, turnedSentBytes: 0, directSentBytes: 0 }

const OVERLAY = { overlay4: '10.77.0.0/16', overlay6: 'fd77:b050::/64' }

const postgres = await startPostgres(t)
await t.test('PGlite', async t => {
  const dataDir = shortFolder()
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  await stories(t, { dataDir })
})
if ('missing' in postgres) t.pass(`PostgreSQL: ${postgres.missing}`, { skip: true })
else await t.test('PostgreSQL', async t => stories(t, { databaseUrl: await postgres.schema() }))

async function stories(t: Test, where: Pick<StoreOptions, 'dataDir' | 'databaseUrl'>): Promise<void> {
  const store = await openStore({ ...where, ...OVERLAY })
  t.teardown(() => store.close())
  const room = await store.room<ReportTables>('reports', MIGRATIONS)

  await t.test('the sums are those of the ledger, by pair and by tier', async t => {
    const town = await Town.start(room)
    const link = await town.ask('alice')
    await town.report('alice', link, { sentBytes: 1_000, receivedBytes: 100, directSentBytes: 400 })
    await town.report('fra-1', link, { sentBytes: 150, receivedBytes: 900, turnedSentBytes: 50 })
    await town.sampler.sample()
    await town.sampler.sample()
    await town.report('alice', link, { sentBytes: 3_000, receivedBytes: 200, directSentBytes: 2_400 })
    await town.sampler.sample()
    const [path] = town.lab.mesh.paths().paths
    t.match(path?.bytes.toNode, { direct: 2_400 })
    t.same(await town.accounted(), new Map([['alice fra-1', path && countsOf(path.bytes)]]))
    t.same(await town.accounted('day'), await town.accounted())
    await town.end()
  })

  await t.test('a path that ends between two samples is accounted for', async t => {
    const town = await Town.start(room)
    const link = await town.ask('alice')
    await town.report('alice', link, { sentBytes: 700, receivedBytes: 0 })
    await town.release('alice')
    await town.sampler.sample()
    t.match(await town.accounted(), new Map([['alice fra-1', { relayed_to_node: 700 }]]))
    await town.end()
  })

  await t.test('an agent that counts anew is added to what it had counted', async t => {
    const town = await Town.start(room)
    const link = await town.ask('alice')
    await town.report('alice', link, { sentBytes: 700, receivedBytes: 0 })
    await town.sampler.sample()
    town.agent('alice').say({ type: 'path.ready', link })
    await town.report('alice', link, { sentBytes: 50, receivedBytes: 0 })
    await town.sampler.sample()
    t.match(await town.accounted(), new Map([['alice fra-1', { relayed_to_node: 750 }]]))
    await town.end()
  })

  await t.test('what ended just before the coordinator was killed is found by the next one', async t => {
    const town = await Town.start(room)
    const link = await town.ask('alice')
    await town.report('alice', link, { sentBytes: 900, receivedBytes: 0 })
    await town.release('alice')
    await town.crash()
    await town.lab.clock.run(1_000)
    await town.sampler.sample()
    t.match(await town.accounted(), new Map([['alice fra-1', { relayed_to_node: 900 }]]))
    await town.end()
  })

  await t.test('while the database is away nothing is lost', async t => {
    const town = await Town.start(room)
    const link = await town.ask('alice')
    await town.report('alice', link, { sentBytes: 300, receivedBytes: 0 })
    town.isAway = true
    await town.sampler.sample()
    await town.report('alice', link, { sentBytes: 900, receivedBytes: 0 })
    await town.sampler.sample()
    t.same(await town.accounted(), new Map())
    town.isAway = false
    await town.sampler.sample()
    t.match(await town.accounted(), new Map([['alice fra-1', { relayed_to_node: 900 }]]))
    t.same(town.warned, ['traffic waits to be accounted for'])
    await town.end()
  })

  for (const seed of [1, 2, 3]) {
    await t.test(`whatever happens, each byte is accounted for once (seed ${seed})`, async t => {
      const random = seededRandom(seed)
      const town = await Town.start(room, seed)
      const clients = ['alice', 'bob', 'carol']
      const chance = (): unknown => {
        const client = clients[pick(random, clients.length)] as string // one of them
        const link = town.links.get(client)
        const what = random.float()
        if (what < 0.12) return town.sampler.sample()
        if (what < 0.16) return town.crash()
        if (link === undefined) return town.ask(client)
        if (what < 0.22) return town.release(client)
        const end = random.float() < 0.5 ? client : town.nodeOf(client)
        if (what < 0.28) return town.restartAgent(end)
        return town.grow(end, link, random)
      }
      for (let step = 0; step < 120; step++) await chance()
      await town.lab.clock.run(1_000)
      await town.sampler.sample()
      t.same(await town.accounted(), town.told(), 'what every path has ever told')
      await town.end()
    })
  }
}
