import t from 'tap'
import fc from 'fast-check'
import { seededRandom } from '../../src/kit/random.js'
import { choose } from '../../src/mesh/choose.js'
import { costOf } from '../../src/mesh/cost.js'
import type { NodeFacts } from '../../src/mesh/node-facts.js'
import { rejection, type Requirements, unmet } from '../../src/mesh/requirements.js'

const NODE: NodeFacts = {
  id: 'fra-1',
  accepting: true,
  country: 'DE',
  region: 'eu-central',
  exit: false,
  policy: 'auto',
  maxSessions: 100,
  reserved: 0,
  linksLeft: 1_000,
  bandwidthMbps: 1_000,
  bwTotalMbps: 100,
  rttMs: 20,
  cpuTotalPct: 10,
  packetLossPct: 0,
}

const cases: readonly { name: string; node?: Partial<NodeFacts>; want?: Requirements; is: string | null }[] =
  [
    { name: 'a node without demands on it', is: null },
    { name: 'one that is away', node: { accepting: false }, is: 'not accepting' },
    { name: 'another than the target', want: { target: 'ams-1' }, is: 'target' },
    { name: 'the target', want: { target: 'fra-1' }, is: null },
    { name: 'another country', want: { country: 'NL' }, is: 'country' },
    { name: 'an unknown country', node: { country: null }, want: { country: 'DE' }, is: 'country' },
    { name: 'another region', want: { region: 'us-east' }, is: 'region' },
    { name: 'no exit', want: { exit: true }, is: 'exit' },
    { name: 'an exit that is not asked for', node: { exit: true }, is: null },
    { name: 'excluded', want: { exclude: ['fra-1'] }, is: 'excluded' },
    { name: 'full', node: { reserved: 100 }, is: 'full' },
    { name: 'no limit of its own', node: { maxSessions: null, reserved: 500 }, is: null },
    { name: 'no link left', node: { maxSessions: null, linksLeft: 0 }, is: 'full' },
    { name: 'too little bandwidth left', want: { minBandwidthMbps: 901 }, is: 'bandwidth' },
    { name: 'just enough', want: { minBandwidthMbps: 900 }, is: null },
    {
      name: 'bandwidth never stated',
      node: { bandwidthMbps: null },
      want: { minBandwidthMbps: 1 },
      is: 'bandwidth unknown',
    },
    { name: 'too far', want: { maxLatencyMs: 19 }, is: 'latency' },
    { name: 'near enough', want: { maxLatencyMs: 20 }, is: null },
    { name: 'never measured', node: { rttMs: null }, want: { maxLatencyMs: 1_000 }, is: 'latency unknown' },
  ]
for (const { name, node, want, is } of cases) {
  t.test(`${name}: ${is ?? 'qualifies'}`, async t => {
    t.equal(rejection({ ...NODE, ...node }, want ?? {}), is)
  })
}

t.test('each reason is told in words, with how many nodes it ruled out', async t => {
  t.same(unmet({ country: 'DE' }, { country: 3, full: 1 }, 4), [
    'country DE: ruled out 3 of 4',
    'a free place: ruled out 1 of 4',
  ])
})

t.test('load, distance and self-reported strain each make a node dearer', async t => {
  const base = costOf(NODE).cost
  t.ok(costOf({ ...NODE, reserved: 50 }).cost > base)
  t.ok(costOf({ ...NODE, rttMs: 100 }).cost > base)
  t.ok(costOf({ ...NODE, cpuTotalPct: 90 }).cost > base)
  t.ok(costOf({ ...NODE, packetLossPct: 5 }).cost > base)
})

t.test('a node cannot talk itself below another that is half as loaded', async t => {
  const liar = { ...NODE, reserved: 60, cpuTotalPct: 0, packetLossPct: 0 }
  const honest = { ...NODE, reserved: 30, cpuTotalPct: 100, packetLossPct: 10 }
  t.ok(costOf(honest).cost < costOf(liar).cost)
})

t.test('unknown is said as null and never counts as the best', async t => {
  const { cost, terms } = costOf({ ...NODE, rttMs: null })
  t.equal(terms.rtt, null)
  t.ok(cost > costOf({ ...NODE, rttMs: 0 }).cost)
})

t.test(
  'the choice always qualifies, is the cheapest of the compared, and is the same under a seed',
  async t => {
    const nodes = fc.array(
      fc.record({
        id: fc.uuid(),
        accepting: fc.boolean(),
        country: fc.constantFrom('DE', 'NL', null),
        exit: fc.boolean(),
        maxSessions: fc.option(fc.integer({ min: 0, max: 5 })),
        reserved: fc.integer({ min: 0, max: 5 }),
        rttMs: fc.option(fc.integer({ min: 0, max: 300 })),
      }),
      { maxLength: 30 },
    )
    const want = fc.record(
      { country: fc.constantFrom('DE', 'NL'), exit: fc.boolean(), maxLatencyMs: fc.nat(300) },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(nodes, want, fc.integer(), (changes, want, seed) => {
        const fleet = changes.map(change => ({ ...NODE, ...change }))
        const choice = choose(fleet, want as Requirements, seededRandom(seed))
        const again = choose(fleet, want as Requirements, seededRandom(seed))
        const qualified = fleet.filter(node => rejection(node, want as Requirements) === null)
        const ruledOut = Object.values(choice.excluded).reduce((sum, count) => sum + count, 0)
        return (
          choice.node === again.node &&
          (choice.node === null) === (qualified.length === 0) &&
          choice.qualified === qualified.length &&
          choice.considered === fleet.length &&
          ruledOut + choice.qualified === choice.considered &&
          choice.compared.every(
            ({ node, cost }) => qualified.includes(node) && cost >= (choice.compared[0]?.cost ?? 0),
          )
        )
      }),
      { seed: 20_261_121, numRuns: 500 },
    )
    t.pass('500 fleets')
  },
)

t.test('a burst with reservations spreads over the fleet', async t => {
  const random = seededRandom(3)
  const fleet = Array.from({ length: 50 }, (_, i) => ({
    ...NODE,
    id: `n${i}`,
    maxSessions: null as number | null,
    reserved: 0,
  }))
  for (let i = 0; i < 5_000; i++) {
    const { node } = choose(fleet, {}, random)
    if (node !== null) node.reserved++
  }
  const most = Math.max(...fleet.map(node => node.reserved))
  t.ok(most <= 110, `the fullest of 50 nodes has ${most} of 5,000 clients; the mean is 100`)
})
