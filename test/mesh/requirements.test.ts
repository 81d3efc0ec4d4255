import t from 'tap'
import type { NodeFacts } from '../../src/mesh/node-facts.js'
import { rejection, type Requirements, requirementsOf, unmet } from '../../src/mesh/requirements.js'
import { NO_STEERING } from '../../src/mesh/steering.js'
import { CLIENT, NODE } from './facts.js'

const cases: readonly { name: string; node?: Partial<NodeFacts>; want?: Requirements; is: string | null }[] =
  [
    { name: 'a node without demands on it', is: null },
    { name: 'one that is away', node: { accepting: false }, is: 'not accepting' },
    { name: 'one that goes', node: { draining: true }, is: 'draining' },
    { name: 'another than the target', want: { target: 'ams-1' }, is: 'target' },
    { name: 'the target', want: { target: 'fra-1' }, is: null },
    { name: 'another than the client is pinned to', want: { pin: 'ams-1' }, is: 'pin' },
    { name: 'another country', want: { country: 'NL' }, is: 'country' },
    { name: 'an unknown country', node: { country: null }, want: { country: 'DE' }, is: 'country' },
    { name: 'another region', want: { region: 'us-east' }, is: 'region' },
    { name: 'no exit', want: { exit: true }, is: 'exit' },
    { name: 'an exit that is not asked for', node: { exit: true }, is: null },
    { name: 'all of the tags', node: { tags: ['a', 'b', 'c'] }, want: { tags: ['c', 'a'] }, is: null },
    { name: 'one of the tags', node: { tags: ['a'] }, want: { tags: ['a', 'b'] }, is: 'tags' },
    { name: 'in both groups', node: { groups: ['a', 'b'] }, want: { groups: ['b', 'a'] }, is: null },
    { name: 'in one of two groups', node: { groups: ['a'] }, want: { groups: ['a', 'b'] }, is: 'group' },
    { name: 'in one of any two', node: { groups: ['b'] }, want: { anyGroup: ['a', 'b'] }, is: null },
    { name: 'in another than any two', node: { groups: ['c'] }, want: { anyGroup: ['a', 'b'] }, is: 'terms' },
    { name: 'a policy that goes with none', node: { policy: null }, is: 'policy' },
    {
      name: 'the other policy',
      node: { policy: 'direct-only' },
      want: { policy: 'relay-only' },
      is: 'policy',
    },
    { name: 'preferred, for nothing', want: { prefer: ['ams-1'] }, is: null },
    { name: 'avoided', want: { avoid: ['fra-1'] }, is: null },
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
    {
      name: 'never measured, and says that it is near',
      node: { rttMs: null, latencyP50Ms: 15 },
      want: { maxLatencyMs: 20 },
      is: null,
    },
    {
      name: 'measured to be far, and says that it is near',
      node: { rttMs: 40, latencyP50Ms: 15 },
      want: { maxLatencyMs: 20 },
      is: 'latency',
    },
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

t.test('a line of the answer fits whatever was asked', async t => {
  const tags = Array.from({ length: 16 }, (_, i) => `${i}`.padStart(64, 'x'))
  const pin = 'x'.repeat(64)
  const lines = unmet(
    { tags, groups: tags, anyGroup: tags, pin, target: pin },
    { tags: 1, group: 1, terms: 1, pin: 1, target: 1 },
    1_000_000,
  )
  for (const line of lines) t.ok(line.length <= 128, line)
})

t.test('the request has the last word in what is soft, the operator in what is hard', async t => {
  const steering = {
    ...NO_STEERING,
    pin: 'fra-1',
    group: 'paid',
    prefer: ['fra-1', 'fra-2'],
    avoid: ['ams-1', 'ams-2'],
    weights: { price: 3, rtt: 2 },
  }
  const wish = {
    target: 'ams-1',
    group: 'fast',
    avoid: ['fra-2'],
    weights: [['price', 0] as ['price', number]],
  }
  t.same(requirementsOf(wish, { ...CLIENT, policy: 'relay-only', steering }), {
    target: 'ams-1',
    pin: 'fra-1',
    policy: 'relay-only',
    groups: ['fast', 'paid'],
    prefer: ['fra-1'],
    avoid: ['fra-2', 'ams-1', 'ams-2'],
    weights: { price: 0, rtt: 2 },
  })
  t.same(requirementsOf({ group: 'fast' }, { ...CLIENT, groups: ['gold', 'silver'] }), {
    ...requirementsOf({ group: 'fast' }, CLIENT),
    anyGroup: ['gold', 'silver'],
  })
  const preferring = requirementsOf({ prefer: ['ams-1'] }, { ...CLIENT, steering })
  t.same(preferring.prefer, ['ams-1'])
  t.same(preferring.avoid, ['ams-2'])
})
