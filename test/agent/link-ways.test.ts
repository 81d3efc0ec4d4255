import t, { type Test } from 'tap'
import { newCounters } from '../../src/agent/counters.js'
import { Links, type LinksOptions } from '../../src/agent/links.js'
import type { PathWord, Peer } from '../../src/agent/ports.js'
import type { Wire } from '../../src/protocol/messages.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { NotebookTunnel } from './support/notebook-tunnel.js'
import { NotebookWay } from './support/notebook-way.js'
import { nodeRig, pathOpen } from './support/rig.js'

const LINK = 0x1_0001
const PUNCH: PathWord = {
  type: 'path.punch',
  link: LINK,
  attempt: 1,
  via: 'udp',
  controlling: false,
  key: new Uint8Array(32),
  startInMs: 0,
  tryForMs: 5_000,
  candidates: [],
}

t.test('a way is opened when its link is ready, introduced again with it, and closed with it', async t => {
  const { links, way } = await opened(t)
  t.same(way.did, [`open ${LINK}`])
  links.hear(pathOpen(LINK))
  await links.idle()
  t.equal(way.did.at(-1), `introduced ${LINK}`)
  links.networkChanged()
  t.equal(way.did.at(-1), 'networkChanged')
  links.hear({ type: 'path.closed', link: LINK, reason: 'moved' })
  t.equal(way.did.at(-1), `close ${LINK}`)
  await links.stop('end')
  t.equal(way.did.at(-1), 'stop')
})

t.test('packets take the first way that carries, and are counted where they went', async t => {
  const { links, tunnel, way, second, relayed } = await opened(t)
  const send = tunnel.sends.get(LINK)
  send?.(new Uint8Array(10))
  second.tier = 'turned'
  send?.(new Uint8Array(20))
  way.tier = 'direct'
  send?.(new Uint8Array(40))
  way.host?.deliver(new Uint8Array(5), 'direct')
  way.tier = second.tier = null
  send?.(new Uint8Array(80))
  t.same(relayed, [10, 80])
  t.match(links.metrics(LINK), {
    sentBytes: 150,
    receivedBytes: 5,
    turnedSentBytes: 20,
    directSentBytes: 40,
    directReceivedBytes: 5,
  })
})

t.test('the report tells bytes by tier, round trip and loss of the way in use', async t => {
  const { links, tunnel, way, said } = await opened(t)
  const relayedOnly = { type: 'path.report', link: LINK, sentBytes: 0, receivedBytes: 0 }
  links.report(0, 1)
  t.same(said.at(-1), relayedOnly)
  Object.assign(way, { tier: 'direct', rttMs: 12.5, lossPct: 1 })
  tunnel.sends.get(LINK)?.(new Uint8Array(40))
  way.unseen = { sentBytes: 100, receivedBytes: 200, lastReceivedAtMs: 0 }
  t.equal(links.countActive(), 1)
  t.equal(links.countActive(), 0)
  links.report(0, 1)
  t.match(said.at(-1), {
    rttMs: 12.5,
    lossPct: 1,
    sentBytes: 140,
    receivedBytes: 200,
    directSentBytes: 140,
    directReceivedBytes: 200,
  })
})

t.test('the round trip of the relay is the last one that the tunnel saw on it', async t => {
  const { tunnel, way } = await opened(t)
  const seen = { rttMs: 80, sentBytes: 0, receivedBytes: 0, lastReceivedMs: null }
  tunnel.metrics = () => seen
  t.equal(way.host?.relayedRttMs(), 80)
  way.tier = 'direct'
  seen.rttMs = 10
  t.equal(way.host?.relayedRttMs(), 80)
})

t.test('a way that measures nothing leaves it to the one beneath, while that is there', async t => {
  const { links, way, second } = await opened(t)
  way.tier = 'direct'
  second.rttMs = 12
  second.lossPct = 3
  t.match(links.metrics(LINK), { rttMs: null, lossPct: null })
  second.tier = 'direct'
  t.match(links.metrics(LINK), { rttMs: 12, lossPct: 3 })
  way.rttMs = 9
  t.match(links.metrics(LINK), { rttMs: 9, lossPct: 3 })
})

t.test('a way may keep packets out that come any other way', async t => {
  const { links, way, second, counters } = await opened(t)
  way.lenient = false
  links.deliver(LINK, new Uint8Array(1))
  second.host?.deliver(new Uint8Array(1), 'turned')
  way.host?.deliver(new Uint8Array(1), 'direct')
  t.equal(counters.dropped.late, 2)
  t.match(links.metrics(LINK), { receivedBytes: 1 })
})

t.test('what the coordinator says reaches the way that it is about', async t => {
  const { links, way, second } = await opened(t)
  links.hear(PUNCH)
  links.hear({ type: 'path.signal', link: LINK, revision: 1, candidates: [] })
  links.hear({
    type: 'path.reveal',
    link: LINK,
    publicKey: new Uint8Array(32),
    endpoint: 'mesh.example:3478',
    withinMs: 2_000,
  })
  links.hear({ type: 'path.settled', link: LINK, tier: 'direct', via: 'udp' })
  t.same(way.did.slice(1), ['hear path.punch', 'hear path.signal', 'hear path.settled'])
  t.same(second.did.slice(1), ['hear path.signal', 'hear path.reveal', 'hear path.settled'])
  t.match(links.get(LINK), { state: 'direct', via: 'udp', reason: null })
})

t.test(
  'with a policy of relay only, no way is opened; when the path comes to have it, ways are closed',
  async t => {
    const own = await opened(t, { policy: 'relay-only' })
    t.same(own.way.did, [])
    const path = await opened(t)
    path.links.hear({ ...pathOpen(LINK), policy: 'relay-only' })
    await path.links.idle()
    t.equal(path.way.did.at(-1), `close ${LINK}`)
  },
)

t.test('with a policy of direct only, no packet goes to the relay', async t => {
  const { tunnel, way, relayed, counters } = await opened(t, {}, { policy: 'direct-only' })
  tunnel.sends.get(LINK)?.(new Uint8Array(10))
  t.same(relayed, [])
  t.equal(counters.dropped.not_direct, 1)
  t.equal(way.host?.policy, 'direct-only')
})

t.test('a tunnel whose packets do not protect themselves is carried by ICE only', async t => {
  const tunnel = new NotebookTunnel({ sealed: false })
  const ways = [new NotebookWay('wireguard'), new NotebookWay('udp'), new NotebookWay('ice')]
  const { links } = parts(t, { tunnel, ways })
  t.same(links.can, ['ice'])
})

t.test('an agent registers with its policy and what it can do, and shows how its links travel', async t => {
  const way = new NotebookWay()
  const tunnel = new NotebookTunnel({ sealed: true })
  const { clock, coordinator, node, heard } = nodeRig(t, { tunnel, ways: [way], policy: 'auto' })
  node.start()
  await clock.run(0)
  t.match(coordinator.call.all('register'), [{ policy: 'auto', can: ['udp'] }])
  coordinator.call.say(pathOpen(LINK))
  await clock.run(0)
  coordinator.call.say({
    type: 'path.settled',
    link: LINK,
    tier: 'relayed',
    via: 'websocket',
    reason: 'starting',
  })
  t.match(heard.at(-1), ['path', { link: LINK, tier: 'relayed', via: 'websocket', reason: 'starting' }])
  Object.assign(way, { tier: 'direct', rttMs: 12 })
  const link = { state: 'relayed', via: 'websocket', reason: 'starting', tier: 'direct', rttMs: 12 }
  t.match(node.status().links, [link])
  node.nudge()
  t.equal(way.did.at(-1), 'networkChanged')
})

t.test('ways see the servers that the coordinator gave last, also after a restart of the agent', async t => {
  const way = new NotebookWay()
  const tunnel = new NotebookTunnel({ sealed: true })
  const { clock, coordinator, node } = nodeRig(t, { tunnel, ways: [way] })
  coordinator.iceServers = [['stun:192.0.2.1:3478', null, null]]
  node.start()
  await clock.run(0)
  coordinator.call.say(pathOpen(LINK))
  await clock.run(0)
  t.same(way.host?.iceServers().map(String), ['stun:192.0.2.1:3478,,'])
  coordinator.links = [LINK]
  coordinator.iceServers = [['turn:192.0.2.1:3478', 'name', 'word']]
  coordinator.call.drop()
  await clock.run(1_000)
  t.same(way.host?.iceServers().map(String), ['turn:192.0.2.1:3478,name,word'])
})

function parts(t: Test, options: Partial<LinksOptions> = {}) {
  const counters = newCounters()
  const said: Wire[] = []
  const relayed: number[] = []
  const links = new Links({
    clock: new SimulatedClock(),
    tunnel: new NotebookTunnel({ sealed: true }),
    counters,
    send: event => said.push(event),
    relay: (_, packet) => relayed.push(packet.length) > 0,
    events: { opened() {}, settled() {}, closed() {}, pressed() {}, failed: error => t.fail(String(error)) },
    ...options,
  })
  t.teardown(() => links.closeAll('end of test'))
  return { links, counters, said, relayed }
}

/** A link that is set up, with two ways. */
async function opened(t: Test, options: Partial<LinksOptions> = {}, peer: Partial<Peer> = {}) {
  const tunnel = new NotebookTunnel({ sealed: true })
  const [way, second] = [new NotebookWay('udp'), new NotebookWay('wireguard')]
  const all = parts(t, { tunnel, ways: [way, second], ...options })
  all.links.hear({ ...pathOpen(LINK), ...peer })
  await all.links.idle()
  return { ...all, tunnel, way, second }
}
