import t from 'tap'
import { systemRandom } from '../../src/kit/random.js'
import { ATTRIBUTE, FAMILY_BYTE, METHOD, readAddress } from '../../src/turn/attributes.js'
import { valueOf } from '../../src/turn/codec.js'
import { udpFlow } from '../../src/turn/flow.js'
import { hasSignature } from '../../src/turn/integrity.js'
import { MessageWriter } from '../../src/turn/writer.js'
import { lifetimeOf, PEER, PEER_V6, Rig, SERVER, SERVER_V6, UDP } from './rig.js'

const V6 = Buffer.from([FAMILY_BYTE[6], 0, 0, 0])

t.test('an allocation says where peers send to, how we are seen and how long it lives', async t => {
  const caller = new Rig().caller()
  const answer = caller.allocate()
  const { message } = answer
  t.equal(answer.code, 0)
  t.match(readAddress(valueOf(message, ATTRIBUTE.xorRelayedAddress), message.transactionId), {
    address: SERVER.address,
  })
  t.same(readAddress(valueOf(message, ATTRIBUTE.xorMappedAddress), message.transactionId), {
    address: caller.flow.address,
    port: caller.flow.port,
  })
  t.equal(lifetimeOf(answer), 600)
  t.ok(hasSignature(message, caller.signature))
})

t.test('SHA-256 is offered, and answered in kind', async t => {
  const caller = new Rig().caller({ algorithm: 'sha256' })
  const challenge = caller.challenge().message
  t.equal(valueOf(challenge, ATTRIBUTE.passwordAlgorithms)?.toString('hex'), '0002000000010000')
  t.match(valueOf(challenge, ATTRIBUTE.nonce)?.toString(), /^obMatJos2gAAA/)
  const { code, message } = caller.allocate()
  t.equal(code, 0)
  t.ok(hasSignature(message, caller.signature))
})

t.test('a shortened offer of algorithms is noticed', async t => {
  const caller = new Rig().caller()
  caller.challenge()
  const altered = (list: string) =>
    caller.ask(METHOD.allocate, request =>
      request
        .add(ATTRIBUTE.passwordAlgorithms, Buffer.from(list, 'hex'))
        .add(ATTRIBUTE.passwordAlgorithm, Buffer.from('00010000', 'hex')),
    ).code
  t.equal(altered('00010000'), 400)
  t.equal(altered('0001000000020000'), 400)
})

/** What a request asks for, and the code it is refused with. */
const REFUSALS: readonly [string, number, (request: MessageWriter) => MessageWriter][] = [
  ['no transport', 400, request => request],
  ['TCP to the peer', 442, request => request.add(ATTRIBUTE.requestedTransport, Buffer.from([6, 0, 0, 0]))],
  ['a transport cut short', 400, request => request.add(ATTRIBUTE.requestedTransport, Buffer.from([17]))],
  [
    'an unheard-of family',
    440,
    request => udp(request).add(ATTRIBUTE.requestedAddressFamily, Buffer.alloc(4, 9)),
  ],
  ['a misshapen family', 400, request => udp(request).add(ATTRIBUTE.requestedAddressFamily, Buffer.alloc(1))],
  [
    'two families the wrong way round',
    400,
    request => udp(request).add(ATTRIBUTE.additionalAddressFamily, FOUR),
  ],
  [
    'one family and both',
    400,
    request =>
      udp(request).add(ATTRIBUTE.requestedAddressFamily, V6).add(ATTRIBUTE.additionalAddressFamily, V6),
  ],
  [
    'both families and a pair of ports',
    400,
    request => udp(request).add(ATTRIBUTE.additionalAddressFamily, V6).add(ATTRIBUTE.evenPort, PAIR),
  ],
  [
    'a token and an even port',
    400,
    request => udp(request).add(ATTRIBUTE.reservationToken, Buffer.alloc(8)).add(ATTRIBUTE.evenPort, PAIR),
  ],
  [
    'a token and a family',
    400,
    request =>
      udp(request).add(ATTRIBUTE.reservationToken, Buffer.alloc(8)).add(ATTRIBUTE.requestedAddressFamily, V6),
  ],
  ['an unknown token', 508, request => udp(request).add(ATTRIBUTE.reservationToken, Buffer.alloc(8))],
  ['a misshapen token', 400, request => udp(request).add(ATTRIBUTE.reservationToken, Buffer.alloc(7))],
  ['a misshapen lifetime', 400, request => udp(request).add(ATTRIBUTE.lifetime, Buffer.alloc(3))],
  ['an empty even-port', 400, request => udp(request).add(ATTRIBUTE.evenPort, Buffer.alloc(0))],
  [
    "don't-fragment, which Node cannot set",
    420,
    request => udp(request).add(ATTRIBUTE.dontFragment, Buffer.alloc(0)),
  ],
  ['something unheard of', 420, request => udp(request).add(0x7f01, Buffer.alloc(0))],
]

t.test('an allocation is refused with the code that says why', async t => {
  const rig = new Rig()
  for (const [name, code, fill] of REFUSALS) t.equal(rig.caller().ask(METHOD.allocate, fill).code, code, name)
  t.equal(rig.server.allocations, 0)
  t.same([...rig.relays], [])
})

t.test('a refusal names the attributes that were not understood', async t => {
  const answer = new Rig()
    .caller()
    .allocate(request => request.addText(ATTRIBUTE.dontFragment, '').addText(0x7f01, ''))
  t.equal(valueOf(answer.message, ATTRIBUTE.unknownAttributes)?.toString('hex'), '001a7f01')
})

t.test('a family that is not served is refused, and only that one', async t => {
  const rig = new Rig({ relayAddresses: new Map([[4, SERVER.address]]) })
  t.equal(rig.caller().allocate(request => request.add(ATTRIBUTE.requestedAddressFamily, V6)).code, 440)
  const both = rig.caller().allocate(request => request.add(ATTRIBUTE.additionalAddressFamily, V6))
  t.equal(both.code, 0)
  t.equal(valueOf(both.message, ATTRIBUTE.addressErrorCode)?.toString('hex'), '02000428')
})

t.test('an allocation of both families has a relayed address of each', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  const { message } = caller.allocate(request => request.add(ATTRIBUTE.additionalAddressFamily, V6))
  const relayed = message.attributes
    .filter(({ type }) => type === ATTRIBUTE.xorRelayedAddress)
    .map(({ value }) => readAddress(value, message.transactionId)?.address)
  t.same(relayed, [SERVER.address, SERVER_V6])
  caller.permit(PEER, PEER_V6)
  caller.send(PEER, 'four')
  caller.send(PEER_V6, 'six')
  t.same(
    rig.sent.map(({ to, data }) => [to.address, data.toString()]),
    [
      [PEER.address, 'four'],
      [PEER_V6.address, 'six'],
    ],
  )
  t.equal(caller.refresh(0, request => request.add(ATTRIBUTE.requestedAddressFamily, V6)).code, 0)
  t.equal(rig.relays.size, 1)
  t.equal(caller.permit(PEER_V6).code, 443)
  t.equal(caller.refresh(600, request => request.add(ATTRIBUTE.requestedAddressFamily, V6)).code, 443)
})

t.test('a repeated request is answered alike and opens nothing more; another one is a mismatch', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  caller.challenge()
  const request = caller.signed(METHOD.allocate, udp)
  const [first, again] = [caller.exchange(request), caller.exchange(request)]
  t.same(again.message.bytes, first.message.bytes)
  t.equal(rig.relays.size, 1)
  t.equal(caller.allocate().code, 437)
})

t.test('while its socket opens, a repeated request waits for the one answer', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  caller.challenge()
  const request = caller.signed(METHOD.allocate, udp)
  const [open] = rig.server.handle(request, caller.flow)
  t.match(open, { type: 'open' })
  t.same(rig.server.handle(request, caller.flow), [])
  t.match(open?.type === 'open' && rig.server.opened(open.relay, true), [{ type: 'reply' }])
})

t.test('a client that leaves while its socket opens leaves nothing behind', async t => {
  const rig = new Rig({ limits: { perUser: 1 } })
  const caller = rig.caller()
  caller.challenge()
  const [open] = rig.server.handle(caller.signed(METHOD.allocate, udp), caller.flow)
  t.same(rig.server.closed(caller.flow), [{ type: 'close', relay: open?.type === 'open' ? open.relay : 0 }])
  t.same(rig.server.opened(open?.type === 'open' ? open.relay : 0, true), [])
  t.equal(rig.caller().allocate().code, 0)
})

t.test('a port that another process holds is passed over', async t => {
  let tries = 0
  const rig = new Rig({ opens: () => ++tries > 3 })
  t.equal(rig.caller().allocate().code, 0)
  t.equal(tries, 4)
})

t.test('when no socket opens there is no capacity, and no place is lost', async t => {
  const rig = new Rig({ opens: () => false, limits: { perUser: 1 } })
  t.equal(rig.caller().allocate().code, 508)
  t.equal(rig.caller().allocate().code, 508)
})

t.test('an even port is even, and the next is kept for whoever has the token', async t => {
  const rig = new Rig()
  const first = rig.caller()
  const answer = first.allocate(request => request.add(ATTRIBUTE.evenPort, PAIR))
  const { message } = answer
  const relayed = readAddress(valueOf(message, ATTRIBUTE.xorRelayedAddress), message.transactionId)
  const token = valueOf(message, ATTRIBUTE.reservationToken) ?? Buffer.alloc(0)
  t.equal((relayed?.port ?? 1) % 2, 0)
  t.equal(token.length, 8)
  const claim = (id: string) =>
    rig.caller({ id }).allocate(request => request.add(ATTRIBUTE.reservationToken, token))
  t.equal(claim('node-2').code, 508, 'it belongs to another')
  const second = claim('node-1').message
  t.equal(
    readAddress(valueOf(second, ATTRIBUTE.xorRelayedAddress), second.transactionId)?.port,
    (relayed?.port ?? 0) + 1,
  )
  t.equal(claim('node-1').code, 508, 'it is good once')
})

t.test('a port that was kept and not asked for is closed after 30 s', async t => {
  const rig = new Rig()
  rig.caller().opens(request => request.add(ATTRIBUTE.evenPort, PAIR))
  t.equal(rig.relays.size, 2)
  rig.wait(31_000)
  t.equal(rig.relays.size, 1)
})

t.test('requests about an allocation that is not there are a mismatch', async t => {
  const caller = new Rig().caller()
  t.same(
    [caller.refresh(600).code, caller.permit(PEER).code, caller.bind(0x4000, PEER).code],
    [437, 437, 437],
  )
})

t.test('permissions and channels are refused with the code that says why', async t => {
  const caller = new Rig().caller()
  caller.opens()
  t.equal(caller.permit().code, 400, 'no peer')
  t.equal(caller.permit(PEER_V6).code, 443, 'a peer of the other family')
  t.equal(caller.bind(0x4000, PEER_V6).code, 443, 'a channel to the other family')
  t.equal(caller.bind(0x3fff, PEER).code, 400, 'below the channels')
  t.equal(caller.bind(0x8000, PEER).code, 400, 'above the channels')
  t.equal(caller.bind(0x4000, { ...PEER, port: 0 }).code, 400, 'a channel to port 0')
  t.equal(
    caller.ask(METHOD.channelBind, request => request.addXorAddress(ATTRIBUTE.xorPeerAddress, PEER)).code,
    400,
  )
  t.equal(
    caller.ask(METHOD.channelBind, request => request.add(ATTRIBUTE.channelNumber, Buffer.alloc(4))).code,
    400,
  )
  t.equal(caller.bind(0x4000, PEER).code, 0)
  t.equal(caller.bind(0x4000, PEER).code, 0, 'the same again is a refresh')
  t.equal(caller.bind(0x4001, PEER).code, 400, 'the peer has another channel')
  t.equal(caller.bind(0x4000, { ...PEER, port: 5_001 }).code, 400, 'the channel has another peer')
})

t.test('a client and its peer hear each other, by indication and by channel', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  const relayed = caller.opens()
  const answer = (text: string) =>
    rig.perform(rig.server.fromPeer(rig.relayAt(relayed), Buffer.from(text), PEER.address, PEER.port))
  answer('too early')
  caller.permit(PEER)
  caller.send(PEER, 'one')
  answer('two')
  caller.bind(0x4abc, PEER)
  rig.say(Buffer.concat([Buffer.from('4abc0005', 'hex'), Buffer.from('three')]), caller.flow)
  answer('four')
  t.same(
    rig.sent.map(({ to, data }) => [to, data.toString()]),
    [
      [PEER, 'one'],
      [PEER, 'three'],
    ],
  )
  t.same(caller.heard(), [`${PEER.address}: two`, '0x4abc: four'])
  t.match(rig.server.counters, {
    toPeers: { packets: 2, bytes: 8 },
    toClients: { packets: 2, bytes: 7 },
    lost: { no_permission: 1 },
  })
})

t.test('another port of a permitted address is heard too, and never by the channel', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  const relayed = caller.opens()
  caller.bind(0x4000, PEER)
  rig.perform(rig.server.fromPeer(rig.relayAt(relayed), Buffer.from('hello'), PEER.address, 1))
  t.same(caller.heard(), [`${PEER.address}: hello`])
})

t.test('two clients meet through their relays, and never at another port of the server', async t => {
  const rig = new Rig()
  const [a, b] = [rig.caller(), rig.caller({ id: 'node-2' })]
  const [atA, atB] = [a.opens(), b.opens()]
  a.permit(atB)
  a.send(atB, 'not yet permitted by the other')
  b.permit(atA)
  a.send(atB, 'hello')
  a.send({ ...atB, port: 22 }, 'not a relay')
  a.bind(0x4000, atB)
  b.bind(0x4001, atA)
  rig.say(Buffer.from('4000000161', 'hex'), a.flow)
  t.same(b.heard(), [`${SERVER.address}: hello`, '0x4001: a'])
  t.same(rig.sent, [], 'no packet leaves the server')
  t.match(rig.server.counters.lost, { no_permission: 1, not_ours: 1 })
})

t.test('another identity cannot touch an allocation; newer credentials of the same one can', async t => {
  const rig = new Rig()
  const owner = rig.caller()
  owner.opens()
  const other = rig.caller({ id: 'node-2', flow: owner.flow })
  t.same([other.refresh(0).code, other.permit(PEER).code, other.bind(0x4000, PEER).code], [441, 441, 441])
  rig.wait(60_000)
  const renewed = rig.caller({ flow: owner.flow })
  t.not(renewed.username, owner.username)
  t.equal(renewed.permit(PEER).code, 0)
})

t.test('a client that loses its session loses its allocation', async t => {
  const live = new Set(['node-1'])
  const rig = new Rig({ allowed: id => live.has(id) })
  const caller = rig.caller()
  caller.opens()
  live.clear()
  t.equal(caller.permit(PEER).code, 401)
  rig.perform(rig.server.review())
  t.same([rig.server.allocations, rig.relays.size], [0, 0])
})

t.test('a server that drains opens nothing more, and what is open ends at scattered times', async t => {
  const rig = new Rig()
  const callers = Array.from({ length: 20 }, (_, i) =>
    rig.caller({ id: `node-${i}`, flow: udpFlow(0, `41.0.0.${i}`, 1) }),
  )
  for (const caller of callers) caller.opens()
  rig.perform(rig.server.drain(60_000))
  t.equal(rig.caller().allocate().code, 508)
  t.ok((lifetimeOf((callers[0] as (typeof callers)[0]).refresh(3_600)) ?? 99) <= 60)
  rig.wait(29_000)
  t.equal(rig.server.allocations, 20)
  rig.wait(16_000)
  t.ok(rig.server.allocations > 0 && rig.server.allocations < 20)
  rig.wait(16_000)
  t.same([rig.server.allocations, rig.relays.size], [0, 0])
})

t.test('messages that no server answers are counted and forgotten', async t => {
  const rig = new Rig()
  const { flow } = rig.caller()
  const write = (messageClass: 'request' | 'indication' | 'success' | 'error', method: number) =>
    rig.say(new MessageWriter(messageClass, method, systemRandom.bytes(12)).finish(), flow)
  t.same(write('success', METHOD.binding), [])
  t.same(write('error', METHOD.allocate), [])
  t.same(write('request', 0x00a), [], 'TCP allocations')
  t.same(write('indication', METHOD.data), [])
  t.same(write('indication', METHOD.binding), [], 'keeps a mapping alive')
  t.equal(rig.server.counters.refused.unknown_method, 4)
})

const FOUR = Buffer.from([FAMILY_BYTE[4], 0, 0, 0])
const PAIR = Buffer.from([0x80])
function udp(request: MessageWriter): MessageWriter {
  return request.add(ATTRIBUTE.requestedTransport, UDP)
}
