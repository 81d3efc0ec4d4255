import t from 'tap'
import fc from 'fast-check'
import { isOpen, type NodeFacts } from '../../src/mesh/node-facts.js'
import { NodePools } from '../../src/mesh/pools.js'
import { type Kind, mismatch } from '../../src/mesh/requirements.js'
import { NODE, poolsOf } from './facts.js'

type Changeable = { -readonly [K in keyof NodeFacts]: NodeFacts[K] }

const NAMES = ['a', 'b', 'c'] as const
const names = fc.subarray([...NAMES])
const policy = fc.constantFrom('auto', 'relay-only', 'direct-only', null)
const country = fc.constantFrom('DE', 'NL')

const kinds: fc.Arbitrary<Kind> = fc
  .record(
    {
      country,
      region: fc.constantFrom('x', 'y z'),
      tags: names,
      groups: names,
      anyGroup: names,
      exit: fc.boolean(),
      policy,
    },
    { requiredKeys: [] },
  )
  .map(kind => kind as Kind) // absent is absent, never undefined
const changes = fc.record(
  {
    accepting: fc.boolean(),
    draining: fc.boolean(),
    country: fc.option(country),
    region: fc.option(fc.constantFrom('x', 'y z')),
    tags: names,
    groups: names,
    exit: fc.boolean(),
    policy,
    maxSessions: fc.option(fc.nat(2)),
    reserved: fc.nat(2),
  },
  { requiredKeys: [] },
)
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ does: fc.constant('change'), node: fc.nat(11), change: changes }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('remove'), node: fc.nat(11) }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('ask'), kind: kinds }) },
  ),
  { maxLength: 60 },
)

const idsOf = (nodes: readonly NodeFacts[]): string[] => nodes.map(node => node.id).sort()

t.test('whatever changes, each pool holds the open nodes of its kind and no others', async t => {
  fc.assert(
    fc.property(steps, fc.array(kinds, { minLength: 1, maxLength: 5 }), (steps, asked) => {
      const pools = new NodePools<Changeable>()
      const here = new Map<number, Changeable>()
      const isTrue = (kind: Kind) => {
        const wanted = [...here.values()].filter(node => isOpen(node) && mismatch(node, kind) === null)
        const found = pools.pool(kind, 0).members
        return found.length === wanted.length && idsOf(found).join() === idsOf(wanted).join()
      }
      for (const step of steps) {
        if ('kind' in step) {
          if (!isTrue(step.kind)) return false
        } else if ('change' in step) {
          const node = here.get(step.node) ?? { ...NODE, id: `n${step.node}` }
          here.set(step.node, Object.assign(node, step.change))
          pools.update(node)
        } else {
          const node = here.get(step.node)
          if (node !== undefined) pools.remove(node)
          here.delete(step.node)
        }
        if (!asked.every(isTrue)) return false
      }
      return pools.size === here.size && idsOf([...pools.nodes()]).join() === idsOf([...here.values()]).join()
    }),
    { numRuns: 200 },
  )
  t.pass('200 fleets')
})

t.test('kinds that mean the same share a pool, others do not', async t => {
  const pools = poolsOf([NODE])
  const shared: readonly (readonly [Kind, Kind])[] = [
    [{}, { policy: 'auto', exit: false, tags: [], groups: [] }],
    [{ tags: ['a', 'b'] }, { tags: ['b', 'a', 'b'] }],
  ]
  for (const [one, other] of shared) {
    t.equal(pools.pool(one, 0).members, pools.pool(other, 0).members)
    t.ok(pools.pool(one, 0).isOf(other))
  }
  const apart: readonly (readonly [Kind, Kind])[] = [
    [{ tags: ['a'] }, { groups: ['a'] }],
    [{ groups: ['a', 'b'] }, { anyGroup: ['a', 'b'] }],
    [{ anyGroup: [] }, {}],
    [{ region: 'DE' }, { country: 'DE' }],
    [{ region: '' }, {}],
    [{ policy: 'relay-only' }, { policy: null }],
  ]
  for (const [one, other] of apart) {
    t.not(pools.pool(one, 0).members, pools.pool(other, 0).members)
    t.notOk(pools.pool(one, 0).isOf(other))
  }
})

t.test('odd requests keep no more than so many pools, and those in use stay', async t => {
  const pools = poolsOf([NODE])
  const used = pools.pool({ country: 'DE' }, 0).members
  for (let i = 0; i < 10_000; i++) {
    pools.pool({ tags: [`odd-${i}`] }, 0)
    if (i % 100 === 0) t.equal(pools.pool({ country: 'DE' }, 0).members, used)
  }
  t.equal(pools.pool({ country: 'DE' }, 0).members, used)
  const [before, ...rest] = Array.from(
    { length: 300 },
    (_, i) => pools.pool({ tags: [`new-${i}`] }, 0).members,
  )
  t.not(pools.pool({ tags: ['new-0'] }, 0).members, before, 'the one that was used longest ago went')
  t.equal(pools.pool({ tags: ['new-299'] }, 0).members, rest.at(-1))
})

t.test('the members of all pools together are bounded', async t => {
  const tags = Array.from({ length: 16 }, (_, i) => `t${i}`)
  const pools = poolsOf(Array.from({ length: 5_000 }, (_, i) => ({ ...NODE, id: `n${i}`, tags })))
  const first = pools.pool({ tags: ['t0'] }, 0).members
  const pairs = tags.flatMap(one => tags.filter(other => one < other).map(other => [one, other]))
  for (const tags of pairs) t.equal(pools.pool({ tags }, 0).members.length, 5_000)
  t.not(pools.pool({ tags: ['t0'] }, 0).members, first, 'an early one went')
})

t.test('another node of the same name is not lost when the first one goes', async t => {
  const [first, second] = [{ ...NODE }, { ...NODE }]
  const pools = poolsOf([first, second])
  pools.remove(first)
  t.equal(pools.byId(NODE.id), second)
  t.same(pools.pool({}, 0).members, [second])
})
