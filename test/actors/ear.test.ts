import t from 'tap'
import { Ear } from '../../src/actors/path/ear.js'
import { earAt } from '../../src/actors/path/whereabouts.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { type Endpoint, endpointText } from '../../src/protocol/address.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { initiation, tai64n, withMac1 } from '../support/wireguard-initiator.js'

const HOME = { address: '198.51.100.11', port: 40_002 }
const ROAD = { address: '198.51.100.99', port: 1_024 }

t.test('a WireGuard that is expected is told by its key, wherever it comes from', async t => {
  const { ear, arrive } = rig()
  const [alice, bob] = [newKeyPair(), newKeyPair()]
  const heard: string[] = []
  ear.expect(alice.publicKey, mapped => heard.push(`alice at ${endpointText(mapped)}`))
  ear.expect(bob.publicKey, mapped => heard.push(`bob at ${endpointText(mapped)}`))
  arrive(initiation(bob, ear.publicKey, tai64n(1)), ROAD)
  arrive(initiation(alice, ear.publicKey, tai64n(1)), HOME)
  t.same(heard, ['bob at 198.51.100.99:1024', 'alice at 198.51.100.11:40002'])
})

t.test('whoever waits for one key is told, until it waits no more', async t => {
  const { ear, arrive } = rig()
  const alice = newKeyPair()
  const heard: string[] = []
  const cancel = ear.expect(alice.publicKey, () => heard.push('first'))
  ear.expect(alice.publicKey, () => heard.push('second'))
  arrive(initiation(alice, ear.publicKey, tai64n(1)), HOME)
  cancel()
  cancel()
  arrive(initiation(alice, ear.publicKey, tai64n(2)), HOME)
  t.same(heard, ['first', 'second', 'second'])
})

t.test('what was heard before, or is older, moves nobody', async t => {
  const { ear, arrive } = rig()
  const alice = newKeyPair()
  const heard: Endpoint[] = []
  const expect = () => ear.expect(alice.publicKey, mapped => heard.push(mapped))
  const cancel = expect()
  const message = initiation(alice, ear.publicKey, tai64n(5))
  arrive(message, HOME)
  arrive(message, ROAD)
  arrive(initiation(alice, ear.publicKey, tai64n(4)), ROAD)
  cancel()
  expect()
  arrive(message, ROAD)
  t.same(heard, [HOME], 'also when it is expected anew')
  arrive(initiation(alice, ear.publicKey, tai64n(6)), ROAD)
  t.same(heard, [HOME, ROAD])
})

t.test('nobody is heard who is not expected, is not addressed, or does not hold the key', async t => {
  const { ear, arrive } = rig()
  const [alice, mallory] = [newKeyPair(), newKeyPair()]
  ear.expect(alice.publicKey, () => t.fail('heard'))
  arrive(initiation(mallory, ear.publicKey, tai64n(1)), ROAD)
  arrive(initiation(alice, newKeyPair().publicKey, tai64n(1)), ROAD)
  arrive(Buffer.from('not a handshake'), ROAD)
  const forged = initiation(mallory, ear.publicKey, tai64n(1))
  forged.set(initiation(alice, ear.publicKey, tai64n(1)).subarray(40, 88), 40)
  arrive(withMac1(forged, ear.publicKey), ROAD)
})

t.test('only so many are read at once, and the rest when time has passed', async t => {
  const { ear, arrive, clock } = rig()
  const alice = newKeyPair()
  let heard = 0
  ear.expect(alice.publicKey, () => heard++)
  for (let i = 0; i < 450; i++) arrive(initiation(alice, ear.publicKey, tai64n(i)), HOME)
  t.equal(heard, 400)
  clock.advance(1000)
  arrive(initiation(alice, ear.publicKey, tai64n(1000)), HOME)
  t.equal(heard, 401)
})

t.test('an ear that is closed hears nothing', async t => {
  const { ear, arrive, isOpen } = rig()
  const alice = newKeyPair()
  ear.expect(alice.publicKey, () => t.fail('heard'))
  ear.close()
  arrive(initiation(alice, ear.publicKey, tai64n(1)), HOME)
  t.notOk(isOpen())
})

t.test('the ear is where the first STUN server is', async t => {
  t.equal(earAt(['stun:203.0.113.10:3478', 'stun:203.0.113.10:3479']), '203.0.113.10:3478')
  t.equal(earAt(['stun:mesh.example']), 'mesh.example:3478')
  t.equal(earAt(['stun:[2001:db8::1]:5349']), '[2001:db8::1]:5349')
  for (const other of [[], ['stuns:mesh.example:5349'], ['turn:mesh.example'], ['stun:2001:db8::1']])
    t.equal(earAt(other), null)
})

function rig() {
  const clock = new SimulatedClock()
  let hear: ((datagram: Uint8Array, from: Endpoint) => void) | null = null
  let open = true
  const ear = new Ear({
    clock,
    traversal: {
      onStray: listener => {
        hear = listener
        return () => void (open = false)
      },
    },
  })
  return {
    clock,
    ear,
    isOpen: () => open,
    arrive: (datagram: Uint8Array, from: Endpoint) => hear?.(datagram, from),
  }
}
