/** Our client against our server, on one simulated clock and a wire that loses what it is told to. */
import t from 'tap'
import { systemRandom } from '../../src/kit/random.js'
import { type Endpoint } from '../../src/protocol/address.js'
import { TurnClient, type TurnClientOptions } from '../../src/turn/client.js'
import { issueCredentials } from '../../src/turn/credentials.js'
import { udpFlow } from '../../src/turn/flow.js'
import { PEER, PEER_V6, Rig, SECRET, SERVER, SERVER_V6 } from './rig.js'

t.test('a client learns how it is seen', async t => {
  const { rig, client } = connected()
  const mapped = client.binding()
  await rig.clock.run(0)
  t.same(await mapped, { address: '40.0.0.7', port: 7_000 })
})

t.test('requests are sent again until they are answered: after 0.5, 1, 2, 4, 8 and 16 s', async t => {
  const sentAt: number[] = []
  const { rig, client } = connected({ passes: () => sentAt.push(rig.clock.now()) < 0 })
  const mapped = client.binding()
  const refused = t.rejects(mapped, { code: 'no_answer' })
  await rig.clock.run(40_000)
  await refused
  t.same(sentAt, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500])
  t.equal(rig.clock.waiting, 0)
})

t.test('over a stream nothing is sent twice', async t => {
  let sent = 0
  const { rig, client } = connected({ passes: () => ++sent < 0, reliable: true })
  const refused = t.rejects(client.binding(), { code: 'no_answer' })
  await rig.clock.run(70_000)
  await refused
  t.equal(sent, 1)
})

t.test(
  'a client opens an allocation with SHA-256 where it is offered, also when packets are lost',
  async t => {
    let sent = 0
    const { rig, client } = connected({ passes: () => ++sent % 2 === 0 })
    const allocated = client.allocate()
    await rig.clock.run(60_000)
    t.match(await allocated, {
      relayed: { address: SERVER.address },
      mapped: { port: 7_000 },
      lifetimeS: 600,
    })
    t.equal(rig.server.allocations, 1)
  },
)

t.test('a client has a relayed address of either family', async t => {
  const { rig, client, heard } = connected()
  const allocated = client.allocate(6)
  await rig.clock.run(0)
  const { relayed } = await allocated
  t.equal(relayed.address, SERVER_V6)
  const permitted = client.permit([PEER_V6.address])
  await rig.clock.run(0)
  await permitted
  client.send(PEER_V6, Buffer.from('hello'))
  await rig.clock.run(0)
  t.match(rig.sent, [{ to: PEER_V6, data: Buffer.from('hello') }])
  rig.perform(rig.server.fromPeer(rig.relayAt(relayed), Buffer.from('back'), PEER_V6.address, PEER_V6.port))
  t.same(heard, [[PEER_V6, 'back']])
})

t.test(
  'what is open stays open for a day: allocation, permissions, channels, over changing nonces',
  async t => {
    const { rig, client, heard, lost } = connected()
    const allocated = client.allocate()
    await rig.clock.run(0)
    const { relayed } = await allocated
    const ready = Promise.all([client.permit([PEER.address]), client.bind({ ...PEER, port: 1 })])
    await rig.clock.run(0)
    await ready
    for (let minute = 0; minute < 24 * 60; minute += 2) {
      await rig.clock.run(120_000)
      rig.perform(rig.server.sweep())
      rig.perform(rig.server.fromPeer(rig.relayAt(relayed), Buffer.from('a'), PEER.address, PEER.port))
      rig.perform(rig.server.fromPeer(rig.relayAt(relayed), Buffer.from('b'), PEER.address, 1))
    }
    t.same(lost, [])
    t.equal(heard.length, 24 * 60)
    const ended = client.refresh(0)
    await rig.clock.run(0)
    t.equal(await ended, 0)
    t.equal(rig.server.allocations, 0)
    client.close()
    t.equal(rig.clock.waiting, 0)
  },
)

t.test('closing a client ends its allocation', async t => {
  const { rig, client } = connected()
  const allocated = client.allocate()
  await rig.clock.run(0)
  await allocated
  client.close()
  await rig.clock.run(0)
  t.same([rig.server.allocations, rig.clock.waiting], [0, 0])
})

t.test('a client whose server forgot it hears so', async t => {
  const { rig, client, lost } = connected()
  const allocated = client.allocate()
  await rig.clock.run(0)
  await allocated
  rig.perform(rig.server.closed(udpFlow(0, '40.0.0.7', 7_000)))
  await rig.clock.run(301_000)
  t.match(lost, [{ code: 'refused', message: /437/ }])
})

t.test('a client with the wrong password is refused once, and does not go on asking', async t => {
  let sent = 0
  const { rig, client } = connected({ passes: () => ++sent > 0, password: 'wrong' })
  const refused = t.rejects(client.allocate(), { code: 'refused', message: /401/ })
  await rig.clock.run(10_000)
  await refused
  t.equal(sent, 2)
})

t.test('an answer that was not signed by who knows the password is not believed', async t => {
  const { rig, client } = connected({ tamper: true })
  const refused = t.rejects(client.allocate(), { code: 'refused', message: /not signed/ })
  await rig.clock.run(1_000)
  await refused
})

t.test('what is not for the client is left to others', async t => {
  const { client } = connected()
  for (const hex of [
    '',
    '00',
    '400000010a',
    '0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643',
  ])
    t.equal(client.received(Buffer.from(hex, 'hex')), false)
})

interface ConnectedOptions extends Partial<TurnClientOptions> {
  /** Whether the next packet of the client arrives. */
  readonly passes?: () => boolean
  /** Whether signatures of answers are broken on the way. */
  readonly tamper?: boolean
}

function connected({ passes = () => true, tamper = false, ...options }: ConnectedOptions = {}) {
  const rig = new Rig({
    replied: data => {
      const lent = Buffer.from(tamper ? tampered(data) : data)
      client.received(lent)
      lent.fill(0xdd) // the next datagram may be there now
    },
  })
  const flow = udpFlow(0, '40.0.0.7', 7_000)
  const heard: [Endpoint, string][] = []
  const lost: unknown[] = []
  // A day's credentials: renewing them is the business of the session.
  const { username, password } = issueCredentials(SECRET, 'node-1', 86_400, rig.clock.wallMs())
  const client: TurnClient = new TurnClient({
    clock: rig.clock,
    random: systemRandom,
    username,
    password,
    send: bytes => {
      if (passes()) rig.clock.soon(() => rig.say(bytes, flow))
    },
    data: (peer, data) => heard.push([peer, data.toString()]),
    lost: error => lost.push(error),
    ...options,
  })
  return { rig, client, heard, lost }
}

/** Changes the last byte of a success's signature, and leaves the fingerprint out, as whoever forges it would. */
function tampered(data: Buffer): Buffer {
  if (data.readUInt16BE(0) !== ALLOCATED) return data
  const copy = Buffer.from(data.subarray(0, data.length - 8))
  copy.writeUInt16BE(copy.length - 20, 2)
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1
  return copy
}

/** Type of a success response to Allocate. */
const ALLOCATED = 0x0103
