import t from 'tap'
import fc from 'fast-check'
import type { ClientFacts } from '../../src/mesh/client-facts.js'
import { AVERAGE, costOf } from '../../src/mesh/cost.js'
import type { NodeFacts } from '../../src/mesh/node-facts.js'
import { distanceKm, positionOf } from '../../src/mesh/position.js'
import { COST_TERMS } from '../../src/protocol/messages.js'
import { CLIENT, NODE } from './facts.js'

const FRANKFURT = { x: 0, y: 0, z: 0, ...positionOf(50.11, 8.68) }
const SYDNEY = { x: 0, y: 0, z: 0, ...positionOf(-33.87, 151.21) }
const base = costOf(NODE, CLIENT).cost

const dearer: readonly { name: string; node: Partial<NodeFacts>; client?: Partial<ClientFacts> }[] = [
  { name: 'places taken', node: { reserved: 50 } },
  { name: 'a busy uplink', node: { bwTotalMbps: 900 } },
  { name: 'a longer round trip', node: { rttMs: 100 } },
  { name: 'loss on the way to it', node: { lossPct: 5 } },
  { name: 'a busy CPU', node: { cpuTotalPct: 90 } },
  { name: 'loss that it reports', node: { packetLossPct: 5 } },
  { name: 'something that is nearly full', node: { pressurePct: 90 } },
  { name: 'a higher price', node: { costWeight: 2 } },
  { name: 'lost sessions', node: { flaps: 2 } },
]
for (const { name, node } of dearer) {
  t.test(`${name}: dearer`, async t => {
    t.ok(costOf({ ...NODE, ...node }, CLIENT).cost > base)
  })
}

t.test('a half-full node costs one more than an empty one', async t => {
  const quiet = { ...NODE, bwTotalMbps: 0 }
  const load = (reserved: number) => costOf({ ...quiet, reserved }, CLIENT).terms.load
  t.equal(load(0), 0)
  t.equal(load(50), 1)
})

t.test('a near node is cheaper than one across the earth, and one somewhere is in between', async t => {
  const client = { ...CLIENT, position: FRANKFURT }
  const [near, somewhere, far] = [FRANKFURT, null, SYDNEY].map(
    position => costOf({ ...NODE, position }, client).cost,
  ) as [number, number, number]
  t.ok(near < somewhere && somewhere < far)
  t.ok(Math.abs(distanceKm(FRANKFURT, SYDNEY) - 16_480) < 100)
  t.equal(distanceKm(FRANKFURT, FRANKFURT), 0)
  const antipode = { x: -FRANKFURT.x, y: -FRANKFURT.y, z: -FRANKFURT.z }
  t.ok(Math.abs(distanceKm(FRANKFURT, antipode) - 20_015) < 1)
})

t.test('what the NATs allow counts: direct, by TURN, by the relay, not at all', async t => {
  const open = { ...NODE.nat, udp: 'open', nat: true, ipv6: false } as const
  const easy = { ...open, mapping: 'endpoint_independent', filtering: 'endpoint_independent' } as const
  const hard = {
    ...open,
    mapping: 'address_and_port_dependent',
    filtering: 'address_and_port_dependent',
  } as const
  const blocked = { ...NODE.nat, udp: 'blocked' } as const
  const tier = (client: Partial<ClientFacts>, node: Partial<NodeFacts>) =>
    costOf({ ...NODE, ...node }, { ...CLIENT, ...client }).terms.tier
  const [direct, turned, relayed, none] = [
    tier({ nat: easy }, { nat: easy }),
    tier({ nat: hard }, { nat: hard }),
    tier({ nat: easy }, { nat: blocked }),
    tier({ nat: hard, policy: 'direct-only' }, { nat: hard }),
  ] as [number, number, number, number]
  t.equal(direct, 0)
  t.ok(direct < turned && turned < relayed && relayed < none)
  t.equal(tier({ nat: easy, policy: 'relay-only' }, { nat: easy }), relayed)
  t.equal(tier({}, { nat: easy }), null)
})

t.test('a node cannot talk itself below another that is half as loaded', async t => {
  const liar = { ...NODE, reserved: 60, bwTotalMbps: 0, cpuTotalPct: 0, packetLossPct: 0, latencyP50Ms: 0 }
  const honest = { ...NODE, reserved: 30, bwTotalMbps: 300, cpuTotalPct: 100, packetLossPct: 10 }
  t.ok(costOf(honest, CLIENT).cost < costOf(liar, CLIENT).cost)
})

t.test('a weight of nought leaves a term out, another multiplies it', async t => {
  const node = { ...NODE, costWeight: 4 }
  const { cost, terms } = costOf(node, CLIENT)
  t.equal(costOf(node, CLIENT, { price: 0 }).terms.price, 0)
  t.ok(Math.abs(costOf(node, CLIENT, { price: 3 }).cost - cost - 2 * (terms.price ?? 0)) < 0.01 + cost)
  const unknown = { ...NODE, rttMs: null }
  t.equal(costOf(unknown, CLIENT, { rtt: 0 }).terms.rtt, null)
  t.ok(costOf(unknown, CLIENT, { rtt: 0 }).cost < costOf(unknown, CLIENT).cost)
})

const maybe = (max: number) => fc.option(fc.double({ min: 0, max, noNaN: true }))
const degrees = (most: number) => fc.double({ min: -most, max: most, noNaN: true })
const position = fc.tuple(maybe(90), fc.option(degrees(180))).map(([north, east]) => positionOf(north, east))
const nodes = fc
  .record({
    reserved: fc.nat(200),
    maxSessions: fc.option(fc.integer({ min: 0, max: 200 })),
    bandwidthMbps: maybe(1_000),
    bwTotalMbps: maybe(2_000),
    rttMs: maybe(1_000),
    lossPct: maybe(100),
    flaps: maybe(10),
    costWeight: maybe(10),
    cpuTotalPct: maybe(400),
    packetLossPct: maybe(100),
    latencyP50Ms: maybe(5_000),
    pressurePct: maybe(100),
    position,
  })
  .map(change => ({ ...NODE, ...change }))
const weights = fc.dictionary(fc.constantFrom(...COST_TERMS), fc.double({ min: 0, max: 10, noNaN: true }))

t.test('the cost is what its terms add up to, unknown ones as average', async t => {
  fc.assert(
    fc.property(nodes, position, weights, (node, position, weights) => {
      const { cost, terms } = costOf(node, { ...CLIENT, position }, weights)
      const own = COST_TERMS.map(term => terms[term] ?? AVERAGE[term] * (weights[term] ?? 1))
      return Math.abs(own.reduce((a, b) => a + b) - cost) < 1e-9 && cost >= 0
    }),
  )
  t.pass('every one')
})

t.test('beside measured figures what a node says of itself is at most 30 % of the whole', async t => {
  fc.assert(
    fc.property(nodes, weights, (node, weights) => {
      fc.pre(node.rttMs !== null || node.lossPct !== null)
      const { cost, terms } = costOf(node, CLIENT, weights)
      return (terms.reported ?? 0) <= 0.3 * cost + 1e-9
    }),
  )
  t.pass('every one')
})

t.test('a worse figure never makes a node cheaper', async t => {
  const figures = [
    'reserved',
    'bwTotalMbps',
    'rttMs',
    'lossPct',
    'flaps',
    'costWeight',
    'cpuTotalPct',
    'pressurePct',
  ] as const
  fc.assert(
    fc.property(
      nodes,
      weights,
      fc.constantFrom(...figures),
      fc.integer({ min: 1, max: 100 }),
      (node, weights, figure, more) => {
        const before = node[figure]
        fc.pre(before !== null)
        const worse = { ...node, [figure]: (before as number) + more }
        return costOf(worse, CLIENT, weights).cost >= costOf(node, CLIENT, weights).cost - 1e-9
      },
    ),
  )
  t.pass('every one')
})
