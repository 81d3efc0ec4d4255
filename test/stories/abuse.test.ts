/** What hostile and broken agents try at the door and in a session, and what it costs: themselves only. */
import { Packr } from 'msgpackr'
import t from 'tap'
import type { Socket } from '../../src/actors/ports.js'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { definitionOf, encode } from '../../src/protocol/codec.js'
import { EXAMPLES } from '../../src/protocol/examples.js'
import type { Wire } from '../../src/protocol/messages.js'
import { SENT } from '../../src/protocol/sent.js'
import { GREETING_MESSAGE_MAX, TIMING } from '../../src/protocol/timing.js'
import { numbered } from '../lab/hosts.js'
import { CREDENTIAL } from '../lab/lab.js'
import { bytesOf, MESSAGES, pack } from '../protocol/bytes.js'
import type { RawAgent } from '../support/raw-agent.js'
import { dialling, town } from '../support/town.js'

// ── before a session stands ──────────────────────────────────────────────────────────────────────

t.test('a flood of hellos from one address is cut off, and costs nobody else', async t => {
  const { lab, peace } = await town(t, { limits: { hellosPerSecond: 20, helloBurst: 100 } })
  const attackers: RawAgent[] = []
  for (let wave = 0; wave < 3; wave++) {
    const agents = Array.from({ length: 60 }, () => dialling(lab, 'attacker', 'fra-1'))
    await lab.clock.run(30)
    for (const agent of agents) agent.say({ ...agent.hello(), proof: new Uint8Array(32) })
    await lab.clock.run(30)
    attackers.push(...agents)
  }
  const proofs = attackers.filter(({ closedWith }) => closedWith === CLOSE.proofFailed.code)
  const floods = attackers.filter(({ closedWith }) => closedWith === CLOSE.flooding.code)
  const later = attackers.filter(({ closedWith }) => closedWith === CLOSE.tryLater.code)
  t.equal(proofs.length + floods.length + later.length, 180)
  t.ok(
    proofs.length <= 105,
    `${proofs.length} proofs were computed: the burst, and a few for the time that passed`,
  )
  t.equal(lab.mesh.stats().denied['hello_flood'], floods.length)
  t.equal((await lab.enrolled('client', 'bob')).last('registered').generation, 1, 'others are let in')
  await peace()
})

t.test('the many addresses of one IPv6 subscriber count as one', async t => {
  const { lab, peace } = await town(t, { limits: { greetingPerAddress: 4 } })
  for (let n = 0; n < 6; n++) dialling(lab, `2001:db8:0:7::${n + 1}`, 'x')
  await lab.clock.run(50)
  t.equal(lab.mesh.stats().connections.greeting, 4)
  t.notOk(lab.mesh.intake.admit('2001:db8:0:7:ffff::9').ok)
  t.ok(lab.mesh.intake.admit('2001:db8:0:8::9').ok)
  await lab.clock.run(TIMING.greetingMs + 100)
  await peace()
})

t.test('one address may have so many sockets greeting, and all of them together so many', async t => {
  const { lab, peace } = await town(t, { limits: { greetingPerAddress: 8, greetingTotal: 50 } })
  const eager = Array.from({ length: 10 }, () => dialling(lab, 'attacker', 'x'))
  await lab.clock.run(50)
  t.equal(eager.filter(({ closedWith }) => closedWith === null).length, 8)
  t.equal(lab.mesh.stats().connections.greeting, 8)
  for (let n = 0; n < 60; n++) dialling(lab, `attacker-${n}`, 'x')
  await lab.clock.run(50)
  t.equal(lab.mesh.stats().connections.greeting, 50)
  t.same(lab.mesh.intake.admit('attacker'), { ok: false, retryAfterS: 1 })
  t.match(lab.mesh.stats().denied, { too_many_greetings: 2 + 18 + 1 })
  await lab.clock.run(TIMING.greetingMs + 100)
  t.match(lab.mesh.stats(), { connections: { greeting: 0 }, denied: { greeting_timeout: 50 } })
  t.ok(eager.every(({ closedWith }) => closedWith !== null))
  await peace()
})

t.test('a message too large to be a greeting is refused undecoded', async t => {
  const { lab, peace } = await town(t)
  const agent = await lab.raw('node', 'x')
  const hello = encode(agent.hello({ credential: CREDENTIAL }))
  agent.sayBytes(Buffer.concat([hello, Buffer.alloc(GREETING_MESSAGE_MAX + 1 - hello.length, 0xc0)]))
  agent.sayBytes(Buffer.concat([hello, hello]))
  await lab.clock.run(50)
  t.match(agent.last('error'), { code: 'malformed', reason: /at most 4096 bytes/ })
  t.equal(agent.closedWith, null)
  agent.sayBytes(Buffer.alloc(65_536, 0x93))
  await lab.clock.run(50)
  t.equal(agent.closedWith, CLOSE.malformed.code)
  await peace()
})

t.test('only a greeting opens a session', async t => {
  const { lab, peace } = await town(t)
  for (const { name } of MESSAGES) {
    if (name === 'register' || name === 'resume') continue
    const agent = await lab.raw('node', 'x')
    agent.say(EXAMPLES[name as Wire['type']])
    await lab.clock.run(30)
    t.match(agent.last('error'), { code: 'not_now' }, name)
    agent.say(EXAMPLES[name as Wire['type']], EXAMPLES[name as Wire['type']])
    agent.say(EXAMPLES[name as Wire['type']])
    await lab.clock.run(30)
    t.equal(agent.closedWith, CLOSE.malformed.code, name)
  }
  await peace()
})

t.test('a nonce serves one proof', async t => {
  const { lab, peace } = await town(t)
  const agent = await lab.raw('node', 'x')
  const hello = agent.hello({ credential: CREDENTIAL })
  agent.say({ ...hello, proof: new Uint8Array(32) })
  agent.say(hello)
  await lab.clock.run(50)
  t.same(agent.names(), ['welcome', 'refused'])
  t.equal(agent.closedWith, CLOSE.proofFailed.code)

  const stolen = encode(hello)
  const thief = await lab.raw('node', 'x', agent.keys)
  thief.sayBytes(stolen)
  await lab.clock.run(50)
  t.equal(thief.last('refused').code, 'proof_failed')
  await peace()
})

t.test('one first contact at a time, on one socket or on two', async t => {
  const { lab, peace } = await town(t)
  const enrol = lab.store.enrol.bind(lab.store)
  let answer = () => {}
  lab.store.enrol = request =>
    new Promise(resolve => {
      answer = () => resolve(enrol(request))
    })
  const first = await lab.raw('node', 'x')
  const second = await lab.raw('node', 'x', first.keys)
  first.say(first.hello({ credential: CREDENTIAL }))
  await lab.clock.run(50)
  first.say(first.hello({ credential: CREDENTIAL }))
  second.say(second.hello({ credential: CREDENTIAL }))
  await lab.clock.run(50)
  t.match(first.last('error'), { code: 'not_now', reason: 'the first message is being answered' })
  t.match(second.last('refused'), { code: 'overloaded' })
  t.ok((second.last('refused').retryAfterMs ?? 0) >= 1_000)
  t.equal(second.closedWith, CLOSE.tryLater.code)
  answer()
  await lab.clock.run(50)
  t.match(first.last('registered'), { generation: 1 })
  await peace()
})

t.test('tickets cannot be guessed, and a wrong one tells nothing', async t => {
  const { lab, peace, client } = await town(t)
  const { ticket } = client.last('registered')
  const answers = new Set<string>()
  for (let n = 0; n < 64; n++) {
    const agent = await lab.raw('client', 'thief')
    // Close to a real one, in every byte.
    agent.say({ type: 'resume', ticket: Buffer.from(ticket).fill(n, n % 32, (n % 32) + 1) })
    await lab.clock.run(30)
    const { code, reason } = agent.last('refused')
    answers.add(`${code} ${reason} ${agent.closedWith}`)
  }
  t.same([...answers], [`ticket_unknown the ticket is unknown, used or too old; register again 4003`])
  const short = await lab.raw('client', 'thief')
  short.sayBytes(pack([definitionOf('resume').code, Buffer.alloc(31)]))
  await lab.clock.run(30)
  t.match(short.last('error'), { code: 'bad_field', reason: 'resume.ticket: wanted 32 bytes' })
  await peace()
})

// ── what a session may say ───────────────────────────────────────────────────────────────────────

const packr = new Packr({ useRecords: false })
const BOMBS: readonly { readonly what: string; readonly bytes: Uint8Array }[] = [
  { what: 'sixteen thousand lists in one another', bytes: Buffer.alloc(16_384, 0x91) },
  { what: 'a list that claims 2^32 − 1 items', bytes: bytesOf('ddffffffff') },
  { what: 'a text that claims 2^32 − 1 bytes', bytes: bytesOf('9110dbffffffff') },
  {
    what: 'a list of sixty thousand nothings',
    bytes: Buffer.concat([bytesOf('dcea60'), Buffer.alloc(60_000, 0xc0)]),
  },
  { what: 'an extension that other decoders run', bytes: bytesOf('9110c70072') },
  { what: 'a regular expression', bytes: packr.pack([0x10, /a+/]) },
  { what: 'an error with a cause', bytes: packr.pack([0x10, new Error('boo')]) },
  { what: 'a set', bytes: packr.pack([0x10, new Set([1])]) },
  { what: 'a map named __proto__', bytes: bytesOf('921081a95f5f70726f746f5f5f81a161a162') },
  { what: 'the byte that means nothing', bytes: bytesOf('c1') },
  { what: 'half a message', bytes: encode(EXAMPLES['path.ready']).subarray(0, 4) },
  { what: 'an empty message', bytes: new Uint8Array(0) },
  { what: 'a number beyond 53 bits', bytes: bytesOf('9231cfffffffffffffffff') },
  { what: 'NaN for a figure', bytes: pack([0x34, 0x1_0000, Number.NaN, 1, 1]) },
  { what: 'infinity for a figure', bytes: pack([0x34, 0x1_0000, Number.POSITIVE_INFINITY, 1, 1]) },
  { what: 'a link of the wrong type', bytes: pack([0x31, 'one']) },
  { what: 'a code that no message has', bytes: pack([0x7e]) },
  { what: 'a name that a state machine would take for its own', bytes: pack(['xstate.done.actor.0', 1]) },
  { what: 'relay.data with a length that leaves the message', bytes: bytesOf('9340ce00010000c5ffff04') },
]

t.test('bytes that are not of the protocol cost their sender three strikes, and nobody anything', async t => {
  const { lab, peace } = await town(t)
  for (const [n, { what, bytes }] of BOMBS.entries()) {
    const agent = await lab.enrolled('client', `bomber-${n}`)
    agent.sayBytes(bytes)
    await lab.clock.run(50)
    t.match(agent.last('error').code, /malformed|bad_field|unknown_message/, what)
    t.equal(agent.closedWith, null)
    agent.sayBytes(bytes)
    agent.sayBytes(bytes)
    await lab.clock.run(50)
    t.equal(agent.closedWith, CLOSE.malformed.code)
  }
  t.equal((Object.prototype as Record<string, unknown>)['a'], undefined)
  await peace()
})

t.test('what only the coordinator may say, and what only a client may, is no message of a node', async t => {
  const { lab, peace } = await town(t)
  const may = new Set([
    'path.ready',
    'path.report',
    'path.closed',
    'probe.report',
    'path.signal',
    'path.attempt',
    'report.batch',
    'renew',
    'drain.request',
    'job.progress',
    'job.done',
    'job.ready',
    'goodbye',
    'error',
    'heartbeat',
    'relay.data',
  ])
  let n = 0
  for (const { name } of MESSAGES) {
    if (may.has(name)) continue
    const agent = await lab.enrolled('node', `node-${n++}`)
    agent.say(EXAMPLES[name as Wire['type']])
    await lab.clock.run(30)
    t.match(agent.last('error'), { code: 'not_now', reason: new RegExp(`^${name} is not`) })
    t.equal(agent.closedWith, null)
    agent.say({ type: 'goodbye', reason: 'done' })
    await lab.clock.run(30)
  }
  await peace()
})

t.test('pings are answered until there are too many', async t => {
  const { lab, peace } = await town(t)
  const closes: number[] = []
  const socket: Socket = {
    remote: 'pinger',
    send: () => SENT.ok,
    buffered: () => 0,
    close: code => closes.push(code),
  }
  const connection = lab.mesh.intake.opened(socket)
  for (let second = 0; second < 3; second++) {
    for (let n = 0; n < 10; n++) connection.pinged()
    await lab.clock.run(1_001)
  }
  t.same(closes, [])
  for (let n = 0; n < 1_000; n++) connection.pinged()
  t.same(closes, [CLOSE.flooding.code])
  t.equal(lab.mesh.stats().denied['ping_flood'], 1)
  connection.closed(1_006)
  await peace()
})

t.test('control messages and heartbeats come at a bearable rate, or the socket goes', async t => {
  const { lab, peace } = await town(t)
  for (const flood of ['path.report', 'heartbeat', 'renew'] as const) {
    const agent = await lab.enrolled('client', `flood.${flood}`)
    const message: Wire = flood === 'heartbeat' ? agent.beat() : EXAMPLES[flood]
    for (let n = 0; n < 399; n++) agent.say(message)
    await lab.clock.run(30)
    t.equal(agent.closedWith, null, `a burst of ${flood} is borne`)
    for (let n = 0; n < 100; n++) agent.say(message)
    await lab.clock.run(30)
    t.equal(agent.closedWith, CLOSE.flooding.code)
    t.equal(lab.mesh.clients().find(({ id }) => id === `flood.${flood}`)?.state, 'suspended', 'it may return')
  }
  t.equal(lab.mesh.stats().denied['control_flood'], 3)
  await peace()
})

t.test('no control character gets in, by any field', async t => {
  const { lab, peace } = await town(t)
  const nasty = ['a\nb', '\u001b[31mred', 'a\u0000b', 'a\u2028b', '\u009b31m', 'x'.repeat(300)]
  const agent = await lab.raw('client', 'x')
  for (const field of ['id', 'agent', 'region', 'credential', 'country'] as const) {
    for (const text of nasty) {
      const attempt = dialling(lab, 'x', 'x')
      await lab.clock.run(30)
      const { code, order } = definitionOf('register')
      const hello = attempt.hello({ credential: CREDENTIAL }) as unknown as Record<string, unknown> // by field name
      attempt.sayBytes(pack([code, ...order.map(key => (key === field ? text : (hello[key] ?? null)))]))
      await lab.clock.run(30)
      const { code: answer, reason } = attempt.last('error')
      t.equal(answer, 'bad_field')
      t.notOk(/[\p{Cc}\u2028]/u.test(reason), 'and the answer does not repeat it')
      attempt.hangUp()
    }
  }
  agent.say(agent.hello({ credential: CREDENTIAL }))
  await lab.clock.run(50)
  agent.sayBytes(pack([definitionOf('goodbye').code, '\u001b[2J']))
  await lab.clock.run(50)
  t.equal(agent.last('error').code, 'bad_field')
  t.same(lab.complaints, [])
  await peace()
})

t.test('nobody speaks for a link or a route that is not theirs', async t => {
  const { lab, peace, client, link } = await town(t)
  const { routeId } = client.last('route.assigned')
  for (const role of ['node', 'client'] as const) {
    const mallory = await lab.enrolled(role, `mallory-${role}`)
    mallory.say(
      { type: 'path.ready', link },
      { type: 'path.report', link, rttMs: 1, sentBytes: 1, receivedBytes: 1 },
      { type: 'path.closed', link, reason: 'mine now' },
      { type: 'relay.data', link, payload: numbered(1) },
    )
    if (role === 'client') mallory.say({ type: 'route.release', routeId })
    await lab.clock.run(1_200)
    t.equal(mallory.closedWith, null)
    t.notOk(mallory.names().includes('path.open'))
  }
  t.equal(lab.mesh.stats().relay.drops['not_your_link'], 2)
  await peace()
})
