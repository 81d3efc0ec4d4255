/** The server on real sockets: what can go wrong with sockets, and what operators ask of a service. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import type { Endpoint } from '../../src/protocol/address.js'
import { METHOD } from '../../src/turn/attributes.js'
import { TurnClient } from '../../src/turn/client.js'
import { readMessage } from '../../src/turn/codec.js'
import type { EmbeddedTurn } from '../../src/turn/embedded.js'
import { FrameReader } from '../../src/turn/framing.js'
import { startTurn as startService } from '../../src/turn/index.js'
import { probe } from '../../src/turn/probe.js'
import { MessageWriter } from '../../src/turn/writer.js'
import { until } from '../support/until.js'
import { certificate, LOOPBACK, PEER_ADDRESS, portOf, SECRET, startTurn } from './real.js'

t.test('the service says where it is, and hands out credentials that open it', async t => {
  const turn = await startTurn(t, { host: 'turn.example.org' })
  const [udp, tcp] = [portOf(turn, 'udp'), portOf(turn, 'tcp')]
  const urls = [`turn:turn.example.org:${udp}?transport=udp`, `turn:turn.example.org:${tcp}?transport=tcp`]
  const stunUrls = [`stun:turn.example.org:${udp}`]
  t.same(turn.endpoints(), { stun: stunUrls, turn: urls, probed: stunUrls })
  const [stun, relay] = turn.issueCredentials('node-1')
  t.same(stun, { urls: turn.endpoints().stun })
  t.match(relay, { urls, username: /^\d{10}:node-1$/, credential: /^.{27}=$/ })
  const { client } = await udpClient(t, turn)
  t.match(await client.allocate(), { relayed: { address: LOOPBACK }, mapped: { address: LOOPBACK } })
})

t.test('it is healthy while it answers over the network, and not after', async t => {
  const turn = await startTurn(t)
  const { status, latencyMs } = await turn.health()
  t.equal(status, 'healthy')
  t.ok((latencyMs ?? 0) > 0)
  await turn.stop()
  t.same(await turn.health(), { status: 'unhealthy', latencyMs: null })
})

t.test('who asked for a binding can be sent to later, where the request came from', async t => {
  let remind: (() => void) | null = null
  const turn = await startTurn(t, {
    sighted: (_, again) => {
      remind = again
    },
  })
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  const id = Buffer.alloc(12, 7)
  const request = new MessageWriter('request', METHOD.binding, id).finish()
  const answered = once(socket, 'message')
  socket.send(request, portOf(turn, 'udp'), LOOPBACK)
  await answered
  const reminded = once(socket, 'message')
  ;(remind as (() => void) | null)?.()
  const [bytes] = (await reminded) as [Buffer]
  t.match(readMessage(bytes), { class: 'indication', method: METHOD.binding, transactionId: id })
})

t.test('beside a relay of somebody else STUN of our own still shows what a NAT does', async t => {
  const sighted: number[] = []
  const turn = await startService({
    mode: 'external',
    clock: systemClock,
    random: systemRandom,
    urls: ['turn:[2001:db8::1]:3478?transport=udp', 'turns:turn.example.org'],
    secret: SECRET,
    ear: {
      listen: [0, 1].map(() => ({ transport: 'udp' as const, address: LOOPBACK, port: 0 })),
      realm: 'bosonserver',
      secrets: [SECRET],
      allowed: () => true,
      sighted: ({ listener }) => sighted.push(listener),
    },
  })
  t.teardown(() => turn.stop())
  const { stun, turn: relays, probed } = turn.endpoints()
  t.same([stun, relays.length], [['stun:[2001:db8::1]:3478'], 2])
  t.equal(probed.length, 2)
  for (const uri of probed)
    await probe({ address: LOOPBACK, port: Number(uri.split(':').at(-1)) }, systemClock, systemRandom)
  t.same(sighted, [0, 1], 'each by its own index')
  t.equal(turn.stats().bindings, 2)
  t.match(turn.issueCredentials('node-1'), [{ urls: stun }, { urls: relays, username: /:node-1$/ }])
})

t.test('a server that is not named as it should be is refused', async t => {
  for (const urls of [['stun:stun.example.org'], ['turn:'], ['https://turn.example.org'], ['turn:a:b:c']])
    await t.rejects(
      startService({ mode: 'external', clock: systemClock, random: systemRandom, urls, secret: SECRET }),
      { code: 'bad_url' },
    )
})

t.test('a listener that cannot be had is said, and none is left open', async t => {
  const taken = portOf(await startTurn(t), 'udp')
  const listen = [
    { transport: 'tcp' as const, address: LOOPBACK, port: 0 },
    { transport: 'udp' as const, address: LOOPBACK, port: taken },
  ]
  await t.rejects(startTurn(t, { listen }), { code: 'cannot_listen', message: /EADDRINUSE/ })
  const tls = [{ transport: 'tls' as const, address: LOOPBACK, port: 0 }]
  await t.rejects(startTurn(t, { listen: tls }), { code: 'cannot_listen', message: /certificate/ })
})

t.test('a secret that can be guessed is refused', async t => {
  await t.rejects(startTurn(t, { secrets: ['change-this-secret'] }), { code: 'bad_secret' })
})

for (const transport of ['udp', 'tcp', 'tls'] as const)
  t.test(`a client and its peer hear each other over ${transport}`, async t => {
    const context = transport === 'tls' ? await certificate(t) : null
    if (transport === 'tls' && context === null) return t.pass('', { skip: 'openssl not installed' })
    const turn = await startTurn(t, {
      listen: [{ transport, address: LOOPBACK, port: 0 }],
      ...(context === null ? {} : { secure: () => context }),
    })
    const { client, heard } = await (transport === 'udp'
      ? udpClient(t, turn)
      : streamClient(t, turn, transport))
    const { relayed } = await client.allocate()
    const peer = await openPeer(t)
    await client.permit([peer.endpoint.address])
    client.send(peer.endpoint, Buffer.from('hello'))
    t.same(await peer.next(), ['hello', relayed.port])
    peer.send('by indication', relayed)
    await until('the indication', () => heard.length === 1)
    await client.bind(peer.endpoint)
    client.send(peer.endpoint, Buffer.alloc(1_201, 'x'))
    t.equal((await peer.next())[0].length, 1_201)
    peer.send('by channel', relayed)
    await until('the channel data', () => heard.length === 2)
    t.same(heard, ['by indication', 'by channel'])
    t.equal(await client.refresh(0), 0)
    t.equal(turn.stats().allocations, 0)
  })

t.test('a packet that cannot be sent is counted, and the server goes on', async t => {
  const failures: Error[] = []
  const turn = await startTurn(t, { failed: error => failures.push(error) })
  const { client } = await udpClient(t, turn)
  await client.allocate()
  const peer = await openPeer(t)
  // The kernel knows it for a broadcast address, and lets no ordinary socket send there.
  const broadcast = { address: '127.255.255.255', port: 9 }
  await client.permit([peer.endpoint.address, broadcast.address])
  client.send(broadcast, Buffer.from('nobody may'))
  await until('the failure', () => turn.stats().lost.send_failed === 1)
  t.match(failures, [{ code: 'EACCES' }])
  client.send(peer.endpoint, Buffer.from('still here'))
  t.equal((await peer.next())[0], 'still here')
  t.equal((await turn.health()).status, 'healthy')
})

t.test('a scrap from a permitted peer does not end the process', async t => {
  const turn = await startTurn(t)
  const { client, heard } = await udpClient(t, turn)
  const { relayed } = await client.allocate()
  const peer = await openPeer(t)
  await client.permit([peer.endpoint.address])
  for (const scrap of ['', 'a', 'ab', 'abc']) peer.send(scrap, relayed)
  peer.send('done', relayed)
  await until('the last', () => heard.includes('done'))
  t.same(heard, ['', 'a', 'ab', 'abc', 'done'])
})

t.test('a stream that ends takes its allocation with it', async t => {
  const turn = await startTurn(t)
  const { client, socket } = await streamClient(t, turn, 'tcp')
  await client.allocate()
  t.equal(turn.stats().allocations, 1)
  socket.destroy()
  await until('the allocation ends', () => turn.stats().allocations === 0)
})

t.test('connections that say nothing, something else or too little are closed', async t => {
  const turn = await startTurn(t, { streamLimits: { frameMs: 200, idleMs: 200 } })
  const said: Readonly<Record<string, string>> = {
    nothing: '',
    'another protocol': '\u0080\u0080\u0080\u0080',
    'half a header': '\u0000\u0001',
    'half a frame': '\u0000\u0001\u0000\u0010',
  }
  await Promise.all(
    Object.entries(said).map(async ([name, text]) => {
      const socket = connect(portOf(turn, 'tcp'), LOOPBACK).on('error', () => {})
      socket.write(text, 'latin1')
      await once(socket, 'close')
      t.pass(name)
    }),
  )
  await until('none is held', () => turn.stats().connections === 0)
})

t.test('a TLS handshake that does not end is ended', async t => {
  const context = await certificate(t)
  if (context === null) return t.pass('', { skip: 'openssl not installed' })
  const turn = await startTurn(t, {
    listen: [{ transport: 'tls', address: LOOPBACK, port: 0 }],
    secure: () => context,
    streamLimits: { frameMs: 200, idleMs: 200 },
  })
  const [silent, wrong] = [1, 2].map(() => connect(portOf(turn, 'tls'), LOOPBACK).on('error', () => {}))
  wrong?.write('GET / HTTP/1.1\r\n\r\n')
  await Promise.all([silent, wrong].map(socket => once(socket as Socket, 'close')))
  await until('none is held', () => turn.stats().connections === 0)
})

t.test('one address holds only so many connections', async t => {
  const turn = await startTurn(t, { streamLimits: { perAddress: 3 } })
  const sockets = Array.from({ length: 5 }, () =>
    connect(portOf(turn, 'tcp'), LOOPBACK).on('error', () => {}),
  )
  t.teardown(() => sockets.forEach(socket => socket.destroy()))
  await until('two are turned away', () => sockets.filter(socket => socket.closed).length === 2)
  t.equal(turn.stats().connections, 3)
})

t.test('a drain ends when nothing is open, or when its time is over', async t => {
  const turn = await startTurn(t)
  const { client } = await udpClient(t, turn)
  await client.allocate()
  let drained = false
  const drain = turn.drain(20_000).then(() => (drained = true))
  await t.rejects((await udpClient(t, turn)).client.allocate(), { code: 'refused', message: /508/ })
  t.equal(drained, false)
  await client.refresh(0)
  await drain
  await (await startTurn(t)).drain(0)
})

interface Client {
  readonly client: TurnClient
  readonly heard: string[]
}

async function udpClient(t: Test, turn: EmbeddedTurn): Promise<Client> {
  const socket = createSocket('udp4')
  socket.bind(0, LOOPBACK)
  await once(socket, 'listening')
  const made = makeClient(turn, bytes => socket.send(bytes, portOf(turn, 'udp'), LOOPBACK), false)
  socket.on('message', bytes => made.client.received(bytes))
  t.teardown(() => {
    made.client.close()
    socket.close()
  })
  return made
}

async function streamClient(
  t: Test,
  turn: EmbeddedTurn,
  transport: 'tcp' | 'tls',
): Promise<Client & { socket: Socket }> {
  const port = portOf(turn, transport)
  const socket =
    transport === 'tcp'
      ? connect(port, LOOPBACK)
      : connectTls({ port, host: LOOPBACK, rejectUnauthorized: false })
  await once(socket, transport === 'tcp' ? 'connect' : 'secureConnect')
  const made = makeClient(turn, bytes => socket.write(bytes), true)
  const reader = new FrameReader()
  socket.on('data', chunk => reader.read(chunk)?.forEach(frame => made.client.received(frame)))
  t.teardown(() => socket.destroy())
  return { ...made, socket }
}

function makeClient(turn: EmbeddedTurn, send: (bytes: Buffer) => void, reliable: boolean): Client {
  const { username = '', credential = '' } = turn.issueCredentials('node-1').at(-1) ?? {}
  const heard: string[] = []
  const client = new TurnClient({
    clock: systemClock,
    random: systemRandom,
    send,
    reliable,
    username,
    password: credential,
    data: (_peer, data) => heard.push(data.toString()),
  })
  return { client, heard }
}

async function openPeer(t: Test) {
  const socket = createSocket('udp4')
  socket.bind(0, PEER_ADDRESS)
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  const arrived: [string, number][] = []
  socket.on('message', (data, from) => arrived.push([data.toString(), from.port]))
  return {
    endpoint: { address: PEER_ADDRESS, port: socket.address().port },
    next: () => until('a packet for the peer', () => arrived.shift()),
    send: (text: string, { address, port }: Endpoint) => socket.send(text, port, address),
  }
}
