/** What a link does with the pair that it has won: it watches it, leaves it when it is gone, and moves with the peer. */
import t, { type Test } from 'tap'
import type { Endpoint } from '../../../src/protocol/address.js'
import { LATENCY_MS, TwoEnds, type TwoEndsOptions } from '../support/two-ends.js'

t.test('a path that dies under traffic is left within a second, and in doubt well before', async t => {
  const ends = await carried(t)
  await chat(ends, 3_000)
  ends.internet.udp.cut('client')
  const cutMs = ends.clock.now()
  let doubtMs: number | null = null
  while (ends.client.link?.tier !== null && ends.clock.now() - cutMs < 3_000) {
    if (ends.client.link?.isInDoubt === true) doubtMs ??= ends.clock.now() - cutMs
    await chat(ends, 10)
  }
  const lostMs = ends.clock.now() - cutMs
  t.comment(`in doubt after ${doubtMs} ms, lost after ${lostMs} ms`)
  t.ok(doubtMs !== null && doubtMs <= 600)
  t.ok(lostMs <= 1_100)
  t.match(ends.client.attempts.at(-1), { outcome: 'lost', cause: 'silent', attempt: 1, via: 'udp' })
  await chat(ends, 2_000)
  t.match(ends.node.attempts.at(-1), { outcome: 'lost', cause: 'silent' })
})

t.test('loss of a tenth of all packets does not end a path', async t => {
  const ends = await carried(t)
  ends.internet.udp.loss = 0.1
  await chat(ends, 30_000)
  t.equal(ends.client.link?.tier, 'direct')
  t.ok((ends.client.link?.lossPct ?? 0) > 5)
})

t.test('one-way traffic is no reason to doubt', async t => {
  const ends = await carried(t)
  for (let ms = 0; ms < 10_000; ms += 10) {
    ends.client.send('upload')
    if (ends.client.link?.isInDoubt === true) t.fail(`in doubt after ${ms} ms`)
    await ends.clock.run(10)
  }
  t.equal(ends.node.received.length, 1_000)
})

t.test('under traffic a check goes out about every second, without only now and then', async t => {
  const ends = await carried(t)
  const isCheck = (bytes: Buffer, to: Endpoint) =>
    bytes.readUInt16BE(0) === 1 && to.address === ends.node.socket.local()[0]?.address
  const checks = () => ends.client.wire.filter(({ bytes, to }) => isCheck(bytes, to)).length
  const before = checks()
  await chat(ends, 10_000)
  const busy = checks() - before
  t.ok(busy >= 9 && busy <= 12, `${busy} in 10 s of traffic`)
  await ends.clock.run(2_000)
  const resting = checks()
  await ends.clock.run(60_000)
  const idle = checks() - resting
  t.ok(idle >= 3 && idle <= 5, `${idle} in a minute without traffic`)
  t.equal(ends.client.link?.tier, 'direct')
})

t.test('a path that dies without traffic is left, and checked more often the next time', async t => {
  const ends = await carried(t)
  ends.internet.udp.cut('client')
  await ends.clock.run(25_000)
  t.equal(ends.client.link?.tier, null)
  t.equal(ends.node.link?.tier, null)
})

t.test('with another network the relay carries at once, and the new addresses are told', async t => {
  const ends = await carried(t)
  ends.internet.udp.place('client', { nat: ['full'] })
  ends.client.way.networkChanged()
  t.equal(ends.client.link?.tier, null)
  t.match(ends.client.attempts.at(-1), { outcome: 'lost', cause: 'network_changed' })
  const before = ends.client.signals.length
  await ends.clock.run(200)
  t.equal(ends.client.signals.length, before + 1)
  const [last, older] = [ends.client.signals.at(-1), ends.client.signals.at(-2)]
  t.ok((last?.revision ?? 0) > (older?.revision ?? 0))
  t.notSame(last?.candidates, older?.candidates)
  t.same(await ends.punch(), ['direct', 'direct'])
})

t.test('a change that is none for the addresses in use only has the path looked at', async t => {
  const ends = await carried(t)
  ends.client.way.networkChanged()
  await ends.clock.run(100)
  t.equal(ends.client.link?.tier, 'direct')
  t.equal(ends.client.attempts.length, 1)
})

t.test('one address more is told, and what carries goes on', async t => {
  const ends = await carried(t, { client: { addresses: ['30.9.0.1'] } })
  ends.internet.udp.place('client', { addresses: ['30.9.0.1', '30.9.0.2'] })
  ends.client.way.networkChanged()
  await ends.clock.run(100)
  t.equal(ends.client.link?.tier, 'direct')
  t.match(ends.client.signals.at(-1)?.candidates, [/^host 30\.9\.0\.1:/, /^host 30\.9\.0\.2:/])
})

t.test('the peer’s NAT may give it another address: the pair moves there by itself', async t => {
  const ends = await carried(t, { client: { nat: ['port'] }, node: {} })
  ends.internet.udp.rebind('client')
  await chat(ends, 3_000)
  t.equal(ends.node.link?.tier, 'direct')
  t.equal(ends.client.link?.tier, 'direct')
  t.match(
    ends.node.attempts.map(each => each.outcome),
    ['direct', 'direct'],
    'the node tells the coordinator of the other pair',
  )
  await ends.clock.run(100)
  const before = ends.client.received.length
  ends.node.send('to the new address')
  await ends.clock.run(100)
  t.equal(ends.client.received.length, before + 1)
})

t.test(
  'an address that the NAT changed is told within half a minute, also while nothing carries',
  async t => {
    const ends = await new TwoEnds(t, { client: { nat: ['port'] } }).open()
    const before = ends.client.signals.length
    ends.internet.udp.rebind('client')
    await ends.clock.run(25_000)
    t.equal(ends.client.signals.length, before + 1)
  },
)

t.test('where NATs forget after ten seconds, a path without traffic is soon kept by more checks', async t => {
  const short = { nat: [{ kind: 'port', lifetimeMs: 10_000, preservesPort: false }] } as const
  const ends = await carried(t, { client: short, node: short })
  for (let minute = 0; minute < 10; minute++) {
    await ends.clock.run(60_000)
    if (ends.client.link?.tier === null || ends.node.link?.tier === null) await ends.punch()
  }
  const losses = ends.client.attempts.filter(each => each.outcome === 'lost').length
  t.comment(`lost ${losses} times in ten minutes`)
  t.ok(losses <= 3)
  t.equal(ends.client.link?.tier, 'direct')
})

t.test('when the coordinator says that the relay carries, this end leaves too', async t => {
  const ends = await carried(t)
  ends.client.link?.hear({ type: 'path.settled', link: 0x1_0001, tier: 'relayed', reason: 'direct_lost' })
  t.equal(ends.client.link?.tier, null)
})

t.test('an end that is introduced again repeats where it is and what it has won', async t => {
  const ends = await carried(t)
  const [signals, attempts] = [ends.client.signals.length, ends.client.attempts.length]
  ends.client.link?.introduced({} as never) // nothing of it is read
  t.same(ends.client.signals.at(-1), ends.client.signals[signals - 1], 'the same revision')
  t.same(ends.client.attempts.at(-1), ends.client.attempts[attempts - 1])
  t.equal(ends.client.attempts.length, attempts + 1)
})

t.test('a path that is slower than the relay is not taken', async t => {
  const ends = await new TwoEnds(t).open()
  ends.client.relayedRttMs = ends.node.relayedRttMs = 4
  ends.internet.udp.latencyMs = 50
  t.same(await ends.punch(), ['failed', 'failed'])
  t.match(ends.client.attempts.at(-1), { cause: 'slower' })
  t.equal(ends.client.link?.tier, null)
})

t.test('an end that finds the path slower still takes what the peer sends by it, for a while', async t => {
  const ends = await new TwoEnds(t).open()
  ends.node.relayedRttMs = 1
  t.same(await ends.punch(), ['direct', 'failed'])
  ends.client.send('under way')
  await ends.clock.run(50)
  t.match(ends.node.received.at(-1), { text: 'under way' })
  await ends.clock.run(2_000)
  ends.client.send('too late')
  await ends.clock.run(50)
  t.match(ends.node.received.at(-1), { text: 'under way' })
})

t.test('one late answer does not make a path slower', async t => {
  const ends = await new TwoEnds(t).open()
  ends.client.relayedRttMs = ends.node.relayedRttMs = 30
  ends.internet.udp.latencyMs = 100
  const punched = ends.punch()
  await ends.clock.run(150)
  ends.internet.udp.latencyMs = 10
  t.same(await punched, ['direct', 'direct'])
})

t.test('a path that becomes slower than the relay is left after a while', async t => {
  const ends = await carried(t)
  ends.client.relayedRttMs = 30
  ends.internet.udp.latencyMs = 100
  await chat(ends, 8_000)
  t.equal(ends.client.link?.tier, 'direct')
  await chat(ends, 20_000)
  t.match(ends.client.attempts.at(-1), { outcome: 'lost', cause: 'slower' })
})

t.test('an attempt beside a pair that carries replaces it without a gap', async t => {
  const ends = await carried(t)
  const punched = ends.punch()
  let missing = 0
  for (let ms = 0; ms < 400; ms += 10) {
    if (!ends.client.send(`n${ms}`)) missing++
    await ends.clock.run(10)
  }
  t.same(await punched, ['direct', 'direct'])
  t.equal(missing, 0)
  t.equal(ends.node.received.length, 40)
})

t.test('a TURN server’s address is given back when nobody needs it', async t => {
  const ends = await new TwoEnds(t, { client: { nat: ['sym'] }, node: { nat: ['sym'] }, turn: true }).open()
  t.same(await ends.punch(), ['turned', 'turned'])
  t.equal(ends.traversal.allocations, 1)
  t.match(ends.client.signals.at(-1)?.candidates.at(-1), /^relay /)
  await chat(ends, 2_000)
  t.equal(ends.client.link?.tier, 'turned')
  ends.client.link?.close()
  await ends.clock.run(500)
  t.equal(ends.traversal.allocations, 0)
})

t.test('with a policy of direct only, no TURN server is asked', async t => {
  const options = {
    client: { nat: ['sym'] },
    node: { nat: ['sym'] },
    turn: true,
    policy: 'direct-only',
  } as const
  const ends = await new TwoEnds(t, options).open()
  t.same(await ends.punch(), ['failed', 'failed'])
  t.equal(ends.traversal.allocations, 0)
})

t.test('nothing is left running when the last link is closed', async t => {
  const ends = await carried(t)
  ends.traversal.stop()
  // Questions to servers that do not answer are under way now.
  await ends.clock.run(20_500)
  for (const end of [ends.client, ends.node]) end.link?.close()
  await ends.clock.run(100)
  t.equal(ends.clock.waiting, 0)
})

async function carried(t: Test, options: TwoEndsOptions = {}): Promise<TwoEnds> {
  const ends = await new TwoEnds(t, options).open()
  t.same(await ends.punch(), ['direct', 'direct'])
  return ends
}

/** Both ends send a packet every 10 ms. */
async function chat(ends: TwoEnds, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += LATENCY_MS) {
    ends.client.send('ping')
    ends.node.send('pong')
    await ends.clock.run(LATENCY_MS)
  }
}
