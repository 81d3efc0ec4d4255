import t from 'tap'
import type { Peer, WayHost } from '../../src/agent/ports.js'
import { NativeWay } from '../../src/agent/wireguard/native-way.js'
import { seededRandom } from '../../src/kit/random.js'
import type { WireOf } from '../../src/protocol/messages.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { NotebookSocket } from './support/notebook-socket.js'

const LINK = 0x1_0000
const EAR = Buffer.alloc(32, 7)

t.test('asked to show itself, WireGuard gets the ear as a peer for a while', async t => {
  const { link, socket, clock } = opened()
  const reveal = { type: 'path.reveal', link: LINK, endpoint: '203.0.113.10:3478', withinMs: 6_000 } as const
  link.hear({ ...reveal, publicKey: EAR })
  await clock.run(5_000)
  link.hear({ ...reveal, publicKey: EAR })
  await clock.run(5_999)
  const ear = EAR.toString('base64')
  t.same(socket.did, [`beckon ${ear} 203.0.113.10:3478`, `beckon ${ear} 203.0.113.10:3478`])
  await clock.run(1)
  t.equal(socket.did.at(-1), `unbeckon ${ear}`)
})

t.test('the NATs are opened first, then WireGuard is steered, then it has heard its peer', async t => {
  const { link, socket, clock, said } = opened()
  link.hear(punch())
  await clock.run(249)
  t.equal(socket.did.length, 1)
  t.match(socket.did[0], /^beckon \S+ 198\.51\.100\.12:40002$/)
  t.ok(link.strayed?.(), 'until then, packets are delivered')
  await clock.run(1)
  t.same(socket.did.slice(1), ['steer 198.51.100.12:40002 1', socket.did[0]?.replace(/^(\S+ \S+).*/, 'un$1')])
  t.notOk(link.strayed?.(), 'what is under way would lead WireGuard back')
  t.equal(link.tier, null)
  socket.hears(100)
  await clock.run(320)
  t.equal(link.tier, 'direct')
  t.match(said, [{ attempt: 3, via: 'wireguard', outcome: 'direct', remote: 'srflx 198.51.100.12:40002' }])
})

t.test('WireGuard that hears nothing goes back within half a second', async t => {
  const { link, socket, clock, said } = opened()
  link.hear(punch())
  await clock.run(250)
  await clock.run(320)
  t.match(said, [{ attempt: 3, via: 'wireguard', outcome: 'failed', cause: 'no_answer' }])
  t.equal(socket.did.at(-1), 'steer back')
  t.ok(link.strayed?.())
  t.equal(link.tier, null)
})

t.test('where WireGuard has found its peer counts more than where it was said to be', async t => {
  const { link, socket, clock } = opened()
  link.hear(punch())
  await clock.run(250)
  socket.figure = { ...socket.figure, at: { address: '198.51.100.12', port: 555 } }
  await clock.run(80)
  t.equal(socket.did.at(-1), 'steer 198.51.100.12:555 1')
  socket.figure = { ...socket.figure, at: null }
  await clock.run(80)
  t.equal(socket.did.at(-1), 'steer 198.51.100.12:40002 1', 'unless a late packet has led it back')
})

t.test('a packet that comes late is dropped, one that comes later means that the peer went back', async t => {
  const { link, socket, clock, said } = await carrying()
  t.notOk(link.strayed?.())
  socket.traffic()
  await clock.run(1_000)
  t.ok(link.strayed?.())
  t.equal(link.tier, null)
  t.match(said.at(-1), { outcome: 'lost', cause: 'silent' })
  t.equal(socket.did.at(-1), 'steer back')
})

t.test('a packet that WireGuard sends through the link means that it was led back', async t => {
  const { link, said } = await carrying()
  link.send(new Uint8Array(1))
  t.equal(link.tier, null)
  t.match(said.at(-1), { outcome: 'lost', cause: 'silent' })
})

t.test('a peer that falls silent under traffic is lost within two seconds', async t => {
  const { link, socket, clock, said } = await carrying()
  socket.traffic()
  await clock.run(10_000)
  t.equal(link.tier, 'direct')
  t.ok(link.unseen.sentBytes > 30_000 && link.unseen.receivedBytes > 30_000)
  t.ok(clock.now() - (link.unseen.lastReceivedAtMs ?? 0) <= 250)
  socket.deaf = true
  await clock.run(1_250)
  t.equal(link.tier, 'direct')
  await clock.run(500)
  t.equal(link.tier, null)
  t.match(said.at(-1), { outcome: 'lost', cause: 'silent' })
})

t.test('without traffic WireGuard keeps the NATs open more rarely, and is asked less often', async t => {
  const { link, socket, clock } = await carrying()
  await clock.run(31_000)
  t.equal(socket.did.at(-1), 'steer 198.51.100.12:40002 15')
  const before = socket.looks
  await clock.run(10_000)
  t.equal(socket.looks - before, 10)
  socket.traffic()
  await clock.run(1_250)
  t.equal(socket.did.at(-1), 'steer 198.51.100.12:40002 1')
  t.equal(link.tier, 'direct')
})

t.test('what the coordinator settles otherwise ends it at both ends', async t => {
  const { link, socket, said } = await carrying()
  link.hear({ type: 'path.settled', link: LINK, tier: 'direct', via: 'wireguard' })
  t.equal(link.tier, 'direct')
  const before = said.length
  link.hear({ type: 'path.settled', link: LINK, tier: 'direct', via: 'udp' })
  t.equal(link.tier, null)
  t.equal(socket.did.at(-1), 'steer back')
  t.equal(said.length, before, 'the coordinator knows')
})

t.test('what carries is said again when the coordinator introduces the peer again', async t => {
  const { link, said } = await carrying()
  link.introduced(peer(LINK))
  t.match(said, [
    { attempt: 3, outcome: 'direct' },
    { attempt: 3, outcome: 'direct' },
  ])
  const resting = opened()
  resting.link.introduced(peer(LINK))
  t.same(resting.said, [])
})

t.test('a network that has changed is left to the agent’s own socket', async t => {
  const { way, link, said } = await carrying()
  way.networkChanged()
  t.equal(link.tier, null)
  t.match(said.at(-1), { outcome: 'lost', cause: 'network_changed' })
})

t.test('a start that is called off is not made up for', async t => {
  const { link, socket, clock, said } = opened()
  link.hear(punch())
  await clock.run(100)
  link.close()
  await clock.run(5_000)
  t.same(
    socket.did.map(each => each.split(' ')[0]),
    ['beckon', 'unbeckon'],
  )
  t.same(said, [])
})

t.test('a socket that cannot be told is a failed attempt, and is told of', async t => {
  const { link, socket, clock, said, failures } = opened()
  socket.broken = true
  link.hear(punch())
  await clock.run(600)
  t.match(said, [{ outcome: 'failed', cause: 'no_socket' }])
  t.ok(failures.length > 0)
})

t.test('a candidate that is none is a failed attempt', async t => {
  const { link, said } = opened()
  link.hear({ ...punch(), candidates: [] })
  t.match(said, [{ outcome: 'failed', cause: 'no_candidates', tried: [] }])
})

t.test('links that ask at the same moment share one look', async t => {
  const { way, socket, clock, host } = opened()
  socket.lookMs = 5
  for (const id of [1, 2, 3]) way.open(peer(LINK + id), host).hear({ ...punch(), link: LINK + id })
  await clock.run(250)
  t.equal(socket.looks, 1)
  await way.stop()
  await clock.run(5)
  t.equal(clock.waiting, 0)
})

function opened() {
  const clock = new SimulatedClock()
  const socket = new NotebookSocket(clock)
  const said: (WireOf<'path.attempt'> | WireOf<'path.signal'>)[] = []
  const failures: unknown[] = []
  const host: WayHost = {
    say: event => said.push(event),
    deliver: () => {},
    policy: 'auto',
    iceServers: () => [],
    relayedRttMs: () => null,
  }
  const way = new NativeWay({
    clock,
    random: seededRandom(1),
    socket,
    failed: error => failures.push(error),
  })
  return { clock, socket, said, failures, host, way, link: way.open(peer(LINK), host) }
}

async function carrying() {
  const rig = opened()
  rig.link.hear(punch())
  await rig.clock.run(250)
  rig.socket.hears(100)
  await rig.clock.run(320)
  return { ...rig, link: rig.link as typeof rig.link & { unseen: NonNullable<typeof rig.link.unseen> } }
}

function peer(link: number): Peer {
  return {
    link,
    routeId: 'route',
    peerId: 'node',
    peerKey: Buffer.alloc(32, 1),
    peerOverlay4: '10.77.0.9',
    peerOverlay6: '',
    allowedIps: ['10.77.0.9/32'],
    keepaliveS: 25,
  }
}

function punch(): WireOf<'path.punch'> {
  return {
    type: 'path.punch',
    link: LINK,
    attempt: 3,
    via: 'wireguard',
    controlling: true,
    key: Buffer.alloc(32),
    startInMs: 250,
    tryForMs: 5_000,
    candidates: ['srflx 198.51.100.12:40002'],
  }
}
