/**
 * Route choice alone: what a pick costs as the fleet grows, how evenly a million clients are spread, and what it
 * costs to keep the pools that a pick draws from. Beside it a plain random draw and a look at every node, over the
 * same nodes and requests.
 */
import type { FleetNode } from '../../src/actors/coordinator/fleet-node.js'
import { pick, type Random, seededRandom } from '../../src/kit/random.js'
import { choose } from '../../src/mesh/choose.js'
import { costOf } from '../../src/mesh/cost.js'
import { NodePools } from '../../src/mesh/pools.js'
import { rejection, requirementsOf } from '../../src/mesh/requirements.js'
import type { Bench, Case, Result, Settings } from '../bench.js'
import { type Asked, type BenchFleet, COUNTRIES, fleetOf, NOBODY } from '../fleets.js'
import { interleave, median } from '../rounds.js'
import { nanosPerCall } from '../stopwatch.js'

/** A way to find a node for a request; null when there is none. */
type Way = (asked: Asked, random: Random) => FleetNode | null

const ourWay =
  ({ fleet }: BenchFleet): Way =>
  ({ wish, client }, random) =>
    choose(fleet.pools, { want: requirementsOf(wish, client), client, nowMs: performance.now() }, random).node

/** Draws until one qualifies: no cost, no explanation, no index. */
const randomWay =
  ({ nodes }: BenchFleet): Way =>
  ({ wish, client }, random) => {
    const want = requirementsOf(wish, client)
    for (let draws = 0; draws < 10_000; draws++) {
      const node = nodes[pick(random, nodes.length)] as FleetNode // inside
      if (rejection(node, want) === null) return node
    }
    return null
  }

/** Looks at every node, and takes the cheapest. */
const scanWay =
  ({ nodes }: BenchFleet): Way =>
  ({ wish, client }) => {
    const want = requirementsOf(wish, client)
    let best: FleetNode | null = null
    let least = Number.POSITIVE_INFINITY
    for (const node of nodes) {
      if (rejection(node, want) !== null) continue
      const { cost } = costOf(node, client, want.weights)
      if (cost < least) [best, least] = [node, cost]
    }
    return best
  }

// ── what a pick costs ────────────────────────────────────────────────────────────────────────────

/** How long each side of a round is called, CPU ms. */
const FOR_MS = { full: 400, quick: 60 }
/** A mesh that is used, but not full. */
const USED = 0.6

/** Returns CPU µs of a client that comes, another one going. */
function pickMicros(way: Way, { fleet, nodes, asked }: BenchFleet, { quick }: Settings): number {
  const random = seededRandom(11)
  let at = 0
  const run = () => {
    const node = way(asked[at++ % asked.length] as Asked, random) // inside
    if (node === null) return
    fleet.reserve(node)
    const other = nodes[pick(random, nodes.length)] as FleetNode // inside
    fleet.free(other.reserved > 0 ? other : node)
  }
  return nanosPerCall(run, quick ? FOR_MS.quick : FOR_MS.full) / 1e3
}

/** Returns a fleet that has clients already, each node its share. */
function usedFleet(size: number): BenchFleet {
  const made = fleetOf(size)
  for (const node of made.nodes) {
    for (let taken = 0; taken < (node.maxSessions ?? 0) * USED; taken++) made.fleet.reserve(node)
  }
  return made
}

const picks = (name: string, size: number): Case => ({
  name,
  about: `a pick among ${size.toLocaleString('en-US')} nodes, its place reserved`,
  async measure(settings) {
    const used = usedFleet(size)
    const time = (way: Way) => () => pickMicros(way, used, settings)
    const sides = { ours: time(ourWay(used)), random: time(randomWay(used)), scan: time(scanWay(used)) }
    const taken = await interleave(settings.rounds, sides, settings.say)
    const [value, least] = [median(taken.ours), median(taken.random)]
    return {
      value,
      unit: 'CPU µs/pick',
      limit: { name: 'plain random draw', value: least },
      ratio: least / value,
      saturated: 'server',
      rounds: settings.rounds,
      detail: { scanMicros: median(taken.scan) },
    }
  },
})

async function growth(settings: Settings): Promise<Result> {
  const [small, large] = [usedFleet(1_000), usedFleet(100_000)]
  const sides = {
    large: () => pickMicros(ourWay(large), large, settings),
    small: () => pickMicros(ourWay(small), small, settings),
  }
  const taken = await interleave(settings.rounds, sides, settings.say)
  const [value, limit] = [median(taken.large), median(taken.small)]
  return {
    value,
    unit: 'CPU µs/pick',
    limit: { name: 'among 1,000', value: limit },
    ratio: limit / value,
    saturated: 'server',
    rounds: settings.rounds,
    target: 0.5,
  }
}

// ── what a pick costs that almost nobody can serve ───────────────────────────────────────────────

/** More than any node has, unless it is one of a few. */
const RARE_MBPS = 5_000
/** Requests in a second of those who need it. */
const RARE_PER_SECOND = 100

/** Returns CPU µs of a request that ten of the nodes meet; `unlike`: each asks for a little more than the one before. */
function rareMicros({ fleet }: BenchFleet, unlike: number, { quick }: Settings): number {
  const random = seededRandom(19)
  const client = NOBODY
  let asked = 0
  // Time goes on from one measurement to the next.
  const beganMs = performance.now() * 1_000
  const run = () => {
    const want = { minBandwidthMbps: RARE_MBPS + unlike * asked }
    choose(fleet.pools, { want, client, nowMs: beganMs + (1_000 / RARE_PER_SECOND) * asked++ }, random)
  }
  return nanosPerCall(run, quick ? FOR_MS.quick : FOR_MS.full) / 1e3
}

async function rare(settings: Settings): Promise<Result> {
  const used = usedFleet(100_000)
  for (const node of used.nodes.filter((_, i) => i % 10_000 === 0)) node.bandwidthMbps = 2 * RARE_MBPS
  const sides = {
    alike: () => rareMicros(used, 0, settings),
    unlike: () => rareMicros(used, 1e-3, settings),
    scan: () => {
      const random = seededRandom(23)
      const [{ client }] = used.asked as [Asked] // there are thousands
      const asked = { wish: { minBandwidthMbps: RARE_MBPS }, client }
      return (
        nanosPerCall(() => scanWay(used)(asked, random), settings.quick ? FOR_MS.quick : FOR_MS.full) / 1e3
      )
    },
  }
  const taken = await interleave(settings.rounds, sides, settings.say)
  const [value, limit] = [median(taken.alike), median(taken.scan)]
  return {
    value,
    unit: 'CPU µs/pick',
    limit: { name: 'a look at every node', value: limit },
    ratio: limit / value,
    saturated: 'server',
    rounds: settings.rounds,
    detail: { unlikeMicros: median(taken.unlike) },
  }
}

// ── how evenly clients are spread ────────────────────────────────────────────────────────────────

/** They fill six places of ten. */
const SPREAD = { full: { nodes: 5_000, clients: 1_000_000 }, quick: { nodes: 500, clients: 100_000 } }
/** Without reservations loads would be those of the last heartbeats: what a burst of so many clients sees. */
const STALE = 10_000
/** A look at every node is only affordable among so few. */
const SCANNED = { nodes: 200, clients: 40_000, stale: 400 }

/** Returns the fullest node's utilisation over the mean after clients came; nodes differ in nothing but their places. */
function spread(nodes: number, clients: number, wayOf: (made: BenchFleet) => Way, refreshEvery = 1): number {
  const made = fleetOf(nodes, { alike: true })
  const way = wayOf(made)
  const random = seededRandom(13)
  const asked = made.asked[0] as Asked // there are thousands
  const unseen: FleetNode[] = []
  // Only as many as leave every third place free, as in a mesh that is used.
  const total = Math.min(clients, Math.floor(made.places * USED))
  for (let i = 0; i < total; i++) {
    const node = way(asked, random)
    if (node !== null) unseen.push(node)
    if (unseen.length < refreshEvery) continue
    for (const one of unseen.splice(0)) made.fleet.reserve(one)
  }
  for (const one of unseen) made.fleet.reserve(one)
  const loads = made.nodes.map(node => node.reserved / (node.maxSessions ?? 1))
  return Math.max(...loads) / (total / made.places)
}

async function balance({ rounds, quick, say }: Settings): Promise<Result> {
  const { nodes, clients } = quick ? SPREAD.quick : SPREAD.full
  say('ours')
  const value = spread(nodes, clients, ourWay)
  say('plain random')
  const random = spread(nodes, clients, randomWay)
  say('loads of some time ago')
  const stale = spread(nodes, clients, ourWay, STALE)
  say('a look at every node')
  return {
    value,
    unit: 'max/mean load',
    limit: { name: 'perfectly even', value: 1 },
    ratio: 1 / value,
    saturated: 'server',
    rounds: Math.min(rounds, 1),
    target: 0.9,
    detail: {
      random,
      staleLoads: stale,
      [`of${SCANNED.nodes}`]: spread(SCANNED.nodes, SCANNED.clients, ourWay),
      [`of${SCANNED.nodes}Scanned`]: spread(SCANNED.nodes, SCANNED.clients, scanWay),
      [`of${SCANNED.nodes}ScannedStaleLoads`]: spread(SCANNED.nodes, SCANNED.clients, scanWay, SCANNED.stale),
    },
  }
}

// ── what the pools cost to keep ──────────────────────────────────────────────────────────────────

/** Returns CPU µs of a node that goes and comes back, while so many pools are kept. */
function changeMicros(nodes: readonly FleetNode[], kinds: number, { quick }: Settings): number {
  const pools = new NodePools<FleetNode>()
  for (const node of nodes) pools.update(node)
  for (let i = 0; i < kinds; i++) {
    const country = COUNTRIES[i % COUNTRIES.length] as string // inside
    // Half of them of exits; further ones by a tag that nobody has.
    const tags = i < 2 * COUNTRIES.length ? [] : [`tag-${i}`]
    // A second for each, or it would not be made.
    pools.pool({ country, exit: i % 32 >= COUNTRIES.length, tags }, 1e3 * i)
  }
  const random = seededRandom(17)
  const run = () => {
    const node = nodes[pick(random, nodes.length)] as FleetNode // inside
    node.accepting = false
    pools.update(node)
    node.accepting = true
    pools.update(node)
  }
  return nanosPerCall(run, quick ? FOR_MS.quick : FOR_MS.full) / 1e3
}

async function keeping(settings: Settings): Promise<Result> {
  const { nodes } = fleetOf(100_000)
  const sides = {
    some: () => changeMicros(nodes, 32, settings),
    all: () => changeMicros(nodes, 250, settings),
    one: () => changeMicros(nodes, 0, settings),
  }
  const taken = await interleave(settings.rounds, sides, settings.say)
  const [value, limit] = [median(taken.some), median(taken.one)]
  return {
    value,
    unit: 'CPU µs/change',
    limit: { name: 'one pool', value: limit },
    ratio: limit / value,
    saturated: 'server',
    rounds: settings.rounds,
    detail: { with250Pools: median(taken.all) },
  }
}

export const chooseBench: Bench = {
  name: 'choose',
  about: 'Route choice: what a pick costs, how evenly clients are spread, what the pools cost to keep.',
  cases: [
    picks('1k', 1_000),
    picks('10k', 10_000),
    picks('100k', 100_000),
    { name: '1k-over-100k', about: 'how a pick grows with the fleet', measure: growth },
    {
      name: 'rare',
      about: `ten of 100,000 nodes will do, and ${RARE_PER_SECOND} clients ask in a second`,
      measure: rare,
    },
    { name: 'balance', about: 'a million clients over nodes of unlike capacities', measure: balance },
    { name: 'keeping', about: 'a node goes and comes back among 100,000, 32 pools kept', measure: keeping },
  ],
}
