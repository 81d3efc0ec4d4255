/** The mesh of the test: `boson server` as a process, and fleets of nodes and of clients around it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { commandIn, type Ended, type Server, startServer } from '../support/boson.js'
import { until } from '../support/until.js'
import type { ClientCalls, ClientSpec, Report, Standing } from './client-fleet.js'
import { Fleet } from './fleet.js'
import type { NodeCalls, NodeSpec } from './node-fleet.js'

const COUNTRIES = ['DE', 'FI', 'NL', 'FR'] as const
const FLEETS = 4
const NODES_EACH = 10
const CLIENTS_EACH = 40

/** All agents come from one address. */
const MANY = '100000'
const SETTINGS = {
  HOST: '127.0.0.1',
  BOSON_TURN_MODE: 'off',
  BOSON_RELAY_PAYLOAD: 'any',
  BOSON_BEAT_EVERY_MS: '2000',
  // A tenth of it: nodes that carry badly are left while the test looks.
  BOSON_ROUTE_DWELL_MS: '6000',
  BOSON_GREETING_PER_ADDRESS: MANY,
  BOSON_SESSIONS_PER_ADDRESS: MANY,
  BOSON_HELLOS_PER_SECOND: MANY,
  BOSON_HELLO_BURST: MANY,
}

export class Crowd {
  readonly server: Server
  readonly nodes: readonly Fleet<NodeCalls>[]
  readonly #clients: readonly Fleet<ClientCalls>[]
  readonly #cwd: string
  readonly #command: ReturnType<typeof commandIn>

  private constructor(t: Test, cwd: string, server: Server, credential: string) {
    const ground = { url: `ws://127.0.0.1:${server.port}`, credential }
    const fleets = Array.from({ length: FLEETS })
    this.server = server
    this.nodes = fleets.map(() => new Fleet<NodeCalls>(t, './node-fleet.js', ground))
    this.#clients = fleets.map(() => new Fleet<ClientCalls>(t, './client-fleet.js', ground))
    this.#cwd = cwd
    this.#command = commandIn(t, { cwd })
  }

  /** Resolves when every client has a route and sends. */
  static async start(t: Test): Promise<Crowd> {
    const cwd = t.testdir()
    const server = await startServer(t, { cwd, env: SETTINGS })
    const key = await commandIn(t, { cwd })('enrol', '--uses', 'any', '--port', String(server.port))
    const crowd = new Crowd(t, cwd, server, key.stdout.trim())
    await Promise.all(crowd.nodes.map((each, fleet) => each.ask('start', nodesOf(fleet))))
    await Promise.all(crowd.#clients.map((each, fleet) => each.ask('start', clientsOf(fleet))))
    return crowd
  }

  /** Runs `boson` as the operator. */
  boson(...args: string[]): Promise<Ended> {
    return this.#command(...args, '--port', String(this.server.port))
  }

  /** Gets a page as the operator. */
  get(path: string): Promise<Response> {
    const token = readFileSync(join(this.#cwd, '.boson', 'secret-token'), 'utf8').trim()
    const headers = { authorization: `Bearer ${token}` }
    return fetch(`http://127.0.0.1:${this.server.port}${path}`, { headers })
  }

  /** Where each client is now. */
  async standing(): Promise<readonly Standing[]> {
    return (await Promise.all(this.#clients.map(each => each.ask('standing', null)))).flat()
  }

  async clientsOn(ids: readonly string[]): Promise<readonly Standing[]> {
    return (await this.standing()).filter(({ node }) => node !== null && ids.includes(node))
  }

  /** Resolves when every client holds; rejects with those that do not. */
  async until(what: string, holds: (client: Standing) => boolean): Promise<void> {
    let others: readonly Standing[] = []
    const all = async () => (others = (await this.standing()).filter(each => !holds(each))).length === 0
    await until(what, all).catch((error: Error) => {
      throw new Error(`${error.message}; ${others.length} clients: ${JSON.stringify(others.slice(0, 3))}`)
    })
  }

  /** Nobody sends any more. */
  async rest(): Promise<void> {
    await Promise.all(this.#clients.map(each => each.ask('rest', null)))
  }

  async reports(): Promise<readonly Report[]> {
    return (await Promise.all(this.#clients.map(each => each.ask('report', null)))).flat()
  }
}

/** The nodes of a fleet: each country has two or three. */
export const nodesOf = (fleet: number): readonly NodeSpec[] => agents('node', fleet, NODES_EACH)
const clientsOf = (fleet: number): readonly ClientSpec[] => agents('client', fleet, CLIENTS_EACH)

/** Returns the node of each country that has the most clients. */
export function busiest(nodes: readonly NodeSpec[], clients: readonly Standing[]): readonly NodeSpec[] {
  const count = ({ id }: NodeSpec) => clients.filter(({ node }) => node === id).length
  return COUNTRIES.flatMap(country => {
    const here = nodes.filter(node => node.country === country)
    return here.toSorted((a, b) => count(b) - count(a)).slice(0, 1)
  })
}

const agents = (role: 'node' | 'client', fleet: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const number = fleet * count + i
    return { id: `${role}-${number}`, country: COUNTRIES[number % COUNTRIES.length] ?? 'DE' }
  })
