/** Two hundred real agents, while nodes are killed, fall silent and are drained: every client keeps a node. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { systemClock } from '../../src/kit/clock.js'
import { commandIn, startServer } from '../support/boson.js'
import { until } from '../support/until.js'
import type { ClientCalls, Standing } from './client-fleet.js'
import { Fleet } from './fleet.js'
import { asTable, lossesOf } from './losses.js'
import type { NodeCalls } from './node-fleet.js'

const COUNTRIES = ['DE', 'FI', 'NL', 'FR'] as const
const FLEETS = 4
const NODES_EACH = 10
const CLIENTS_EACH = 40

/** All agents come from one address, and none of them is a storm. */
const MANY = '100000'
const SETTINGS = {
  HOST: '127.0.0.1',
  BOSON_TURN_MODE: 'off',
  BOSON_RELAY_PAYLOAD: 'any',
  BOSON_BEAT_EVERY_MS: '2000',
  BOSON_GREETING_PER_ADDRESS: MANY,
  BOSON_SESSIONS_PER_ADDRESS: MANY,
  BOSON_HELLOS_PER_SECOND: MANY,
  BOSON_HELLO_BURST: MANY,
}

/** Traffic between two ends of nodes, ms: what is lost in it belongs to no failover. */
const CALM_MS = 1_500
/** How long the last answers may take, ms. */
const LAST_ANSWERS_MS = 2_000
/** What a drain may cost each client that moves, datagrams of twenty a second: none, but on a busy machine. */
const LOST_BY_DRAIN = 2

t.test('clients keep a node that meets their wish, whatever becomes of nodes', async t => {
  const cwd = t.testdir()
  const server = await startServer(t, { cwd, env: SETTINGS })
  const boson = commandIn(t, { cwd })
  const port = String(server.port)
  const credential = (await boson('enrol', '--uses', 'any', '--port', port)).stdout.trim()
  const ground = { url: `ws://127.0.0.1:${port}`, credential }
  const ofFleets = <T>(make: (fleet: number) => T) =>
    Array.from({ length: FLEETS }, (_, fleet) => make(fleet))

  const nodes = ofFleets(() => new Fleet<NodeCalls>(t, './node-fleet.js', ground))
  const clients = ofFleets(() => new Fleet<ClientCalls>(t, './client-fleet.js', ground))
  const nodesOf = (fleet: number) => agents('node', fleet, NODES_EACH).map(each => each.id)
  await Promise.all(nodes.map((each, i) => each.ask('start', agents('node', i, NODES_EACH))))
  await Promise.all(clients.map((each, i) => each.ask('start', agents('client', i, CLIENTS_EACH))))

  const gone = new Set<string>()
  const standing = async () => (await Promise.all(clients.map(each => each.ask('standing', null)))).flat()
  const isServed = ({ country, node, nodeCountry }: Standing) =>
    node !== null && nodeCountry === country && !gone.has(node)

  /** Nodes go: everybody is served by others, and goes on for a while. */
  async function without(t: Test, what: string, ids: readonly string[], go: () => unknown): Promise<void> {
    const on = (await standing()).filter(({ node }) => node !== null && ids.includes(node)).length
    const began = performance.now()
    await go()
    for (const id of ids) gone.add(id)
    await until(`${what}: every client has a node again`, async () =>
      (await standing()).every(isServed),
    ).catch(async (error: Error) =>
      t.same(
        (await standing()).filter(each => !isServed(each)),
        [],
        error.message,
      ),
    )
    t.comment(`${what}: ${ids.length} nodes with ${on} clients, ${Math.round(performance.now() - began)} ms`)
    await wait(CALM_MS) // the traffic of this time is what is looked at
  }

  t.ok((await standing()).every(isServed), 'at first')
  await wait(CALM_MS)

  const closed = busiest(await standing(), agents('node', 0, NODES_EACH)).slice(0, 3)
  await without(t, 'their sockets are closed', closed, () => nodes[0]?.ask('kill', closed))
  await without(t, 'their process is killed', nodesOf(1), () => nodes[1]?.kill())
  await without(t, 'they fall silent', nodesOf(2), () => nodes[2]?.freeze())
  const drained = nodesOf(3).slice(0, 4)
  let drainedAtMs = Infinity
  await without(t, 'they are drained', drained, async () => {
    const ended = await Promise.all(drained.map(id => boson('drain', id, '--port', port)))
    for (const { code, stderr } of ended) t.equal(code, 0, `the drain has ended ${stderr}`)
    drainedAtMs = systemClock.wallMs()
  })

  await Promise.all(clients.map(each => each.ask('rest', null)))
  await wait(LAST_ANSWERS_MS) // for the last answers
  const reports = (await Promise.all(clients.map(each => each.ask('report', null)))).flat()
  const losses = lossesOf(reports)
  t.comment(asTable(losses))
  t.comment(`${reports.reduce((sum, { sent }) => sum + sent, 0)} datagrams sent by ${reports.length} clients`)

  const late = reports.flatMap(({ moves }) => moves.filter(({ atMs }) => atMs > drainedAtMs))
  t.notOk(
    late.some(({ to }) => drained.includes(to)),
    'nobody moves to a drained node',
  )
  t.same(
    reports.filter(each => !isServed(each)),
    [],
    'every client has a node that meets its wish',
  )
  const drain = losses.find(({ cause }) => cause === 'node_drained')
  t.ok(drain !== undefined && drain.lost <= drain.moves * LOST_BY_DRAIN, `lost by drains: ${drain?.lost}`)
  for (const cause of ['node_lost', 'node_lapsed'])
    t.ok(
      losses.some(each => each.cause === cause),
      `some moved because of ${cause}`,
    )

  const ask = (path: string) => {
    const token = readFileSync(join(cwd, '.boson', 'secret-token'), 'utf8').trim()
    return fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` } })
  }
  t.equal((await ask('/health/live')).status, 200, 'the server is alive')
  const metrics = await (await ask('/metrics')).text()
  t.match(metrics, /^boson_faults_total(\{.*\})? 0$/m, 'and nothing in it has failed')
  t.equal(await server.end('SIGTERM'), 0, 'it ends as it should')
})

/** The agents of a fleet: every country has as many. */
const agents = (role: 'node' | 'client', fleet: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const number = fleet * count + i
    return { id: `${role}-${number}`, country: COUNTRIES[number % COUNTRIES.length] ?? 'DE' }
  })

/** Returns the node of each country that has the most clients. */
function busiest(clients: readonly Standing[], nodes: readonly { id: string; country: string }[]): string[] {
  const count = (id: string) => clients.filter(({ node }) => node === id).length
  return COUNTRIES.flatMap(country => {
    const here = nodes.filter(node => node.country === country).map(({ id }) => id)
    return here.toSorted((a, b) => count(b) - count(a)).slice(0, 1)
  })
}
