import t, { type Test } from 'tap'
import type { MeshClient } from '../../src/agent/mesh-client.js'
import type { MeshNode } from '../../src/agent/mesh-node.js'
import { volatileMemory } from '../../src/agent/session.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { MeshRig } from './support/mesh-rig.js'

t.test('a client reaches a node: what it sends is echoed', async t => {
  const { rig, client } = await served(t, ['fra-1'])
  t.match(client.current, { nodeId: 'fra-1' })
  t.same(await echoes(rig, client, 3), 3)
})

t.test('a node that dies hands its client to another within the failover time', async t => {
  const { rig, client, nodes } = await served(t, ['fra-1', 'ams-2'])
  const first = client.current?.nodeId ?? ''
  const moved: string[] = []
  client.on('switched', ({ to }) => moved.push(to.nodeId))
  await nodes.get(first)?.stop({ leave: false })
  await rig.clock.run(1_000)
  t.strictSame(moved, [[...nodes.keys()].find(id => id !== first)])
  t.equal(await echoes(rig, client, 2), 2)
})

t.test('a client whose only node has left has a route again when one comes', async t => {
  const { rig, client, nodes } = await served(t, ['fra-1'])
  const heard: string[] = []
  client.on('lost', () => heard.push('lost'))
  client.on('route', ({ nodeId }) => heard.push(nodeId))
  await nodes.get('fra-1')?.stop()
  await rig.clock.run(30_000)
  t.same(heard, ['lost'])
  echoing(rig, 'ams-2').start()
  await rig.clock.run(70_000)
  t.same(heard, ['lost', 'ams-2'])
  t.equal(await echoes(rig, client, 2), 2)
})

t.test('routes and links are still there after the coordinator restarts in good order', async t => {
  const { rig, client, nodes } = await served(t, ['fra-1'])
  const link = client.current?.link
  await rig.shutDown()
  await rig.boot()
  await rig.clock.run(5_000)
  t.match(client.status(), { state: 'online', session: { resumed: true } })
  t.match(nodes.get('fra-1')?.status(), { state: 'online', session: { resumed: true } })
  t.equal(client.current?.link, link)
  t.equal(await echoes(rig, client, 2), 2)
})

t.test('routes and links are still there after the coordinator is killed', async t => {
  const { rig, client } = await served(t, ['fra-1'])
  const link = client.current?.link
  rig.kill()
  await rig.clock.run(3_000)
  await rig.boot()
  await rig.clock.run(20_000)
  t.match(client.status(), { state: 'online', session: { resumed: true } })
  t.equal(client.current?.link, link)
  t.equal(await echoes(rig, client, 2), 2)
})

t.test('a node process that is started again goes on with its links', async t => {
  const rig = await MeshRig.start(t)
  const memory = volatileMemory()
  const { privateKey } = newKeyPair()
  const before = echoing(rig, 'fra-1', { memory, privateKey })
  before.start()
  const client = rig.client('alice')
  client.start()
  await rig.clock.run(0)
  const asked = client.route()
  await rig.clock.run(100)
  const { link } = await asked
  await before.stop({ leave: false })
  const after = echoing(rig, 'fra-1', { memory, privateKey })
  after.start()
  await rig.clock.run(200)
  t.match(after.status(), { session: { resumed: true }, links: [{ link, peerId: 'alice' }] })
  t.equal(client.current?.link, link)
  t.equal(await echoes(rig, client, 2), 2)
})

t.test('a client process that is started again has its route with one request', async t => {
  const rig = await MeshRig.start(t)
  echoing(rig, 'fra-1').start()
  await rig.clock.run(0)
  const memory = volatileMemory()
  const { privateKey } = newKeyPair()
  const before = rig.client('alice', { memory, privateKey })
  before.start()
  const first = before.route()
  await rig.clock.run(100)
  const { link } = await first
  await before.stop({ leave: false })
  const after = rig.client('alice', { memory, privateKey })
  after.start()
  const second = after.route()
  await rig.clock.run(100)
  t.equal((await second).link, link)
  t.equal(await echoes(rig, after, 2), 2)
})

t.test('a client may ask for another country, and keeps the old route until the new one carries', async t => {
  const rig = await MeshRig.start(t)
  echoing(rig, 'fra-1', { profile: { country: 'DE' } }).start()
  echoing(rig, 'ams-2', { profile: { country: 'NL' } }).start()
  const client = rig.client('alice')
  client.start()
  await rig.clock.run(0)
  const german = client.route({ country: 'DE' })
  await rig.clock.run(100)
  t.equal((await german).nodeId, 'fra-1')
  const dutch = client.route({ country: 'NL' })
  t.ok(client.send(Buffer.from('meanwhile')))
  await rig.clock.run(100)
  t.equal((await dutch).nodeId, 'ams-2')
  t.equal(rig.running.routes().length, 1)
  t.equal(client.status().links.length, 1)
  const nowhere = client.route({ country: 'JP' })
  await rig.clock.run(100)
  await t.rejects(nowhere, { code: 'ROUTE_REFUSED', why: 'no_candidate' })
  t.equal(rig.running.routes().length, 0)
})

t.test('two agents with one identity do not fight: the newest stays', async t => {
  const rig = await MeshRig.start(t)
  const { privateKey } = newKeyPair()
  const first = rig.node('fra-1', { privateKey })
  const second = rig.node('fra-1', { privateKey })
  first.start()
  await rig.clock.run(1_000)
  second.start()
  await rig.clock.run(300_000)
  t.equal(first.status().state, 'refused')
  t.equal(second.status().state, 'online')
  t.equal(rig.running.stats().replaced, 1)
})

t.test('another key for a known name is refused for good', async t => {
  const rig = await MeshRig.start(t)
  rig.node('fra-1').start()
  await rig.clock.run(0)
  const impostor = rig.node('fra-1')
  const started = impostor.start()
  await rig.clock.run(1_000)
  await t.rejects(started, { code: 'REFUSED', why: 'key_mismatch' })
})

t.test('hours of beats, renewals and reports cost no session', async t => {
  const { rig, client, nodes } = await served(t, ['fra-1'])
  await rig.clock.run(3 * 3_600_000)
  t.match(client.status(), { state: 'online', session: { generation: 1 } })
  t.match(nodes.get('fra-1')?.status(), { state: 'online', session: { generation: 1 } })
  t.match(rig.running.stats(), { faults: 0, denied: {} })
  t.equal(await echoes(rig, client, 2), 2)
})

async function served(t: Test, ids: readonly string[]) {
  const rig = await MeshRig.start(t)
  const nodes = new Map(ids.map(id => [id, echoing(rig, id)]))
  for (const node of nodes.values()) node.start()
  const client = rig.client('alice')
  client.start()
  await rig.clock.run(0)
  const asked = client.route()
  await rig.clock.run(100)
  await asked
  return { rig, client, nodes }
}

/** A node that sends every packet back. */
function echoing(rig: MeshRig, id: string, options: Parameters<MeshRig['node']>[1] = {}): MeshNode {
  const node = rig.node(id, options)
  node.on('packet', ({ link, packet }) => node.send(link, packet))
  return node
}

/** Returns how many of `count` packets came back. */
async function echoes(rig: MeshRig, client: MeshClient, count: number): Promise<number> {
  let back = 0
  const off = client.on('packet', () => back++)
  for (let i = 0; i < count; i++) client.send(Uint8Array.of(i))
  await rig.clock.run(0)
  off()
  return back
}
