/** Checks that are forged, sent back, or heard before make nothing happen but a count. */
import t, { type Test } from 'tap'
import { Checks } from '../../../src/agent/direct/checks.js'
import type { Doubts } from '../../../src/agent/direct/udp-way.js'
import { seededRandom } from '../../../src/kit/random.js'
import type { Endpoint } from '../../../src/protocol/address.js'
import { type End, LINK, TwoEnds } from '../support/two-ends.js'

const NONE: Doubts = { unsigned: 0, reflected: 0, replayed: 0, unexpected: 0 }

t.test('a check under another key is counted as unsigned and not answered', async t => {
  const { ends, attacker } = await scene(t)
  const checks = new Checks({
    link: LINK,
    attempt: 1,
    key: new Uint8Array(32),
    controlling: true,
    random: seededRandom(5),
  })
  attacker.send(checks.request(true).bytes)
  await ends.clock.run(100)
  t.same(ends.node.way.doubts, { ...NONE, unsigned: 1 })
  t.equal(attacker.heard, 0)
})

t.test('a check for a link or an attempt that is not there is counted as unexpected', async t => {
  const { ends, attacker } = await scene(t)
  for (const [link, attempt] of [
    [LINK + 1, 1],
    [LINK, 2],
  ] as const) {
    const random = seededRandom(5)
    const checks = new Checks({ link, attempt, key: new Uint8Array(32), controlling: true, random })
    attacker.send(checks.request(false).bytes)
  }
  await ends.clock.run(100)
  t.same(ends.node.way.doubts, { ...NONE, unexpected: 2 })
  t.equal(attacker.heard, 0)
})

t.test('a check of the peer that is sent again from elsewhere is known, and moves nothing', async t => {
  const { ends, attacker } = await scene(t)
  for (const bytes of requestsOf(ends.client)) attacker.send(bytes)
  await ends.clock.run(100)
  t.equal(ends.node.way.doubts.replayed, requestsOf(ends.client).length)
  t.equal(attacker.heard, 0)
  ends.node.send('still to the client')
  await ends.clock.run(100)
  t.match(ends.client.received.at(-1), { text: '\x04still to the client' })
})

t.test('an end’s own check, sent back to it, is known as its own', async t => {
  const { ends, attacker } = await scene(t)
  const own = requestsOf(ends.node)
  for (const bytes of own) attacker.send(bytes)
  await ends.clock.run(100)
  t.equal(ends.node.way.doubts.reflected, own.length)
  t.equal(attacker.heard, 0)
})

t.test('packets and answers from strangers are dropped', async t => {
  const { ends, attacker } = await scene(t)
  const before = ends.node.socket.strays.data
  attacker.send(Buffer.from([4, 0, 0, 0, 1, 2, 3]))
  const answer = ends.client.wire.find(({ bytes }) => bytes.readUInt16BE(0) === 0x0101)
  t.ok(answer !== undefined)
  attacker.send(answer?.bytes ?? Buffer.alloc(0))
  await ends.clock.run(100)
  t.equal(ends.node.socket.strays.data, before + 1)
  t.same(ends.node.received, [])
  t.equal(attacker.heard, 0)
})

t.test('bytes of any kind are survived', async t => {
  const { ends, attacker } = await scene(t)
  const random = seededRandom(11)
  const check = requestsOf(ends.client)[0] ?? Buffer.alloc(0)
  for (let i = 0; i < 2_000; i++) {
    const bytes = Buffer.from(check)
    for (let n = 0; n < 3; n++) bytes[Math.floor(random.float() * bytes.length)] = random.float() * 256
    attacker.send(random.float() < 0.5 ? bytes : bytes.subarray(0, random.float() * bytes.length))
  }
  await ends.clock.run(1_000)
  t.equal(attacker.heard, 0)
  t.equal(ends.node.link?.tier, 'direct')
})

t.test('checks never go where no peer can be', async t => {
  const { ends } = await scene(t)
  const before = ends.client.wire.length
  const nowhere = [
    '127.0.0.1:53',
    '0.0.0.0:53',
    '224.0.0.1:53',
    '255.255.255.255:53',
    '[::1]:53',
    '[ff02::1]:53',
  ]
  ends.client.link?.hear({
    type: 'path.punch',
    link: LINK,
    attempt: 9,
    via: 'udp',
    controlling: true,
    key: new Uint8Array(32),
    startInMs: 0,
    tryForMs: 1_000,
    candidates: nowhere.map(at => `host ${at}`),
  })
  await ends.clock.run(2_000)
  const to = ends.client.wire.slice(before).map(each => each.to.address)
  t.same(
    to.filter(address => !/^(?:20|30)\.0\./.test(address)),
    [],
  )
  t.match(ends.client.attempts.at(-1), { outcome: 'failed', cause: 'no_candidates', tried: [] })
})

t.test('an attempt sends some fifty checks a second at most, however many candidates there are', async t => {
  const ends = await new TwoEnds(t).open()
  const before = ends.client.wire.length
  ends.client.link?.hear({
    type: 'path.punch',
    link: LINK,
    attempt: 1,
    via: 'udp',
    controlling: true,
    key: new Uint8Array(32),
    startInMs: 0,
    tryForMs: 60_000,
    candidates: Array.from({ length: 16 }, (_, n) => `host 198.51.100.${n + 1}:4500`),
  })
  await ends.clock.run(5_000)
  const sent = ends.client.wire.length - before
  t.ok(sent <= 275, `${sent} in 5 s`)
  await ends.clock.run(15_000)
  t.match(ends.client.attempts, [{ outcome: 'failed', cause: 'no_answer' }], 'and does not last a minute')
})

interface Attacker {
  send(bytes: Uint8Array): void
  /** Datagrams that came back. */
  readonly heard: number
}

/** A link that is carried, and somebody else in the open who can reach the node. */
async function scene(t: Test): Promise<{ ends: TwoEnds; attacker: Attacker }> {
  const ends = await new TwoEnds(t).open()
  await ends.punch()
  ends.internet.udp.place('mallory', {})
  let heard = 0
  const socket = await ends.internet.udp.datagramsFrom('mallory')(() => heard++)
  const to = ends.node.socket.local()[0] as Endpoint // every host has one
  return {
    ends,
    attacker: {
      send: bytes => socket.send(bytes, to),
      get heard() {
        return heard
      },
    },
  }
}

/** Checks that an end sent, as the wire saw them; not its questions to STUN servers. */
const requestsOf = (end: End): Buffer[] =>
  end.wire
    .filter(({ bytes, to }) => bytes.readUInt16BE(0) === 1 && !to.address.startsWith('20.'))
    .map(({ bytes }) => bytes)
