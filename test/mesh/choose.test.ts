import t, { type Test } from 'tap'
import fc from 'fast-check'
import { seededRandom } from '../../src/kit/random.js'
import { type Choice, choose, type Compared, explainAll } from '../../src/mesh/choose.js'
import { AVERAGE } from '../../src/mesh/cost.js'
import type { NodeFacts } from '../../src/mesh/node-facts.js'
import { rejection, type Requirements } from '../../src/mesh/requirements.js'
import { COST_TERMS } from '../../src/protocol/messages.js'
import { CLIENT, NODE, poolsOf } from './facts.js'

const RUNS = { seed: 20_261_121, numRuns: 400 }

/** What the terms of an explanation add up to. */
const sum = (terms: Compared<NodeFacts>['terms'], weights: Requirements['weights'] = {}): number =>
  COST_TERMS.reduce((cost, term) => cost + (terms[term] ?? AVERAGE[term] * (weights[term] ?? 1)), 0)

const names = fc.subarray(['a', 'b'])
const nodes = fc.record(
  {
    accepting: fc.boolean(),
    draining: fc.boolean(),
    degraded: fc.boolean(),
    country: fc.constantFrom('DE', 'NL', null),
    tags: names,
    groups: names,
    exit: fc.boolean(),
    policy: fc.constantFrom('auto', 'relay-only', 'direct-only'),
    maxSessions: fc.option(fc.integer({ min: 0, max: 5 })),
    reserved: fc.nat(5),
    linksLeft: fc.nat(2),
    rttMs: fc.option(fc.nat(300)),
    costWeight: fc.option(fc.nat(3)),
  },
  { requiredKeys: [] },
)
/** Few, which are all looked at, and many, of which a few are drawn. Of many, most are usual. */
const fleets = fc
  .tuple(fc.array(nodes, { maxLength: 30 }), fc.constantFrom(0, 40, 200))
  .map(([odd, usual]): NodeFacts[] =>
    [...odd, ...Array.from({ length: usual }, (_, i) => odd[i % 7] ?? {})].map((change, i) => ({
      ...NODE,
      ...change,
      id: `n${i}`,
    })),
  )
const some = fc.array(fc.nat(40), { maxLength: 6 }).map(numbers => numbers.map(i => `n${i}`))
const wants: fc.Arbitrary<Requirements> = fc
  .record(
    {
      country: fc.constantFrom('DE', 'NL'),
      tags: names,
      groups: names,
      anyGroup: names,
      exit: fc.boolean(),
      policy: fc.constantFrom('auto', 'relay-only', 'direct-only'),
      maxLatencyMs: fc.nat(300),
      exclude: some,
      prefer: some,
      avoid: some,
      weights: fc.dictionary(fc.constantFrom(...COST_TERMS), fc.nat(3)),
    },
    { requiredKeys: [] },
  )
  .map(want => want as Requirements) // absent is absent, never undefined
const rarely = (chance: fc.Arbitrary<string>) => fc.option(chance, { freq: 5 })
const questions = fc
  .tuple(wants, rarely(fc.constant('n3')), rarely(fc.constantFrom('n3', 'n4')))
  .map(([want, target, pin]) => ({
    ...want,
    ...(target !== null && { target }),
    ...(pin !== null && { pin }),
  }))

/** Checks a property of the choice among many kinds of fleet and question. */
function always(
  t: Test,
  holds: (choice: Choice<NodeFacts>, fleet: NodeFacts[], want: Requirements, also: NodeFacts[]) => boolean,
): void {
  fc.assert(
    fc.property(fleets, questions, some, fc.integer(), (fleet, want, named, seed) => {
      const also = fleet.filter(node => named.includes(node.id))
      const choice = choose(poolsOf(fleet), { want, client: CLIENT, nowMs: 0, also }, seededRandom(seed))
      return holds(choice, fleet, want, also)
    }),
    RUNS,
  )
  t.pass(`${RUNS.numRuns} fleets`)
}

t.test('no node that is ruled out is ever chosen or compared', async t => {
  always(t, ({ compared }, _, want) => compared.every(({ node }) => rejection(node, want) === null))
})

t.test('nobody is refused while one node qualifies', async t => {
  always(
    t,
    (choice, fleet, want) => (choice.node === null) === !fleet.some(node => rejection(node, want) === null),
  )
})

t.test(
  'the explanation is the decision: terms make the cost, the first is the choice, reasons are true',
  async t => {
    const rank = { preferred: 0, avoided: 2, degraded: 3 }
    always(t, ({ node, compared, rejected, excluded, considered, qualified }, _, want) => {
      const order = compared.map(({ liking, cost }) => [liking === null ? 1 : rank[liking], cost] as const)
      const ruledOut = Object.values(excluded).reduce((all, count) => all + count, 0)
      return (
        node === (compared[0]?.node ?? null) &&
        new Set(compared.map(({ node }) => node)).size === compared.length &&
        compared.every(({ cost, terms }) => Math.abs(cost - sum(terms, want.weights)) < 1e-9) &&
        order.every(([rank, cost], i) => {
          const [rankBefore, costBefore] = order[i - 1] ?? [0, 0]
          return rank > rankBefore || (rank === rankBefore && (cost >= costBefore || i === 0))
        }) &&
        rejected.every(({ node, reason }) => rejection(node, want) === reason) &&
        ruledOut + qualified === considered &&
        compared.length <= qualified
      )
    })
  },
)

t.test('of a few nodes every one is accounted for', async t => {
  always(t, ({ considered, qualified }, fleet, want) => {
    const fit = fleet.filter(node => rejection(node, want) === null)
    return fleet.length > 64 || (considered === fleet.length && qualified === fit.length)
  })
})

t.test(
  'a preferred node is taken if one qualifies, an avoided or degraded one only if no other does',
  async t => {
    always(t, ({ node }, fleet, want) => {
      const all = fleet.filter(one => rejection(one, want) === null)
      if (node?.degraded === true) return all.every(one => one.degraded)
      const fit = all.filter(one => !one.degraded).map(one => one.id)
      const preferred = fit.filter(id => want.prefer?.includes(id))
      const welcome = fit.filter(id => !want.avoid?.includes(id))
      if (node === null) return true
      if (preferred.length > 0) return preferred.includes(node.id)
      return welcome.length === 0 || welcome.includes(node.id)
    })
  },
)

t.test('those that are named are compared if they qualify', async t => {
  always(t, ({ compared }, _, want, also) =>
    also
      .filter(node => rejection(node, want) === null)
      .every(node => compared.some(one => one.node === node)),
  )
})

t.test('the same seed makes the same choice', async t => {
  fc.assert(
    fc.property(fleets, wants, fc.integer(), (fleet, want, seed) => {
      const once = () => choose(poolsOf(fleet), { want, client: CLIENT, nowMs: 0 }, seededRandom(seed))
      const [one, other] = [once(), once()]
      return one.node === other.node && JSON.stringify(one) === JSON.stringify(other)
    }),
    { ...RUNS, numRuns: 100 },
  )
  t.pass('100 fleets')
})

t.test('what an operator is shown agrees with what is chosen', async t => {
  always(t, (choice, fleet, want) => {
    const { qualified, rejected } = explainAll(fleet, want, CLIENT)
    const costs = new Map(qualified.map(({ node, cost }) => [node, cost]))
    return (
      qualified.length + rejected.length === fleet.length &&
      rejected.every(({ node, reason }) => rejection(node, want) === reason) &&
      choice.compared.every(({ node, cost }) => costs.get(node) === cost) &&
      (choice.qualified > 4 || fleet.length > 64 || choice.node === (qualified[0]?.node ?? null))
    )
  })
})

t.test('no node is ever over its capacity, and nobody is refused while there is a place', async t => {
  const capacities = fc.array(fc.nat(4), { minLength: 1, maxLength: 90 })
  fc.assert(
    fc.property(
      capacities,
      fc.array(fc.boolean(), { minLength: 200, maxLength: 400 }),
      fc.integer(),
      (sizes, steps, seed) => {
        const random = seededRandom(seed)
        const fleet = sizes.map((maxSessions, i) => ({ ...NODE, id: `n${i}`, maxSessions, reserved: 0 }))
        const pools = poolsOf(fleet)
        const standing: typeof fleet = []
        for (const comes of steps) {
          if (comes) {
            const { node } = choose(pools, { want: {}, client: CLIENT, nowMs: 0 }, random)
            if ((node === null) !== fleet.every(one => one.reserved === one.maxSessions)) return false
            if (node === null) continue
            node.reserved++
            pools.update(node)
            standing.push(node)
          } else {
            const node = standing.pop()
            if (node === undefined) continue
            node.reserved--
            pools.update(node)
          }
          if (fleet.some(one => one.reserved > one.maxSessions)) return false
        }
        return true
      },
    ),
    { ...RUNS, numRuns: 50 },
  )
  t.pass('50 fleets')
})

t.test('every node is compared now and then, larger ones more often', async t => {
  for (const size of [40, 200]) {
    const random = seededRandom(7)
    const fleet = Array.from({ length: size }, (_, i) => ({
      ...NODE,
      id: `n${i}`,
      maxSessions: i % 2 ? 100 : 50,
    }))
    const pools = poolsOf(fleet)
    const met = { small: new Map<string, number>(), large: new Map<string, number>() }
    for (let i = 0; i < 10_000; i++) {
      const { compared } = choose(pools, { want: {}, client: CLIENT, nowMs: 0 }, random)
      for (const { node } of compared) {
        const kind = met[node.maxSessions === 100 ? 'large' : 'small']
        kind.set(node.id, (kind.get(node.id) ?? 0) + 1)
      }
    }
    const [small, large] = [[...met.small.values()], [...met.large.values()]]
    t.equal(small.length + large.length, size)
    t.ok(
      Math.min(...large) > Math.max(...small),
      `${Math.max(...small)} and ${Math.min(...large)} of ${size}`,
    )
  }
})

t.test('one that qualifies among ten thousand that do not is found', async t => {
  const fleet = Array.from({ length: 10_000 }, (_, i) => ({
    ...NODE,
    id: `n${i}`,
    bandwidthMbps: i === 7_777 ? 5_000 : 10,
  }))
  const question = { want: { minBandwidthMbps: 1_000 }, client: CLIENT, nowMs: 0 }
  t.equal(choose(poolsOf(fleet), question, seededRandom(1)).node?.id, 'n7777')
})

t.test('a burst with reservations spreads over the fleet', async t => {
  const random = seededRandom(3)
  for (const size of [50, 500]) {
    const fleet = Array.from({ length: size }, (_, i) => ({
      ...NODE,
      id: `n${i}`,
      maxSessions: null as number | null,
      reserved: 0,
    }))
    const pools = poolsOf(fleet)
    for (let i = 0; i < size * 100; i++) {
      const { node } = choose(pools, { want: {}, client: CLIENT, nowMs: 0 }, random)
      if (node !== null) node.reserved++
    }
    const most = Math.max(...fleet.map(node => node.reserved))
    t.ok(most <= 110, `the fullest of ${size} nodes has ${most} of ${size * 100} clients; the mean is 100`)
  }
})
