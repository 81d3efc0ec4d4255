import t from 'tap'
import fc from 'fast-check'
import { seededRandom } from '../../src/kit/random.js'
import { choose } from '../../src/mesh/choose.js'
import type { NodeFacts } from '../../src/mesh/node-facts.js'
import { rejection, type Requirements } from '../../src/mesh/requirements.js'
import { CLIENT, NODE, poolsOf } from './facts.js'

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
        const fleet: NodeFacts[] = changes.map(change => ({ ...NODE, ...change }))
        const pools = poolsOf(fleet)
        const question = { want: want as Requirements, client: CLIENT }
        const choice = choose(pools, question, seededRandom(seed))
        const again = choose(pools, question, seededRandom(seed))
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
  const pools = poolsOf(fleet)
  for (let i = 0; i < 5_000; i++) {
    const { node } = choose(pools, { want: {}, client: CLIENT }, random)
    if (node !== null) node.reserved++
  }
  const most = Math.max(...fleet.map(node => node.reserved))
  t.ok(most <= 110, `the fullest of 50 nodes has ${most} of 5,000 clients; the mean is 100`)
})
