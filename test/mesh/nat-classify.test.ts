import fc from 'fast-check'
import t from 'tap'
import { seededRandom } from '../../src/kit/random.js'
import { classify, lifetimeIn } from '../../src/mesh/nat-classify.js'
import { type Behaviour, canPunch } from '../../src/mesh/nat.js'
import { planProbe, sharedOut } from '../../src/mesh/probe-plan.js'
import { type Report, type Servers, type SimulatedNat, simulateProbe } from '../support/simulated-nat.js'

const DEPENDENCES = ['endpoint_independent', 'address_dependent', 'address_and_port_dependent'] as const
const SERVERS: readonly Servers[] = ['one', 'two ports', 'two addresses', 'two of both']

const natKinds: fc.Arbitrary<SimulatedNat> = fc.record({
  mapping: fc.constantFrom(...DEPENDENCES),
  filtering: fc.constantFrom(...DEPENDENCES),
  preservesPort: fc.boolean(),
  blocked: fc.constant(false),
})

t.test('with two addresses and two ports every NAT is told for what it is', async t => {
  fc.assert(
    fc.property(natKinds, nat => {
      const found = classify(simulateProbe(nat, 'two of both'))
      t.match(found, {
        udp: 'open',
        mapping: nat.mapping,
        filtering: nat.filtering,
        nat: true,
        confirmed: true,
      })
      return t.passing()
    }),
  )
})

t.test('with fewer addresses or ports less is claimed, and nothing that is wrong', async t => {
  fc.assert(
    fc.property(natKinds, fc.constantFrom(...SERVERS), (nat, servers) => {
      const { mapping, filtering } = classify(simulateProbe(nat, servers))
      return covers(mapping, nat.mapping) && covers(filtering, nat.filtering)
    }),
  )
  const loose = simulateProbe(nat('endpoint_independent', 'endpoint_independent'), 'two ports')
  t.match(classify(loose), { mapping: 'port_independent', filtering: 'port_independent' })
  const strict = simulateProbe(nat('address_and_port_dependent', 'address_and_port_dependent'), 'two ports')
  t.match(classify(strict), {
    mapping: 'address_and_port_dependent',
    filtering: 'address_and_port_dependent',
  })
  t.match(classify(simulateProbe(nat('endpoint_independent', 'endpoint_independent'), 'one')), {
    udp: 'open',
    mapping: 'unknown',
    filtering: 'unknown',
  })
})

t.test('what is told of two NATs never contradicts what they can do', async () => {
  fc.assert(
    fc.property(natKinds, natKinds, fc.constantFrom(...SERVERS), (a, b, servers) => {
      const there = elsewhere(simulateProbe(b, servers))
      const guess = canPunch(classify(simulateProbe(a, servers)), classify(there)).verdict
      const truth = canPunch(
        classify(simulateProbe(a, 'two of both')),
        classify(elsewhere(simulateProbe(b, 'two of both'))),
      ).verdict
      return guess === truth || guess === 'maybe'
    }),
  )
})

t.test('an address that is seen as it is bound is not translated', async t => {
  const open = nat('endpoint_independent', 'endpoint_independent')
  const report = simulateProbe({ ...open, preservesPort: true }, 'one')
  const found = classify({ ...report, local: ['198.51.100.7:51900'] })
  t.match(found, { nat: false, mapping: 'endpoint_independent', portPreservation: true })
})

t.test('UDP that does not get out is blocked, and what it would be like stays unknown', async t => {
  const shut = { ...nat('endpoint_independent', 'endpoint_independent'), blocked: true }
  t.match(classify(simulateProbe(shut, 'two of both')), {
    udp: 'blocked',
    mapping: 'unknown',
    filtering: 'unknown',
    mapped4: null,
    confirmed: false,
  })
})

t.test(
  'who says that nothing came back, though its requests arrived, is not believed to be blocked',
  async t => {
    const report = simulateProbe(nat('endpoint_independent', 'endpoint_independent'), 'two of both')
    const tests = report.tests.map(([kind, id]) => [kind, id, null, null] as const)
    t.match(classify({ ...report, tests }), { udp: 'unknown', mapping: 'unknown', filtering: 'unknown' })
  },
)

t.test('what was seen elsewhere than claimed counts for nothing', async t => {
  const report = simulateProbe(nat('address_and_port_dependent', 'endpoint_independent'), 'two of both')
  const lie = report.tests.map(([kind, id, , ms]) => [kind, id, '203.0.113.99:1', ms] as const)
  t.match(classify({ ...report, tests: lie }), {
    udp: 'unknown',
    mapping: 'unknown',
    mapped4: null,
    confirmed: false,
  })
})

t.test('what another server answered counts, unconfirmed', async t => {
  const report = simulateProbe(nat('endpoint_independent', 'address_dependent'), 'two of both')
  t.match(classify({ ...report, seen: new Map() }), {
    mapping: 'endpoint_independent',
    filtering: 'address_dependent',
    confirmed: false,
  })
})

t.test('silence proves no filter when the question never arrived', async t => {
  const report = simulateProbe(nat('endpoint_independent', 'address_and_port_dependent'), 'two of both')
  const seen = new Map(report.seen)
  for (const [kind, id] of report.tests)
    if (kind.startsWith('filtering')) seen.delete(Buffer.from(id).toString('hex'))
  t.equal(classify({ ...report, seen }).filtering, 'unknown')
})

t.test('IPv6 is there when it was answered, and not when the machine has no address of it', async t => {
  const report = simulateProbe(nat('endpoint_independent', 'endpoint_independent'), 'one')
  const id = new Uint8Array(12)
  const tests: Report['tests'] = [...report.tests, ['mapping', id, '[2001:db8::7]:51900', 9]]
  t.match(classify({ ...report, tests }), {
    ipv6: true,
    mapped6: { address: '2001:db8::7', port: 51_900 },
    mapped4: { address: '198.51.100.7' },
  })
  t.equal(classify(report).ipv6, false)
  t.equal(classify({ ...report, local: [...report.local, '[2001:db8::7]:51900'] }).ipv6, null)
})

t.test('the longest idle time that a mapping outlived is what counts', async t => {
  const id = new Uint8Array(12)
  const at = '198.51.100.7:40000'
  t.equal(
    lifetimeIn([
      ['lifetime', id, at, 30],
      ['lifetime', id, at, 60],
      ['lifetime', id, null, 120],
    ]),
    60,
  )
  t.equal(lifetimeIn([['lifetime', id, null, 15]]), 0)
  t.equal(lifetimeIn([['hairpin', id, at, null]]), null)
})

t.test('a plan names its servers and has ids that nobody can guess', async t => {
  const random = seededRandom(1)
  const servers = Array.from({ length: 10 }, (_, i) => `stun:192.0.2.1:${i + 1}`)
  const plan = planProbe({ planId: 7, servers, lifetimeS: 0, random })
  t.match(plan, { planId: 7 })
  t.equal(plan.servers.length, 8)
  const { tests, silences } = sharedOut(plan.transactionIds, 60)
  t.same(
    silences.map(({ silenceS }) => silenceS),
    [15, 30, 60],
  )
  t.notOk(silences.some(({ id }) => tests.includes(id)))
  t.same(sharedOut(plan.transactionIds).silences, [])
  t.equal(new Set(plan.transactionIds.map(id => Buffer.from(id).toString('hex'))).size, 20)
})

const nat = (mapping: SimulatedNat['mapping'], filtering: SimulatedNat['filtering']): SimulatedNat => ({
  mapping,
  filtering,
  preservesPort: false,
  blocked: false,
})

/** Whether a claim leaves room for the truth. */
function covers(claim: Behaviour, truth: SimulatedNat['mapping']): boolean {
  if (claim === 'port_independent') return truth !== 'address_and_port_dependent'
  return claim === 'unknown' || claim === truth
}

/** The same NAT at another address. */
function elsewhere(report: Report): Report {
  const move = (text: string) => text.replace('198.51.100.7', '198.51.100.8')
  return {
    ...report,
    tests: report.tests.map(([kind, id, at, ms]) => [kind, id, at === null ? null : move(at), ms] as const),
    seen: new Map([...report.seen].map(([id, from]) => [id, new Set([...from].map(move))])),
  }
}
