import t from 'tap'
import { volatileMemory } from '../../src/agent/session.js'
import { pick, seededRandom } from '../../src/kit/random.js'
import { encode } from '../../src/protocol/codec.js'
import { nodeRig, pathOpen } from './support/rig.js'

const LINK = 0x1_0001

t.test('an agent proves its key, registers, and says that it is online', async t => {
  const { clock, coordinator, node, heard } = nodeRig(t, {
    credential: 'bek_secret',
    profile: { country: 'DE' },
  })
  const started = node.start()
  await clock.run(0)
  t.match(await started, { sessionId: 's-1', overlay4: '10.77.0.2/32', resumed: false })
  t.match(coordinator.call.all('register'), [
    { role: 'node', id: 'agent-1', credential: 'bek_secret', country: 'DE' },
  ])
  t.match(heard, [['online', { generation: 1 }]])
  t.equal(node.status().state, 'online')
})

t.test('heartbeats go out on time and carry what was measured', async t => {
  const { clock, coordinator, node } = nodeRig(t, { gauges: () => ({ cpuTotalPct: 12.5 }) })
  node.start()
  await clock.run(25_000)
  const beats = coordinator.call.all('heartbeat')
  t.match(beats, [
    { seq: 1, cpuTotalPct: 12.5, serverId: 'agent-1' },
    { seq: 2, echoStamp: 0, echoHeldMs: 10_000 },
    { seq: 3, echoStamp: 10_000, echoHeldMs: 10_000 },
  ])
  t.notOk('echoStamp' in (beats[0] ?? {}), 'nothing to echo at first')
  t.equal(node.status().rttMs, 0)
})

t.test('a lost socket is dialled again quickly, and the session resumed with its links', async t => {
  const { clock, coordinator, node, heard } = nodeRig(t)
  node.start()
  await clock.run(0)
  coordinator.call.say(pathOpen(LINK))
  await clock.run(100)
  coordinator.links = [LINK]
  coordinator.call.drop()
  t.equal(node.status().state, 'backingOff')
  t.same(node.status().links.length, 1, 'the link stays while the agent is away')
  await clock.run(500)
  t.match(coordinator.call.heard[0], { type: 'resume' })
  t.equal(coordinator.calls.length, 2)
  t.same(
    heard.map(([type]) => type),
    ['online', 'link', 'offline', 'online'],
  )
  t.match(node.status(), {
    state: 'online',
    session: { generation: 2, resumed: true, overlay4: '10.77.0.2/32' },
  })
})

t.test('links that the coordinator does not list any more are closed', async t => {
  const { clock, coordinator, node, heard } = nodeRig(t)
  node.start()
  await clock.run(0)
  coordinator.call.say(pathOpen(LINK), pathOpen(LINK + 1))
  await clock.run(0)
  coordinator.links = [LINK + 1]
  coordinator.call.drop()
  await clock.run(1_000)
  t.match(
    heard.filter(([type]) => type === 'linkClosed'),
    [['linkClosed', { link: LINK }]],
  )
  t.match(node.status().links, [{ link: LINK + 1 }])
})

t.test('a refused ticket is forgotten and the agent registers on the next connection at once', async t => {
  const { clock, coordinator, node } = nodeRig(t)
  node.start()
  await clock.run(0)
  coordinator.forget()
  coordinator.call.drop()
  await clock.run(500)
  t.same(
    coordinator.calls.map(call => call.heard[0]?.type),
    ['register', 'resume', 'register'],
  )
  t.equal(node.status().state, 'online')
})

t.test('a new process goes on with the session that an older one left', async t => {
  const memory = volatileMemory()
  const first = nodeRig(t, { memory })
  first.node.start()
  await first.clock.run(0)
  await first.node.stop({ leave: false })
  t.match(first.coordinator.call.hungUp, { code: 1001 })
  t.equal(first.coordinator.call.all('goodbye').length, 0)

  const second = nodeRig(t, { memory, dial: first.coordinator.dial })
  second.node.start()
  await first.clock.run(0)
  await second.clock.run(0)
  t.match(first.coordinator.call.heard[0], { type: 'resume' })
  t.match(second.node.status().session, { resumed: true, overlay4: '10.77.0.2/32' })
})

t.test('an agent that leaves says goodbye and forgets its ticket', async t => {
  const memory = volatileMemory()
  const { clock, coordinator, node } = nodeRig(t, { memory })
  node.start()
  await clock.run(0)
  t.ok(memory.load())
  await node.stop()
  t.match(coordinator.call.heard.at(-1), { type: 'goodbye' })
  t.equal(memory.load(), null)
  t.equal(clock.waiting, 0, 'nothing is left running')
})

t.test('a final answer ends it with a clear reason', async t => {
  const { clock, coordinator, node, heard } = nodeRig(t)
  coordinator.answers = false
  const started = node.start()
  await clock.run(0)
  coordinator.call.say(coordinator.call.welcome())
  coordinator.call.say({ type: 'refused', code: 'key_mismatch', reason: 'agent-1 is bound to another key' })
  coordinator.call.drop(4501, 'key_mismatch')
  await t.rejects(started, { code: 'REFUSED', why: 'key_mismatch', message: /bound to another key/ })
  await clock.run(3_600_000)
  t.equal(coordinator.calls.length, 1, 'it stays away')
  t.match(heard, [['refused', { code: 'key_mismatch' }]])
})

t.test('a refusal for now is waited out for as long as it asks', async t => {
  const { clock, coordinator, node } = nodeRig(t)
  coordinator.answers = false
  node.start()
  await clock.run(0)
  coordinator.call.say(coordinator.call.welcome())
  coordinator.call.say({ type: 'refused', code: 'overloaded', reason: 'busy', retryAfterMs: 7_000 })
  coordinator.call.drop(4004, 'try later')
  t.match(node.status(), { state: 'backingOff', reason: 'busy' })
  await clock.run(6_999)
  t.equal(coordinator.calls.length, 1)
  await clock.run(1)
  t.equal(coordinator.calls.length, 2)
})

t.test('an HTTP refusal is waited out for as long as it asks, and less than a second longer', async t => {
  const { clock, coordinator, node } = nodeRig(t)
  coordinator.reachable = false
  node.start()
  await clock.run(0)
  coordinator.reachable = true
  t.equal(node.status().state, 'backingOff')
  await clock.run(500)
  coordinator.call.drop(1006, 'HTTP 503 Service Unavailable', 9_000)
  await clock.run(8_999)
  t.equal(coordinator.calls.length, 2)
  await clock.run(1_001)
  t.equal(coordinator.calls.length, 3)
})

t.test('a restart is waited out in the slot that was given', async t => {
  const { clock, coordinator, node } = nodeRig(t)
  node.start()
  await clock.run(0)
  coordinator.call.say({ type: 'restarting', reconnectInMs: 3_000, tryForMs: 60_000 })
  await clock.run(1_000)
  coordinator.reachable = false
  coordinator.call.drop(4000, 'restarting')
  await clock.run(1_999)
  t.equal(coordinator.calls.length, 1)
  await clock.run(1)
  t.equal(coordinator.calls.length, 2, 'two seconds later it is three since the announcement')
  await clock.run(30_000)
  t.ok(coordinator.calls.length > 15, 'it keeps trying often while the coordinator is expected back')
  coordinator.reachable = true
  await clock.run(2_000)
  t.match(node.status(), { state: 'online', session: { resumed: true } })
})

t.test('whoever is replaced stays away, even when the close frame is lost', async t => {
  const { clock, coordinator, node, heard } = nodeRig(t)
  node.start()
  await clock.run(0)
  coordinator.call.say({ type: 'replaced', generation: 2 })
  coordinator.call.drop(1006)
  await clock.run(600_000)
  t.equal(coordinator.calls.length, 1)
  t.match(heard.at(-1), ['refused', { code: 'replaced' }])
})

t.test('a coordinator that falls silent is noticed and dialled again', async t => {
  const { clock, coordinator, node, heard } = nodeRig(t)
  node.start()
  await clock.run(5_000)
  coordinator.acknowledges = false
  await clock.run(24_999 - 5_000)
  t.equal(node.status().state, 'online')
  await clock.run(1)
  t.equal(node.status().state, 'backingOff')
  t.match(coordinator.call.hungUp, { code: 4009 })
  t.match(heard.at(-1), ['offline', { reason: 'the coordinator fell silent' }])
  coordinator.acknowledges = true
  await clock.run(500)
  t.equal(node.status().state, 'online')
})

t.test(
  'when the network has changed, a connection that works is kept and a dead one left in seconds',
  async t => {
    const { clock, coordinator, node } = nodeRig(t)
    node.start()
    await clock.run(2_000)
    node.nudge()
    await clock.run(6_000)
    t.equal(coordinator.calls.length, 1)
    t.equal(coordinator.call.all('heartbeat').length, 2, 'the probe is a heartbeat out of turn')
    coordinator.acknowledges = false
    node.nudge()
    await clock.run(4_000)
    t.match(coordinator.call.hungUp, { code: 4009 })
    await clock.run(500)
    t.match(node.status(), { state: 'online', session: { resumed: true } })
  },
)

t.test('bytes that are no complete valid message do not count as life', async t => {
  const { clock, coordinator, node } = nodeRig(t)
  node.start()
  await clock.run(0)
  coordinator.acknowledges = false
  for (let i = 0; i < 30; i++) {
    coordinator.call.sayBytes(Uint8Array.of(0xc1))
    await clock.run(1_000)
  }
  t.equal(coordinator.calls.length, 2)
  t.ok(node.status().counters.faults.malformed >= 25)
})

t.test('a late word of an old connection touches nothing', async t => {
  const { clock, coordinator, node } = nodeRig(t)
  node.start()
  await clock.run(0)
  const old = coordinator.call
  coordinator.acknowledges = false
  await clock.run(26_000)
  coordinator.acknowledges = true
  await clock.run(1_000)
  t.equal(node.status().state, 'online')
  old.say(pathOpen(LINK), { type: 'replaced', generation: 9 })
  old.drop(4510, 'revoked')
  await clock.run(0)
  t.match(node.status(), { state: 'online', links: [] })
})

t.test('misshapen messages are answered once a second and never end the session', async t => {
  const { clock, coordinator, node } = nodeRig(t)
  node.start()
  await clock.run(0)
  for (let i = 0; i < 20; i++) coordinator.call.sayBytes(Uint8Array.of(0x91, 0xd4, 0, 0))
  coordinator.call.sayBytes(Uint8Array.of(0x92, 0x36, 0xa1, 0x78)) // path.closed without a link
  t.equal(coordinator.call.all('error').length, 1)
  t.match(coordinator.call.all('error'), [{ code: 'malformed' }])
  await clock.run(1_000)
  coordinator.call.sayBytes(Uint8Array.of(0x92, 0x36, 0xa1, 0x78))
  t.match(coordinator.call.all('error').at(-1), { code: 'bad_field', about: 0x36 })
  t.match(node.status(), { state: 'online', counters: { faults: { malformed: 20, bad_field: 2 } } })
})

t.test('whatever bytes arrive, the agent goes on', async t => {
  const { clock, coordinator, node } = nodeRig(t)
  node.start()
  await clock.run(0)
  const random = seededRandom(11)
  const whole = Buffer.concat([
    encode(pathOpen(LINK)),
    encode({ type: 'relay.data', link: LINK, payload: new Uint8Array(40) }),
    encode({ type: 'path.settled', link: LINK, tier: 'relayed' }),
  ])
  for (let i = 0; i < 3_000; i++) {
    const message = Buffer.from(whole)
    for (let n = pick(random, 4); n >= 0; n--) message[pick(random, message.length)] = pick(random, 256)
    coordinator.call.sayBytes(message.subarray(0, 1 + pick(random, message.length)))
  }
  await clock.run(5_000)
  t.equal(node.status().state, 'online')
  t.equal(coordinator.calls.length, 1)
})

t.test(
  'a message that only a newer coordinator knows is counted and ignored, and the rest is heard',
  async t => {
    const { clock, coordinator, node } = nodeRig(t)
    node.start()
    await clock.run(0)
    coordinator.call.sayBytes(Buffer.concat([Uint8Array.of(0x92, 0x7f, 0x01), encode(pathOpen(LINK))]))
    await clock.run(0)
    t.match(node.status(), {
      links: [{ link: LINK }],
      counters: { faults: { unknown_message: 1, malformed: 0 } },
    })
    t.equal(coordinator.call.all('error').length, 0)
  },
)

t.test('the ticket is renewed while the session stands', async t => {
  const memory = volatileMemory()
  const { clock, coordinator, node } = nodeRig(t, { memory, timing: { renewEveryMs: 60_000 } })
  node.start()
  await clock.run(60_000)
  t.equal(coordinator.call.all('renew').length, 1)
  const ticket = new Uint8Array(32).fill(99)
  coordinator.call.say({ type: 'renewed', ticket })
  t.same(memory.load()?.ticket, ticket)
  await clock.run(60_000)
  t.equal(coordinator.call.all('renew').length, 2)
})

t.test('the wait grows while nothing helps, and is short again after a session that stood', async t => {
  const { clock, coordinator, node, heard } = nodeRig(t)
  coordinator.reachable = false
  node.start()
  await clock.run(600_000)
  const waits = heard.map(([, event]) => (event as { retryInMs: number }).retryInMs)
  t.ok(Math.max(...waits) > 20_000 && Math.max(...waits) <= 60_000)
  t.ok((waits[0] ?? 501) <= 500)
  coordinator.reachable = true
  await clock.run(60_000)
  t.equal(node.status().state, 'online')
  await clock.run(60_000)
  coordinator.call.drop()
  const [, last] = heard.at(-1) ?? []
  t.ok((last as { retryInMs: number }).retryInMs <= 500)
})

t.test('a memory that fails costs the resume after a restart, not the session', async t => {
  const memory = {
    load: () => null,
    save: () => {
      throw new Error('disk full')
    },
  }
  const { clock, node, heard } = nodeRig(t, { memory })
  node.start()
  await clock.run(0)
  t.equal(node.status().state, 'online')
  t.match(heard, [['online'], ['fault', { what: 'memory' }]])
})

t.test('gauges that fail cost their figures, not the heartbeat', async t => {
  const gauges = () => {
    throw new Error('no /proc here')
  }
  const { clock, coordinator, node, heard } = nodeRig(t, { gauges })
  node.start()
  await clock.run(10_000)
  t.equal(coordinator.call.all('heartbeat').length, 2)
  t.match(heard.at(-1), ['fault', { what: 'gauges' }])
})

t.test('a figure that the wire does not take is left out', async t => {
  const gauges = () => ({ cpuTotalPct: -1, memFreeMb: Number.NaN, load1: '0.42' })
  const { clock, coordinator, node } = nodeRig(t, { gauges })
  node.start()
  await clock.run(0)
  const [beat] = coordinator.call.all('heartbeat')
  t.equal(beat?.load1, '0.42')
  t.notOk('cpuTotalPct' in (beat ?? {}) || 'memFreeMb' in (beat ?? {}))
})

t.test('what a coordinator gives as a reason is one line', async t => {
  const { coordinator, clock, node } = nodeRig(t)
  node.start()
  await clock.run(0)
  coordinator.call.drop(4001, '\u001b[2Jgone\r\naway')
  t.equal(node.status().reason, ' [2Jgone away')
})

t.test('wrong options are named before anything is dialled', async t => {
  const { coordinator } = nodeRig(t)
  for (const [options, message] of [
    [{ id: 'no spaces' }, /^id: wanted 1 to 64 of/],
    [{ privateKey: 'short' }, /^privateKey: wanted 32 bytes/],
    [{ profile: { country: 'Germany' } }, /^country: wanted two upper-case letters/],
    [{ url: 'ftp://mesh.example' }, /ftp: is not spoken here/],
    [{ url: 'https://me:secret@mesh.example' }, /credentials .* do not belong/],
    [{ url: 'https://' }, /it is not an address/],
  ] as const) {
    t.throws(() => nodeRig(t, options), { name: 'AgentError', message })
  }
  t.equal(coordinator.calls.length, 0)
})
