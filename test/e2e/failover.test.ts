/** Two hundred real agents, while nodes go in every way in which nodes go: every client keeps one that it wished for. */
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { systemClock } from '../../src/kit/clock.js'
import { until } from '../support/until.js'
import type { Standing } from './client-fleet.js'
import { busiest, Crowd, nodesOf } from './crowd.js'
import { asTable, type Loss, lossesOf } from './losses.js'

/** Traffic between two ends of nodes, ms. */
const CALM_MS = 1_000
/** How long the last answers may take, ms. */
const LAST_ANSWERS_MS = 2_000
/** What a move may cost while the old node still carries, datagrams of twenty a second: none, but on a busy machine. */
const LOST_BY_CALM_MOVE = 2
/** Clients that a node may carry once its places are cut: fewer than it has, and more than others have no room for. */
const PLACES_LEFT = 12

t.test('clients keep a node that meets their wish, whatever becomes of nodes', async t => {
  const crowd = await Crowd.start(t)
  const gone = new Set<string>()
  const isServed = ({ country, node, nodeCountry }: Standing) =>
    node !== null && nodeCountry === country && !gone.has(node)

  /** Nodes go: everybody is served by others, and goes on for a while. */
  async function without(t: Test, what: string, ids: readonly string[], go: () => unknown): Promise<void> {
    const { length } = await crowd.clientsOn(ids)
    const began = performance.now()
    await go()
    for (const id of ids) gone.add(id)
    await crowd.until(`${what}: every client has another node`, isServed)
    t.comment(`${what}: ${ids.length} nodes, ${length} clients, ${Math.round(performance.now() - began)} ms`)
    await wait(CALM_MS) // the traffic of this time is what is looked at
  }

  await crowd.until('every client has a node', isServed)
  const last = idsOf(nodesOf(3))
  const drained = last.slice(0, 4)
  const overloaded = last.slice(4, 8)
  const cut = last.slice(8)

  await crowd.nodes[3]?.ask('overload', overloaded)
  await until('the server says which nodes carry badly', () =>
    overloaded.every(id => crowd.server.said().includes(`"id":"${id}","ailment":"uplink"`)),
  )
  const overloadedAtMs = systemClock.wallMs()
  const { length: onOverloaded } = await crowd.clientsOn(overloaded)

  const closed = idsOf(busiest(nodesOf(0), await crowd.standing())).slice(0, 3)
  await without(t, 'their sockets are closed', closed, () => crowd.nodes[0]?.ask('kill', closed))
  await without(t, 'their process is killed', idsOf(nodesOf(1)), () => crowd.nodes[1]?.kill())
  await without(t, 'they fall silent', idsOf(nodesOf(2)), () => crowd.nodes[2]?.freeze())

  let drainedAtMs = Infinity
  await without(t, 'they are drained', drained, async () => {
    const ended = await Promise.all(drained.map(id => crowd.boson('drain', id)))
    for (const { code, stderr } of ended) t.equal(code, 0, `the drain has ended ${stderr}`)
    drainedAtMs = systemClock.wallMs()
  })

  const { length: before } = await crowd.clientsOn(cut)
  for (const id of cut) await crowd.boson('steer', id, '--max-sessions', String(PLACES_LEFT))
  const isWithin = async () => (await crowd.clientsOn(cut)).length <= cut.length * PLACES_LEFT
  await until('clients leave nodes whose places are cut', isWithin)
  await wait(CALM_MS) // as above
  t.comment(`their places are cut: ${cut.length} nodes, ${before} clients before`)
  const { length: still } = await crowd.clientsOn(overloaded)
  t.comment(`they are overloaded: ${overloaded.length} nodes, ${onOverloaded} clients before, ${still} now`)

  await crowd.rest()
  await wait(LAST_ANSWERS_MS) // for the last answers
  const reports = await crowd.reports()
  const moves = reports.flatMap(each => each.moves)
  const losses = lossesOf(reports)
  t.comment(asTable(losses))
  t.comment(`${reports.reduce((sum, { sent }) => sum + sent, 0)} datagrams sent by ${reports.length} clients`)

  t.same(
    reports.filter(each => !isServed(each)),
    [],
    'every client has a node that meets its wish',
  )
  const ontoDrained = moves.filter(({ to, atMs }) => atMs > drainedAtMs && drained.includes(to))
  t.same(ontoDrained, [], 'nobody moves to a drained node')
  const later = moves.filter(({ atMs }) => atMs > overloadedAtMs)
  const ontoOverloaded = later.filter(({ to }) => overloaded.includes(to))
  t.ok(ontoOverloaded.length <= later.length / 20, `${ontoOverloaded.length} moves to overloaded nodes`)
  const isRelief = ({ cause }: Pick<Loss, 'cause'>) => cause === 'node_degraded'
  t.same(
    moves.filter(move => isRelief(move) && !overloaded.includes(move.from ?? '')),
    [],
    'only overloaded nodes are left for carrying badly',
  )
  for (const cause of ['node_drained', 'capacity_cut']) {
    const { lost = Infinity, moves = 0 } = losses.find(each => each.cause === cause) ?? {}
    t.ok(lost <= moves * LOST_BY_CALM_MOVE, `${cause}: ${lost} lost by ${moves} moves`)
  }
  // Overloaded nodes are left while others die: what that costs a client that has just come from one may be counted here.
  const { median = Infinity, moves: relieved = 0 } = losses.find(each => isRelief(each)) ?? {}
  t.ok(median <= LOST_BY_CALM_MOVE, `node_degraded: ${median} lost by the middle one of ${relieved} moves`)
  for (const cause of ['node_lost', 'node_lapsed'])
    t.ok(
      moves.some(each => each.cause === cause),
      `some moved because of ${cause}`,
    )

  t.equal((await crowd.get('/health/live')).status, 200, 'the server is alive')
  const metrics = await (await crowd.get('/metrics')).text()
  t.match(metrics, /^boson_faults_total(\{.*\})? 0$/m, 'and nothing in it has failed')
  t.equal(await crowd.server.end('SIGTERM'), 0, 'it ends as it should')
})

const idsOf = (nodes: readonly { readonly id: string }[]): string[] => nodes.map(({ id }) => id)
