/** What strangers and hostile clients do to STUN and TURN servers, and what this one does then. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { seededRandom, systemRandom } from '../../src/kit/random.js'
import { ATTRIBUTE, METHOD, readAddress } from '../../src/turn/attributes.js'
import { readMessage, valueOf } from '../../src/turn/codec.js'
import { passwordOf } from '../../src/turn/credentials.js'
import { udpFlow } from '../../src/turn/flow.js'
import { RelayPorts } from '../../src/turn/ports.js'
import { SourceBuckets } from '../../src/turn/source-buckets.js'
import { MessageWriter } from '../../src/turn/writer.js'
import { PEER, Rig, SECRET, SERVER, UDP } from './rig.js'

const IP_AND_UDP = 28
const STRANGER = udpFlow(0, '50.0.0.1', 1_000)

t.test('a Binding request draws at most 1.25 times its own size', async t => {
  const rig = new Rig()
  const request = new MessageWriter('request', METHOD.binding, systemRandom.bytes(12)).finish()
  const [answer = Buffer.alloc(0)] = rig.say(request, STRANGER)
  t.equal(request.length, 20)
  t.equal(answer.length, 32)
  t.ok(answer.length + IP_AND_UDP <= 1.25 * (request.length + IP_AND_UDP))
  t.equal(
    valueOf(readMessage(answer) as never, ATTRIBUTE.software),
    undefined,
    'and says nothing of who we are',
  )
})

t.test('a challenge draws at most 1.6 times the size of what asked for it, or nothing', async t => {
  const rig = new Rig()
  for (const [extra, answered] of [
    [[], false],
    [[[ATTRIBUTE.requestedTransport, 4]], true],
    [
      [
        [ATTRIBUTE.requestedTransport, 4],
        [ATTRIBUTE.software, 20],
      ],
      true,
    ],
  ] as const) {
    const request = new MessageWriter('request', METHOD.allocate, systemRandom.bytes(12))
    for (const [type, length] of extra) request.add(type, Buffer.alloc(length))
    const bytes = request.finish()
    const answers = rig.say(bytes, STRANGER)
    t.equal(answers.length === 1, answered, `${bytes.length} bytes`)
    for (const answer of answers) t.ok(answer.length + IP_AND_UDP <= 1.6 * (bytes.length + IP_AND_UDP))
  }
  t.equal(rig.server.counters.refused.too_big_an_answer, 1)
})

t.test('what is neither STUN nor TURN is handed on within an allowance, and never answered', async t => {
  const heard: string[] = []
  const rig = new Rig({
    limits: { straysPerSecond: 10 },
    strayed: (datagram, from) => heard.push(`${datagram[0]} ${from.address}:${from.port}`),
  })
  const initiation = Buffer.alloc(148).fill(1, 0, 1)
  t.same(rig.say(initiation, STRANGER), [])
  t.same(heard, ['1 50.0.0.1:1000'])
  for (let i = 0; i < 100; i++) rig.say(initiation, STRANGER)
  t.equal(heard.length, 20)
  rig.say(initiation, udpFlow(0, '50.0.1.1', 1_000))
  t.equal(heard.length, 21, 'another network has its own')
  t.match(rig.server.counters, { strays: 21, refused: { over_rate: 81 } })
  const cut = new MessageWriter('request', METHOD.binding, systemRandom.bytes(12)).finish().subarray(0, 19)
  for (const bytes of [Buffer.alloc(0), Buffer.from([0x40, 0, 0, 9])])
    t.same(rig.say(bytes, udpFlow(0, '50.0.2.1', 1_000)), [])
  rig.say(cut, { ...STRANGER, transport: 'tcp' })
  t.equal(heard.length, 21, 'nothing empty, no channel, no stream')
})

t.test('a network draws so many answers in a second and no more, another one its own', async t => {
  const rig = new Rig({ limits: { bindingsPerSecond: 50, rejectionsPerSecond: 10 } })
  const binding = new MessageWriter('request', METHOD.binding, systemRandom.bytes(12)).finish()
  const allocate = new MessageWriter('request', METHOD.allocate, systemRandom.bytes(12))
    .add(ATTRIBUTE.software, Buffer.alloc(60))
    .finish()
  const flood = (bytes: Buffer, network: string) => {
    for (let i = 0; i < 5_000; i++) rig.say(bytes, udpFlow(0, `${network}.${i % 250}`, i))
    return rig.replies.splice(0).length
  }
  t.equal(flood(binding, '50.0.0'), 100)
  t.equal(flood(allocate, '50.0.0'), 20)
  t.equal(flood(binding, '50.0.1'), 100)
  rig.clock.advance(1_000)
  t.equal(flood(binding, '50.0.0'), 50)
  t.equal(rig.server.counters.refused.over_rate, 20_000 - 270)
})

t.test('a /56 of IPv6 counts as one network', async t => {
  const buckets = new SourceBuckets(1, systemRandom, 0)
  t.ok(buckets.take('2600:0:0:1200::1', 0) && buckets.take('2600:0:0:12ff:1::', 0))
  t.notOk(buckets.take('2600:0:0:1234::9', 0))
  t.ok(buckets.take('2600:0:0:1300::1', 0))
})

t.test('unknown sources leave nothing in memory', async t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void // exposed by the flag
  const rig = new Rig()
  const request = new MessageWriter('request', METHOD.allocate, systemRandom.bytes(12))
    .add(ATTRIBUTE.software, Buffer.alloc(60))
    .finish()
  const ask = (count: number) => {
    for (let i = 0; i < count; i++)
      rig.server.handle(request, udpFlow(0, `${i & 127}.${(i >> 7) & 127}.1.1`, 1))
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = ask(2_000)
  t.ok(ask(16_000) - before < 1_000_000)
  t.equal(rig.server.counters.refused.challenged, 18_000)
})

t.test('a nonce is worth nothing at another address, nor changed, nor to another server', async t => {
  const rig = new Rig()
  const victim = rig.caller()
  victim.challenge()
  const with_ = (nonce: Buffer) => {
    const thief = rig.caller()
    thief.nonce = nonce
    return thief.allocate().code
  }
  const nonce = victim.nonce ?? Buffer.alloc(0)
  t.equal(with_(nonce), 438)
  t.equal(with_(Buffer.concat([nonce, Buffer.from('A')])), 438)
  t.equal(with_(Buffer.alloc(0)), 438)
  t.equal(with_(Buffer.from('obMatJos2gAAA')), 438)
  const elsewhere = new Rig().caller({ flow: victim.flow })
  elsewhere.nonce = nonce
  t.equal(elsewhere.allocate().code, 438)
  t.equal(victim.allocate().code, 0)
})

t.test('a username or a password that is not ours opens nothing', async t => {
  const rig = new Rig({ allowed: id => id === 'node-1' })
  const native = 'function Object() { [native code] }'
  const inAnHour = `${Math.floor(rig.clock.wallMs() / 1_000) + 3_600}`
  for (const [name, options] of Object.entries({
    'a name of the language': { username: 'constructor', password: native },
    'another name of the language': { username: '__proto__', password: '[object Object]' },
    'a name of the language, well signed': { username: 'constructor' },
    'a later expiry with the old password': {
      username: `${inAnHour}:node-1`,
      password: passwordOf(SECRET, '1:node-1'),
    },
    'the wrong secret': { password: passwordOf('another secret that is long enough', `${inAnHour}:node-1`) },
    'no password': { password: '' },
    'no session': { id: 'node-2' },
    'a session of a prototype': { id: 'constructor' },
    'long expired': { username: '1:node-1' },
    'no expiry': { username: ':node-1' },
    'no identity': { username: `${inAnHour}:` },
    'an expiry that is no number': { username: '1e9:node-1' },
  }))
    t.equal(rig.caller(options).allocate().code, 401, name)
  t.equal(rig.caller().allocate().code, 0)
})

t.test('a stranger is told the same whether the user exists or not', async t => {
  const rig = new Rig({ allowed: id => id === 'node-1' })
  const [known, unknown] = ['node-1', 'node-2'].map(
    id => rig.caller({ id, password: 'guess' }).allocate().message,
  )
  const shape = (message: typeof known) => message?.attributes.map(({ type, value }) => [type, value.length])
  t.same(shape(known), shape(unknown))
})

t.test('during a rotation the old secret opens as the new one does', async t => {
  const older = 'the older secret of thirty-two bytes'
  const rig = new Rig({ secrets: [SECRET, older] })
  const username = `${Math.floor(rig.clock.wallMs() / 1_000) + 600}:node-1`
  t.equal(rig.caller({ username, password: passwordOf(older, username) }).allocate().code, 0)
  t.equal(rig.caller().allocate().code, 0)
})

t.test('what follows the signature of a request changes nothing', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  caller.opens()
  const request = caller.signed(METHOD.refresh, writer => writer.addUint32(ATTRIBUTE.lifetime, 600))
  const tail = Buffer.from('000d000400000000', 'hex')
  const longer = Buffer.concat([request, tail])
  longer.writeUInt16BE(longer.length - 20, 2)
  t.equal(caller.exchange(longer).code, 0)
  t.equal(rig.server.allocations, 1, 'the lifetime of 0 was not looked at')
})

t.test('one identity, one address and all together open so many allocations', async t => {
  const rig = new Rig({ limits: { perUser: 2, perAddress: 3, total: 5 } })
  const open = (id: string, address: string) =>
    rig.caller({ id, flow: udpFlow(0, address, 1_024 + rig.server.allocations) }).allocate().code
  t.same([open('a', '50.0.0.1'), open('a', '50.0.0.1'), open('a', '50.0.0.2')], [0, 0, 486])
  t.same([open('b', '50.0.0.1'), open('b', '50.0.0.1')], [0, 486])
  t.same([open('c', '50.0.0.3'), open('d', '50.0.0.4'), open('e', '50.0.0.5')], [0, 0, 508])
  rig.wait(600_000)
  t.equal(open('e', '50.0.0.5'), 0, 'and again when they have ended')
})

t.test('a /64 of IPv6 counts as one address', async t => {
  const rig = new Rig({ limits: { perAddress: 1 } })
  const open = (address: string) => rig.caller({ flow: udpFlow(0, address, 1) }).allocate().code
  t.same([open('2600:9::1'), open('2600:9::2'), open('2600:9:0:1::1')], [0, 486, 0])
})

t.test('permissions and channels of one allocation are bounded', async t => {
  const caller = new Rig().caller()
  caller.opens()
  const peer = (i: number) => ({ address: `30.0.${i >> 8}.${i & 255}`, port: 1 })
  for (let i = 0; i < 64; i++) t.equal(caller.bind(0x4000 + i, peer(i)).code, 0)
  t.equal(caller.bind(0x4040, peer(64)).code, 508)
  t.equal(caller.permit(peer(65)).code, 508)
  t.equal(caller.permit(peer(0), peer(63)).code, 0, 'those that are there can be refreshed')
})

t.test('relay ports cannot be foretold, and all of a range are found', async t => {
  const range = { first: 50_000, last: 50_009 }
  const [one, two] = [1, 2].map(seed =>
    new RelayPorts({ first: 1, last: 60_000 }, seededRandom(seed)).take('any'),
  )
  t.not(one, two)
  const ports = new RelayPorts(range, systemRandom)
  const taken = Array.from({ length: 10 }, () => ports.take('any'))
  t.equal(new Set(taken).size, 10)
  t.same([ports.take('any'), ports.take('even'), ports.take('pair')], [null, null, null])
  ports.release(50_004)
  t.equal(ports.take('pair'), null)
  ports.release(50_005)
  t.equal(ports.take('pair'), 50_004)
  t.equal(new RelayPorts({ first: 5, last: 5 }, systemRandom).take('even'), null)
})

t.test('port 0 is sent to by nobody', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  caller.opens()
  t.equal(caller.permit({ ...PEER, port: 0 }).code, 0, 'a permission has no port')
  caller.send({ ...PEER, port: 0 }, 'crash')
  t.same(rig.sent, [])
})

t.test('scraps, and packets of other protocols, are counted and forgotten', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  const relay = rig.relayAt(caller.opens())
  caller.permit(PEER)
  const scraps = [
    '',
    '00',
    '0001',
    '000100',
    '40',
    '4000',
    '400000',
    '40000001',
    '16fefd',
    '80',
    'ff'.repeat(100),
  ]
  for (const scrap of scraps) t.same(rig.say(Buffer.from(scrap, 'hex'), STRANGER), [], scrap)
  for (const scrap of scraps)
    rig.perform(rig.server.fromPeer(relay, Buffer.from(scrap, 'hex'), PEER.address, PEER.port))
  t.equal(caller.heard().length, scraps.length, 'a peer may send whatever it likes')
})

t.test(
  'nobody hears of a second port or address that is not there, nor chooses where answers go',
  async t => {
    const rig = new Rig()
    const ask = (type: number, value: string) => {
      const request = new MessageWriter('request', METHOD.binding, systemRandom.bytes(12))
      const [answer] = rig.say(
        request.add(type, Buffer.from(value, 'hex')).add(ATTRIBUTE.software, Buffer.alloc(8)).finish(),
        STRANGER,
      )
      const message = answer && readMessage(answer)
      return message && valueOf(message, ATTRIBUTE.errorCode)?.toString('hex')
    }
    t.equal(ask(ATTRIBUTE.changeRequest, '00000006'), '00000414')
    t.equal(ask(ATTRIBUTE.changeRequest, '00000002'), '00000414')
    t.equal(ask(0x0027, '00350000'), '00000414', 'RESPONSE-PORT')
    t.equal(ask(0x0026, '00000000'), '00000414', 'PADDING')
    t.equal(ask(ATTRIBUTE.changeRequest, '00'), '00000400', 'misshapen')
  },
)

t.test('with a second address and port answers come from where they are asked from', async t => {
  const other = '20.0.0.2'
  const endpoints = [
    SERVER,
    { ...SERVER, port: 3_479 },
    { address: other, port: 3_478 },
    { address: other, port: 3_479 },
  ]
  const rig = new Rig({ listeners: endpoints.map(endpoint => ({ transport: 'udp' as const, endpoint })) })
  const ask = (flags: number) => {
    const request = new MessageWriter('request', METHOD.binding, systemRandom.bytes(12))
    const bytes = request
      .addUint32(ATTRIBUTE.changeRequest, flags)
      .add(ATTRIBUTE.software, Buffer.alloc(16))
      .finish()
    const [answer = Buffer.alloc(0)] = rig.say(bytes, STRANGER)
    const message = readMessage(answer)
    const { listener } = rig.replies.at(-1) ?? {}
    t.ok(answer.length + IP_AND_UDP <= 1.6 * (bytes.length + IP_AND_UDP))
    const read = (type: number) => message && readAddress(valueOf(message, type), null)
    return [listener, read(ATTRIBUTE.responseOrigin), read(ATTRIBUTE.otherAddress)]
  }
  t.same(ask(0), [0, endpoints[0], endpoints[3]])
  t.same(ask(2), [1, endpoints[1], endpoints[3]])
  t.same(ask(4), [2, endpoints[2], endpoints[3]])
  t.same(ask(6), [3, endpoints[3], endpoints[3]])
})

t.test('a Binding request is seen with its transaction, where it came from and where it arrived', async t => {
  const seen: object[] = []
  const rig = new Rig({ sighted: sighting => seen.push(sighting) })
  const id = Buffer.from('000102030405060708090a0b', 'hex')
  rig.say(new MessageWriter('request', METHOD.binding, id).finish(), STRANGER)
  t.same(seen, [
    { transactionId: id.toString('hex'), address: STRANGER.address, port: STRANGER.port, listener: 0 },
  ])
})

t.test('an unsigned request after an allocation is challenged as before it', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  caller.opens()
  const request = new MessageWriter('request', METHOD.refresh, systemRandom.bytes(12))
  const { code } = caller.exchange(
    request.addUint32(ATTRIBUTE.lifetime, 0).add(ATTRIBUTE.software, UDP).finish(),
  )
  t.equal(code, 401)
  t.equal(rig.server.allocations, 1)
})

t.test('a signed request without realm, nonce or username is misshapen', async t => {
  const caller = new Rig().caller()
  const request = new MessageWriter('request', METHOD.allocate, systemRandom.bytes(12)).sign(caller.signature)
  t.equal(caller.exchange(request.finish()).code, 400)
})
