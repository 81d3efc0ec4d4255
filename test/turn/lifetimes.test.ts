import t from 'tap'
import { lifetimeOf, PEER, Rig } from './rig.js'

const FIRST_CHANNEL_DATA = Buffer.from('4000000161', 'hex')

t.test('an allocation that nobody refreshes ends after 600 s, with its socket', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  caller.opens()
  rig.wait(599_000)
  t.equal(rig.server.allocations, 1)
  rig.wait(1_000)
  t.same([rig.server.allocations, rig.relays.size], [0, 0])
  t.equal(caller.refresh(600).code, 438, 'its nonce is as old')
})

t.test(
  'an allocation that is refreshed lives on, each time for as long as it asks within the bounds',
  async t => {
    const rig = new Rig()
    const caller = rig.caller()
    caller.opens()
    const granted = [1, 600, 1_800, 3_600, 2 ** 32 - 1].map(lifetimeS =>
      lifetimeOf(caller.refresh(lifetimeS)),
    )
    t.same(granted, [600, 600, 1_800, 3_600, 3_600])
    rig.wait(3_599_000)
    t.equal(rig.server.allocations, 1)
    rig.wait(1_000)
    t.equal(rig.server.allocations, 0)
  },
)

t.test('a lifetime of 0 ends an allocation at once; asking again is a mismatch', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  caller.opens()
  t.equal(lifetimeOf(caller.refresh(0)), 0)
  t.same([rig.server.allocations, rig.relays.size], [0, 0])
  t.equal(caller.refresh(0).code, 437)
  t.equal(caller.allocate().code, 0, 'and the flow is free')
})

t.test('a permission lapses after 300 s unless it is asked for again', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  const relay = rig.relayAt(caller.opens())
  const arrives = (text: string) =>
    rig.perform(rig.server.fromPeer(relay, Buffer.from(text), PEER.address, PEER.port))
  caller.permit(PEER)
  rig.wait(299_000)
  arrives('in time')
  caller.permit(PEER)
  rig.wait(299_000)
  arrives('again')
  caller.send(PEER, 'out')
  rig.wait(1_000)
  arrives('too late')
  caller.send(PEER, 'too late')
  t.same(caller.heard(), [`${PEER.address}: in time`, `${PEER.address}: again`])
  t.same(
    rig.sent.map(({ data }) => data.toString()),
    ['out'],
  )
})

t.test(
  'a channel lapses after 600 s, and its number rests for 300 s before another peer can have it',
  async t => {
    const rig = new Rig()
    const caller = rig.caller()
    caller.opens()
    caller.refresh(3_600)
    caller.bind(0x4000, PEER)
    const other = { ...PEER, port: 5_001 }
    rig.wait(599_000)
    rig.say(FIRST_CHANNEL_DATA, caller.flow)
    t.equal(rig.sent.length, 1)
    rig.wait(1_000)
    rig.say(FIRST_CHANNEL_DATA, caller.flow)
    t.equal(rig.sent.length, 1, 'nothing passes any more')
    caller.challenge()
    t.equal(caller.bind(0x4000, other).code, 400)
    t.equal(caller.bind(0x4001, PEER).code, 400)
    rig.wait(300_000)
    t.equal(caller.bind(0x4000, other).code, 0)
  },
)

t.test('a nonce is good for 600 s, then the client gets a new one and goes on', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  caller.opens()
  rig.wait(590_000)
  t.equal(caller.refresh(600).code, 0)
  rig.wait(10_000)
  t.equal(caller.refresh(600).code, 438)
  caller.challenge()
  t.equal(caller.refresh(600).code, 0)
})

t.test('a nonce made just before the key changes is good just after', async t => {
  const rig = new Rig()
  rig.wait(3_595_000)
  const caller = rig.caller()
  caller.challenge()
  rig.wait(10_000)
  rig.caller().challenge()
  t.equal(caller.allocate().code, 0)
})

t.test('three days of refreshing leave nothing behind', async t => {
  const rig = new Rig()
  const relay = () => rig.relays.size
  for (let hour = 0; hour < 72; hour++) {
    const caller = rig.caller()
    caller.opens()
    for (let minute = 0; minute < 60; minute += 4) {
      rig.clock.advance(240_000)
      rig.perform(rig.server.sweep())
      caller.challenge()
      t.same([caller.refresh(600).code, caller.permit(PEER).code, caller.bind(0x4000, PEER).code], [0, 0, 0])
    }
    t.ok(relay() <= 2)
  }
  rig.wait(600_000)
  t.same([rig.server.allocations, relay()], [0, 0])
})

t.test('credentials past their time keep what they opened for as long as the session lives', async t => {
  let present = true
  const rig = new Rig({ allowed: () => present })
  const caller = rig.caller()
  caller.opens()
  for (let minutes = 0; minutes < 24 * 60; minutes += 9) {
    rig.wait(540_000)
    caller.challenge()
    t.equal(caller.refresh(600).code, 0)
  }
  const another = rig.caller({ username: caller.username })
  t.equal(another.allocate().code, 401, 'they open nothing more')
  t.equal(caller.permit(PEER).code, 0)
  present = false
  caller.challenge()
  t.equal(caller.refresh(600).code, 401)
})
