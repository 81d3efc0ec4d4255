/** When a path is tried, as what is known of its ends' NATs changes. */
import t from 'tap'
import { type Nat, UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { LonePath } from '../support/lone-path.js'

const SYMMETRIC: Nat = {
  ...UNKNOWN_NAT,
  udp: 'open',
  nat: true,
  ipv6: false,
  mapping: 'address_and_port_dependent',
  filtering: 'address_and_port_dependent',
}

t.test('a pair whose NATs cannot meet is not asked, and is when one of them is another', async t => {
  const path = new LonePath({ nat: SYMMETRIC })
  path.signal()
  t.equal(path.punches, 0)
  t.equal(path.reason, 'symmetric_both')
  path.learn(UNKNOWN_NAT)
  t.equal(path.punches, 1)
})

t.test('a pair whose NATs cannot meet is asked for the sake of TURN, once it is turned no more', async t => {
  const path = new LonePath({ nat: SYMMETRIC, hasTurn: true })
  path.signal()
  t.equal(path.punches, 1)
  path.report('turned')
  t.match([path.tier, path.reason], ['turned', 'symmetric_both'])
  path.clock.advance(3_600_000)
  t.equal(path.punches, 1)
})

t.test('what is learnt of a NAT during a rest may change the reason, and does not end the rest', async t => {
  const path = new LonePath({ nat: UNKNOWN_NAT })
  path.signal()
  path.report('failed')
  t.equal(path.reason, 'punch_timeout')
  path.learn({ ...UNKNOWN_NAT, mappingLifetimeS: 60 })
  t.equal(path.punches, 1, 'it rests')
  path.learn(SYMMETRIC)
  t.equal(path.reason, 'symmetric_both')
  t.equal(path.told.at(-1)?.reason, 'symmetric_both', 'and both ends are told')
  path.clock.advance(3_600_000)
  t.equal(path.punches, 1, 'and then there is nothing to try')
})

t.test('both ends begin at one moment, however far they are', async t => {
  const path = new LonePath({ nat: UNKNOWN_NAT, rttsMs: [20, 220] })
  path.signal()
  t.same(path.begins, [100, 0])
})
