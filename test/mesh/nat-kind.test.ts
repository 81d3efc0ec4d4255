import t from 'tap'
import fc from 'fast-check'
import { canKindsPunch, canPunch, isBehindSame, type Nat, UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { kindOf, seenAtOf } from '../../src/mesh/nat-kind.js'
import { outlookOf } from '../../src/mesh/outlook.js'

const behaviours = fc.constantFrom('endpoint_independent', 'address_and_port_dependent', 'unknown')
const known = fc.option(fc.boolean())
/** So few addresses that two ends are often behind one NAT. */
const address = fc.constantFrom('198.51.100.7', '198.51.100.71', '203.0.113.255', '1.2.3.4', '12.3.4.0')
const nats: fc.Arbitrary<Nat> = fc
  .record({
    udp: fc.constantFrom('open', 'blocked', 'unknown'),
    mapping: behaviours,
    filtering: behaviours,
    nat: known,
    hairpin: known,
    ipv6: known,
    mapped4: fc.option(fc.record({ address, port: fc.integer({ min: 1, max: 65_535 }) })),
  })
  .map(told => ({ ...UNKNOWN_NAT, ...told }))

const endOf = (nat: Nat) => ({ nat: kindOf(nat), seenAt: seenAtOf(nat), policy: 'auto' }) as const

t.test('NATs of one kind share an object, whatever else is known of them', async t => {
  const nat: Nat = { ...UNKNOWN_NAT, udp: 'open', mapping: 'endpoint_independent' }
  const other: Nat = { ...nat, mapped4: { address: '198.51.100.7', port: 40_000 }, mappingLifetimeS: 60 }
  t.equal(kindOf(nat), kindOf(other))
  t.not(kindOf(nat), kindOf({ ...nat, hairpin: true }))
})

t.test('two addresses are one number only if they are one address', async t => {
  const seenAt = (address: string) => seenAtOf({ ...UNKNOWN_NAT, mapped4: { address, port: 40_000 } })
  t.equal(seenAt('198.51.100.7'), seenAt('198.51.100.7'))
  t.equal(new Set(['1.2.3.4', '12.3.4.0', '1.23.4.0', '198.51.100.7', '0.0.0.0'].map(seenAt)).size, 5)
  t.equal(seenAtOf(UNKNOWN_NAT), null)
})

t.test('what a choice knows of two NATs decides what all that is known of them decides', async t => {
  fc.assert(
    fc.property(nats, nats, (a, b) => {
      const { verdict } = canKindsPunch(kindOf(a), kindOf(b), isBehindSame(a, b))
      const outlook = outlookOf(endOf(a), endOf(b))
      return (
        verdict === canPunch(a, b).verdict &&
        (verdict === 'yes') === (outlook === 'direct') &&
        (verdict === 'maybe') === (outlook === null)
      )
    }),
    { numRuns: 1_000 },
  )
  t.pass('1,000 pairs')
})
