import t from 'tap'
import { volatileMemory } from '../../src/agent/session.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { MeshRig } from './support/mesh-rig.js'

t.test('a client reaches a node: what it sends comes back', async t => {
  const rig = await MeshRig.start(t)
  const { client } = await rig.served(['fra-1'])
  t.match(client.current, { nodeId: 'fra-1' })
  t.equal(await rig.echoes(client, 3), 3)
})

t.test('a node that dies hands its client to another within a second', async t => {
  const rig = await MeshRig.start(t)
  const { client, nodes } = await rig.served(['fra-1', 'ams-2'])
  const first = client.current?.nodeId ?? ''
  const moved: string[] = []
  client.on('switched', ({ to }) => moved.push(to.nodeId))
  await nodes.get(first)?.stop({ leave: false })
  await rig.run(1_000)
  t.strictSame(moved, [[...nodes.keys()].find(id => id !== first)])
  t.equal(await rig.echoes(client, 2), 2)
})

t.test('a client whose only node has left has a route again when one comes', async t => {
  const rig = await MeshRig.start(t)
  const { client, nodes } = await rig.served(['fra-1'])
  const heard: string[] = []
  client.on('lost', () => heard.push('lost'))
  client.on('route', ({ nodeId }) => heard.push(nodeId))
  await nodes.get('fra-1')?.stop()
  await rig.run(30_000)
  t.same(heard, ['lost'])
  rig.node('ams-2').start()
  await rig.run(5_000)
  t.same(heard, ['lost', 'ams-2'])
  t.equal(await rig.echoes(client, 2), 2)
})

t.test('routes and links are still there after the coordinator restarts in good order', async t => {
  const rig = await MeshRig.start(t)
  const { client, nodes } = await rig.served(['fra-1'])
  const link = client.current?.link
  await rig.lab.restart({ spreadMs: 2_000 })
  await rig.run(5_000)
  t.match(client.status(), { state: 'online', session: { resumed: true } })
  t.match(nodes.get('fra-1')?.status(), { state: 'online', session: { resumed: true } })
  t.equal(client.current?.link, link)
  t.equal(await rig.echoes(client, 2), 2)
})

t.test('routes and links are still there after the coordinator is killed', async t => {
  const rig = await MeshRig.start(t)
  const { client } = await rig.served(['fra-1'])
  const link = client.current?.link
  rig.lab.crash()
  await rig.run(3_000)
  await rig.lab.boot()
  await rig.run(20_000)
  t.match(client.status(), { state: 'online', session: { resumed: true } })
  t.equal(client.current?.link, link)
  t.equal(await rig.echoes(client, 2), 2)
})

for (const outageMs of [5_000, 20_000, 60_000]) {
  t.test(`a client without network for ${outageMs / 1_000} s goes on with its route`, async t => {
    const rig = await MeshRig.start(t)
    const { client } = await rig.served(['fra-1'])
    const link = client.current?.link
    rig.lab.internet.cut('alice')
    await rig.run(outageMs)
    rig.lab.internet.heal('alice')
    client.nudge()
    await rig.run(3_000)
    t.match(client.status(), { state: 'online' })
    t.equal(client.current?.link, link)
    t.equal(await rig.echoes(client, 2), 2)
  })
}

t.test('a half-open socket is noticed by the agent itself', async t => {
  const rig = await MeshRig.start(t)
  const { client } = await rig.served(['fra-1'])
  const reasons: string[] = []
  client.on('offline', ({ reason }) => reasons.push(reason))
  rig.lab.internet.deafen('alice')
  await rig.run(19_000)
  t.same(reasons, [])
  await rig.run(11_000)
  t.equal(reasons[0], 'the coordinator fell silent')
})

t.test('a node process that is started again goes on with its links', async t => {
  const rig = await MeshRig.start(t)
  const own = { memory: volatileMemory(), privateKey: newKeyPair().privateKey }
  const before = rig.node('fra-1', own)
  before.start()
  const client = rig.client('alice')
  client.start()
  await rig.run(100)
  const asked = client.route()
  await rig.run(200)
  const { link } = await asked
  await before.stop({ leave: false })
  const after = rig.node('fra-1', own)
  after.start()
  await rig.run(200)
  t.match(after.status(), { session: { resumed: true }, links: [{ link, peerId: 'alice' }] })
  t.equal(client.current?.link, link)
  t.equal(await rig.echoes(client, 2), 2)
})

t.test('a client process that is started again has its route with one request', async t => {
  const rig = await MeshRig.start(t)
  rig.node('fra-1').start()
  await rig.run(100)
  const own = { memory: volatileMemory(), privateKey: newKeyPair().privateKey }
  const before = rig.client('alice', own)
  before.start()
  const first = before.route()
  await rig.run(200)
  const { link } = await first
  await before.stop({ leave: false })
  const after = rig.client('alice', own)
  after.start()
  const second = after.route()
  await rig.run(200)
  t.equal((await second).link, link)
  t.equal(await rig.echoes(after, 2), 2)
})

t.test('another wish replaces the route, and packets flow until it has', async t => {
  const rig = await MeshRig.start(t)
  rig.node('fra-1', { profile: { country: 'DE' } }).start()
  rig.node('ams-2', { profile: { country: 'NL' } }).start()
  const client = rig.client('alice')
  client.start()
  await rig.run(100)
  const german = client.route({ country: 'DE' })
  await rig.run(200)
  t.equal((await german).nodeId, 'fra-1')
  const dutch = client.route({ country: 'NL' })
  t.ok(client.send(Buffer.from('meanwhile')))
  await rig.run(200)
  t.equal((await dutch).nodeId, 'ams-2')
  t.equal(rig.lab.mesh.routes().length, 1)
  t.equal(client.status().links.length, 1)
})

t.test('a wish that cannot be met is refused, and no route is left behind', async t => {
  const rig = await MeshRig.start(t)
  const { client } = await rig.served(['fra-1'])
  const nowhere = client.route({ country: 'JP' })
  await rig.run(200)
  await t.rejects(nowhere, { code: 'ROUTE_REFUSED', why: 'no_candidate', unmet: [/country/] })
  t.equal(rig.lab.mesh.routes().length, 0)
  t.equal(client.current, null)
})

t.test('two agents with one identity do not fight: the newest stays', async t => {
  const rig = await MeshRig.start(t)
  const { privateKey } = newKeyPair()
  const first = rig.node('fra-1', { privateKey })
  const second = rig.node('fra-1', { privateKey })
  first.start()
  await rig.run(1_000)
  second.start()
  await rig.run(300_000)
  t.equal(first.status().state, 'refused')
  t.equal(second.status().state, 'online')
  t.equal(rig.lab.mesh.stats().replaced, 1)
})

t.test('another key for a known name is refused for good', async t => {
  const rig = await MeshRig.start(t)
  rig.node('fra-1').start()
  await rig.run(100)
  const impostor = rig.node('fra-1')
  const started = impostor.start()
  await rig.run(1_000)
  await t.rejects(started, { code: 'REFUSED', why: 'key_mismatch' })
})

t.test('hours of beats, renewals and reports cost no session', async t => {
  const rig = await MeshRig.start(t)
  const { client, nodes } = await rig.served(['fra-1'])
  await rig.run(3 * 3_600_000)
  t.match(client.status(), { state: 'online', session: { generation: 1 } })
  t.match(nodes.get('fra-1')?.status(), { state: 'online', session: { generation: 1 } })
  t.match(rig.lab.mesh.stats(), { faults: 0 })
  t.same(rig.lab.mesh.stats().denied, {})
  t.equal(await rig.echoes(client, 2), 2)
})
