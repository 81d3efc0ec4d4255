import t from 'tap'
import { encode } from '../../src/protocol/codec.js'
import type { WireOf } from '../../src/protocol/messages.js'
import { Lab } from '../lab/lab.js'
import type { RawAgent } from '../support/raw-agent.js'

/** A WireGuard transport packet with this counter. */
const packet = (n: number): Uint8Array => {
  const bytes = new Uint8Array(32)
  bytes[0] = 4
  bytes[8] = n
  return bytes
}

/** Lets `client` ask, and both ends get ready. */
async function route(
  lab: Lab,
  client: RawAgent,
  nodes: readonly RawAgent[],
  wish: Partial<WireOf<'route.request'>> = {},
): Promise<WireOf<'route.assigned'>> {
  client.say({ type: 'route.request', requestId: 7, ...wish })
  await lab.clock.run(100)
  const assigned = client.last('route.assigned')
  const node = nodes.find(agent => agent.hello().id === assigned.nodeId)
  client.say({ type: 'path.ready', link: assigned.link })
  node?.say({ type: 'path.ready', link: assigned.link })
  await lab.clock.run(100)
  return assigned
}

t.test('a client asks, both ends learn each other’s keys and addresses, and packets flow', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1', { country: 'DE' })
  const client = await lab.enrolled('client', 'alice')
  const assigned = await route(lab, client, [node], { country: 'DE' })
  t.match(assigned, { requestId: 7, nodeId: 'fra-1', country: 'DE', exit: false })
  t.match(assigned.allowedIps, [node.last('registered').overlay4, node.last('registered').overlay6])
  t.same(Buffer.from(client.last('path.open').peerKey), Buffer.from(node.keys.publicKey))
  t.same(Buffer.from(node.last('path.open').peerKey), Buffer.from(client.keys.publicKey))
  t.match(node.last('path.open').allowedIps, [client.last('registered').overlay4])
  t.match(client.last('path.settled'), { tier: 'relayed' })

  client.sayBytes(
    Buffer.concat([1, 2].map(n => encode({ type: 'relay.data', link: assigned.link, payload: packet(n) }))),
  )
  node.say({ type: 'relay.data', link: assigned.link, payload: packet(3) })
  await lab.clock.run(100)
  const counters = (agent: RawAgent) =>
    agent.heard.flatMap(event => (event.type === 'relay.data' ? [event.payload[8]] : []))
  t.same(counters(node), [1, 2])
  t.same(counters(client), [3])
})

t.test('what cannot be met is named, requirement by requirement', async t => {
  const lab = await Lab.start()
  await lab.enrolled('node', 'fra-1', { country: 'DE', bandwidthMbps: 50 })
  await lab.enrolled('node', 'ams-1', { country: 'NL' })
  const client = await lab.enrolled('client', 'alice')
  client.say({ type: 'route.request', requestId: 1, country: 'DE', minBandwidthMbps: 100 })
  await lab.clock.run(100)
  const { code, unmet } = client.last('route.refused')
  t.equal(code, 'no_candidate')
  t.same([...unmet].sort(), ['100 Mbit/s left: ruled out 1 of 2', 'country DE: ruled out 1 of 2'])

  client.say({ type: 'route.request', requestId: 2, target: 'lon-1' })
  await lab.clock.run(100)
  t.match(client.last('route.refused'), { requestId: 2, code: 'unknown_target' })
})

t.test('a full node takes no more, and its place is free again when a client leaves', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1', { maxSessions: 1 })
  const alice = await lab.enrolled('client', 'alice')
  const bob = await lab.enrolled('client', 'bob')
  await route(lab, alice, [node])
  bob.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  t.same(bob.last('route.refused').unmet, ['a free place: ruled out 1 of 1'])
  alice.say({ type: 'goodbye', reason: 'done' })
  await lab.clock.run(100)
  t.match(node.last('path.closed'), { reason: 'the client left' })
  t.match(await route(lab, bob, [node]), { nodeId: 'fra-1' })
})

t.test('a client is not in its own way when it asks anew on a full node', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1', { country: 'DE', maxSessions: 1 })
  const client = await lab.enrolled('client', 'alice')
  const { link } = await route(lab, client, [node])
  const again = await route(lab, client, [node], { country: 'DE' })
  t.match(again, { nodeId: 'fra-1' })
  t.match(client.last('path.closed'), { link })
  t.match(lab.mesh.nodes(), [{ links: 1, reserved: 1 }])
  const bob = await lab.enrolled('client', 'bob')
  bob.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  t.same(bob.last('route.refused').unmet, ['a free place: ruled out 1 of 1'])
})

t.test('the death of a node gives its clients another one without asking', async t => {
  const lab = await Lab.start()
  const nodes = [await lab.enrolled('node', 'fra-1'), await lab.enrolled('node', 'ams-1')]
  const client = await lab.enrolled('client', 'alice')
  const { nodeId, link } = await route(lab, client, nodes)
  lab.internet.drop(nodeId)
  await lab.clock.run(700)
  t.notOk(client.names().includes('route.switched'), 'a quick reconnect would have been enough')
  await lab.clock.run(200)
  const switched = client.last('route.switched')
  t.match(switched, {
    previousLink: link,
    cause: 'node_lost',
    nodeId: nodeId === 'fra-1' ? 'ams-1' : 'fra-1',
  })
  t.match(client.last('path.closed'), { link })
  t.match(client.last('path.open'), { link: switched.link })
  t.equal(lab.mesh.stats().routes.switchMs.node_lost.count, 1)
})

t.test('a node that comes back in time keeps its clients', async t => {
  const lab = await Lab.start()
  const nodes = [await lab.enrolled('node', 'fra-1'), await lab.enrolled('node', 'ams-1')]
  const client = await lab.enrolled('client', 'alice')
  const { nodeId, link } = await route(lab, client, nodes)
  const node = nodes.find(agent => agent.hello().id === nodeId) as RawAgent
  const { ticket } = node.last('registered')
  lab.internet.drop(nodeId)
  const back = await lab.raw('node', nodeId, node.keys)
  back.say({ type: 'resume', ticket })
  await lab.clock.run(2_000)
  t.same(back.last('resumed').links, [link])
  t.match(back.last('path.open'), { link, peerId: 'alice' })
  t.notOk(client.names().includes('route.switched'))
  back.say({ type: 'relay.data', link, payload: packet(9) })
  await lab.clock.run(100)
  t.equal(client.last('relay.data').payload[8], 9)
})

t.test('a client whose only node died is rescued by the next one that comes', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  const client = await lab.enrolled('client', 'alice')
  await route(lab, client, [node])
  lab.internet.drop('fra-1')
  await lab.clock.run(5_000)
  t.notOk(client.names().includes('route.switched'))
  await lab.enrolled('node', 'ams-1')
  t.match(client.last('route.switched'), { nodeId: 'ams-1', cause: 'node_lost' })
})

t.test('a client whose only node died gets the place that another gives up', async t => {
  const lab = await Lab.start()
  const nodes = [await lab.enrolled('node', 'fra-1', { maxSessions: 1 })]
  const alice = await lab.enrolled('client', 'alice')
  await route(lab, alice, nodes)
  nodes.push(await lab.enrolled('node', 'ams-1', { maxSessions: 1 }))
  const bob = await lab.enrolled('client', 'bob')
  const { nodeId, routeId } = await route(lab, bob, nodes)
  t.equal(nodeId, 'ams-1')
  lab.internet.drop('fra-1')
  await lab.clock.run(5_000)
  t.notOk(alice.names().includes('route.switched'), 'every place is taken')
  bob.say({ type: 'route.release', routeId })
  await lab.clock.run(100)
  t.match(alice.last('route.switched'), { nodeId: 'ams-1', cause: 'node_lost' })
  t.match(
    lab.mesh.nodes().map(({ id, reserved }) => ({ id, reserved })),
    [
      { id: 'fra-1', reserved: 0 },
      { id: 'ams-1', reserved: 1 },
    ],
  )
})

t.test('a node that is heard again rescues those that waited for one', async t => {
  const lab = await Lab.start()
  const fra = await lab.enrolled('node', 'fra-1')
  const alice = await lab.enrolled('client', 'alice')
  await route(lab, alice, [fra])
  const ams = await lab.enrolled('node', 'ams-1')
  lab.internet.cut('ams-1')
  await lab.live([fra, alice], 17_000)
  t.match(lab.mesh.nodes(), [{ id: 'fra-1' }, { id: 'ams-1', state: 'lapsed' }])
  lab.internet.drop('fra-1')
  await lab.clock.run(1_000)
  t.notOk(alice.names().includes('route.switched'))
  lab.internet.heal('ams-1')
  ams.say(ams.beat())
  await lab.clock.run(2_000)
  t.match(alice.last('route.switched'), { nodeId: 'ams-1' })
})

t.test('a node that does not get ready is left for another', async t => {
  const lab = await Lab.start()
  const nodes = [await lab.enrolled('node', 'fra-1'), await lab.enrolled('node', 'ams-1')]
  const client = await lab.enrolled('client', 'alice')
  client.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  const { nodeId, link } = client.last('route.assigned')
  client.say({ type: 'path.ready', link })
  nodes.find(agent => agent.hello().id === nodeId)?.say({ type: 'path.closed', link, reason: 'no interface' })
  await lab.clock.run(100)
  t.match(client.last('route.switched'), { previousLink: link, cause: 'node_left' })
})

t.test('packets on a link of others are dropped and counted', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  const alice = await lab.enrolled('client', 'alice')
  const mallory = await lab.enrolled('client', 'mallory')
  const { link } = await route(lab, alice, [node])
  node.forget()
  mallory.say({ type: 'relay.data', link, payload: packet(1) })
  mallory.say({ type: 'relay.data', link: link + 1, payload: packet(1) })
  alice.say({ type: 'relay.data', link, payload: Buffer.from('GET / HTTP/1.1\r\nHost: example\r\n\r\n') })
  await lab.clock.run(2_000)
  t.notOk(node.names().includes('relay.data'))
  t.match(lab.mesh.stats().relay.drops, { not_your_link: 1, no_such_link: 1, not_wireguard: 1 })
  t.match(mallory.last('relay.gone'), { link: link + 1, reason: 'no_such_link' })
  t.match(alice.last('relay.gone'), { link, reason: 'not_wireguard' })
})

t.test('a slow reader loses its oldest packets, and nobody else waits for it', async t => {
  const lab = await Lab.start({ relay: { queueMs: 10_000 } })
  const node = await lab.enrolled('node', 'fra-1')
  const slow = await lab.enrolled('client', 'slow')
  const quick = await lab.enrolled('client', 'quick')
  const toSlow = (await route(lab, slow, [node])).link
  const toQuick = (await route(lab, quick, [node])).link
  for (const agent of [slow, quick]) agent.forget()
  lab.internet.deafen('slow')
  const filler = new Uint8Array(1_200)
  filler[0] = 4
  for (let n = 0; n < 200; n++) {
    const payload = Uint8Array.from(filler)
    payload[8] = n
    node.say(
      { type: 'relay.data', link: toSlow, payload },
      { type: 'relay.data', link: toQuick, payload: packet(n) },
    )
    await lab.clock.run(1)
  }
  await lab.clock.run(100)
  t.equal(quick.heard.filter(event => event.type === 'relay.data').length, 200)
  const { queue_full } = lab.mesh.stats().relay.drops
  t.ok((queue_full ?? 0) > 50, 'the short queue overflowed')
  lab.internet.undeafen('slow')
  await lab.clock.run(1_000)
  const got = slow.heard.flatMap(event => (event.type === 'relay.data' ? [event.payload[8] as number] : []))
  t.equal(got.length + (queue_full ?? 0), 200, 'every packet arrived or was counted')
  t.same(
    got.slice(-32),
    Array.from({ length: 32 }, (_, i) => 168 + i),
    'the newest are those that stayed',
  )
  t.match(node.last('relay.pressure'), { link: toSlow })
})

t.test('a route is given back, and a client may not say what only a node may', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  const client = await lab.enrolled('client', 'alice')
  const { routeId, link } = await route(lab, client, [node])
  client.say({ type: 'route.release', routeId })
  await lab.clock.run(100)
  t.match(node.last('path.closed'), { link, reason: 'released by the client' })
  t.same(lab.mesh.routes(), [])
  node.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  t.match(node.last('error'), { code: 'not_now', reason: 'route.request is not for this session to say now' })
})

t.test('an end that sets itself up again is told how the path carries', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  const client = await lab.enrolled('client', 'alice')
  const { link } = await route(lab, client, [node])
  for (const agent of [node, client]) agent.forget()
  client.say({ type: 'path.ready', link })
  await lab.clock.run(100)
  t.match(client.last('path.settled'), { link, tier: 'relayed' })
  t.same(node.names(), [], 'the other end is left alone')
})
