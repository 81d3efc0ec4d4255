import t from 'tap'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { CREDENTIAL, Lab } from '../lab/lab.js'

t.test('first contact with an enrolment key gives a session, addresses and a ticket', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  const { generation, overlay4, overlay6, ticket, links } = node.last('registered')
  t.match({ generation, overlay4, overlay6, links }, { generation: 1, overlay4: '10.77.0.2/32', links: [] })
  t.match(overlay6, /^fd77:626f:736f:6e00::2\/128$/)
  t.equal(ticket.length, 32)
  t.match(lab.mesh.nodes(), [{ id: 'fra-1', state: 'online' }])
})

t.test('a known key needs no enrolment key, and keeps its addresses', async t => {
  const lab = await Lab.start()
  const before = await lab.enrolled('node', 'fra-1')
  before.say({ type: 'goodbye', reason: 'done' })
  await lab.clock.run(100)
  t.equal(before.closedWith, CLOSE.left.code)
  t.same(lab.mesh.nodes(), [])

  const after = await lab.raw('node', 'fra-1', before.keys)
  after.say(after.hello())
  await lab.clock.run(100)
  t.equal(after.last('registered').overlay4, before.last('registered').overlay4)
  t.equal(after.last('registered').generation, 2)
})

t.test('without an enrolment key a stranger is refused for good', async t => {
  const lab = await Lab.start()
  const stranger = await lab.raw('node', 'fra-1')
  stranger.say(stranger.hello())
  await lab.clock.run(100)
  t.equal(stranger.last('refused').code, 'not_authorised')
  t.equal(stranger.closedWith, CLOSE.notAuthorised.code)
})

t.test('an enrolment key alone never becomes an existing node', async t => {
  const lab = await Lab.start()
  await lab.enrolled('node', 'fra-1')
  const thief = await lab.raw('node', 'fra-1', newKeyPair())
  thief.say(thief.hello({ credential: CREDENTIAL }))
  await lab.clock.run(1_000)
  t.equal(thief.last('refused').code, 'key_mismatch')
  t.equal(thief.closedWith, CLOSE.keyMismatch.code)
  const events = await lab.store.auditEvents(10)
  t.ok(events.some(event => event.kind === 'identity.key_mismatch' && event.subject === 'fra-1'))
})

t.test('a proof for another nonce, id or role is refused', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  const other = await lab.raw('node', 'fra-1', node.keys)
  for (const changes of [{ id: 'fra-2' }, { role: 'client' as const }]) {
    const agent = await lab.raw('node', 'fra-1', node.keys)
    agent.say({ ...agent.hello(), ...changes })
    await lab.clock.run(100)
    t.equal(agent.last('refused').code, 'proof_failed')
  }
  const replay = await lab.raw('node', 'fra-1', node.keys)
  replay.say({ ...replay.hello(), proof: other.hello().proof })
  await lab.clock.run(100)
  t.equal(replay.last('refused').code, 'proof_failed')
})

t.test('a lost socket is resumed by its ticket, once', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  const { ticket, sessionId } = node.last('registered')
  lab.internet.drop('fra-1')
  await lab.clock.run(100)
  t.match(lab.mesh.nodes(), [{ state: 'suspended' }])

  const back = await lab.raw('node', 'fra-1', node.keys)
  back.say({ type: 'resume', ticket })
  await lab.clock.run(100)
  t.match(back.last('resumed'), { sessionId, generation: 2 })
  t.match(lab.mesh.nodes(), [{ state: 'online' }])

  const again = await lab.raw('node', 'fra-1', node.keys)
  again.say({ type: 'resume', ticket })
  await lab.clock.run(100)
  t.equal(again.last('refused').code, 'ticket_unknown')
  t.equal(again.closedWith, CLOSE.resumeRefused.code)
})

t.test('the newest proven session wins, and the older socket says nothing about it', async t => {
  const lab = await Lab.start()
  const older = await lab.enrolled('node', 'fra-1')
  const newer = await lab.raw('node', 'fra-1', older.keys)
  newer.say(newer.hello())
  await lab.clock.run(100)
  t.equal(older.last('replaced').generation, 2)
  t.equal(older.closedWith, CLOSE.replaced.code)
  t.match(lab.mesh.nodes(), [{ state: 'online', generation: 2 }])
  t.equal(lab.mesh.stats().replaced, 1)
})

t.test('silence dims a node, then suspends it, then ends it', async t => {
  const lab = await Lab.start()
  await lab.enrolled('node', 'fra-1')
  lab.internet.cut('fra-1')
  await lab.clock.run(16_000)
  t.match(lab.mesh.nodes(), [{ state: 'lapsed' }])
  await lab.clock.run(12_000)
  t.match(lab.mesh.nodes(), [{ state: 'suspended' }])
  await lab.clock.run(121_000)
  t.same(lab.mesh.nodes(), [])
})

t.test('any complete valid message is a sign of life, a misshapen one is not', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  for (let i = 0; i < 10; i++) {
    node.say({ type: 'path.ready', link: 0x1_0000 })
    await lab.clock.run(10_000)
  }
  t.match(lab.mesh.nodes(), [{ state: 'online' }])
  await lab.clock.run(3_000)
  node.sayBytes(Buffer.from('93400', 'hex'))
  await lab.clock.run(4_000)
  t.match(lab.mesh.nodes(), [{ state: 'lapsed' }])
})

t.test('heartbeats are acknowledged, and give the coordinator its round trip', async t => {
  const lab = await Lab.start({ latencyMs: 20 })
  const node = await lab.enrolled('node', 'fra-1')
  node.say({ ...node.beat(1), cpuTotalPct: 12.5, load1: '0.42' })
  await lab.clock.run(1_000)
  const { seq, stamp } = node.last('heartbeat.ack')
  t.equal(seq, 1)
  node.say({ ...node.beat(2), echoStamp: stamp, echoHeldMs: 960, cpuTotalPct: 13 })
  await lab.clock.run(100)
  const [view] = lab.mesh.nodes()
  t.match(view, { rttMs: 40, gauges: { cpuTotalPct: 13, memFreeMb: null } })
})

t.test('a socket that does not greet is closed, and so is one that talks nonsense', async t => {
  const lab = await Lab.start()
  const mute = await lab.raw('node', 'mute')
  const babbler = await lab.raw('node', 'babbler')
  for (let i = 0; i < 3; i++) babbler.sayBytes(Buffer.from('c1', 'hex'))
  await lab.clock.run(100)
  t.equal(babbler.closedWith, CLOSE.malformed.code)
  t.equal(babbler.last('error').code, 'malformed')
  await lab.clock.run(6_000)
  t.equal(mute.closedWith, CLOSE.greetingTimeout.code)
})

t.test('a ticket is renewed within the session', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  node.say({ type: 'renew' })
  await lab.clock.run(100)
  const { ticket } = node.last('renewed')
  lab.internet.drop('fra-1')
  await lab.clock.run(100)
  const back = await lab.raw('node', 'fra-1', node.keys)
  back.say({ type: 'resume', ticket })
  await lab.clock.run(100)
  t.equal(back.last('resumed').generation, 2)
})
