import t from 'tap'
import type { DrainProgress } from '../../src/agent/drain.js'
import type { MeshClient } from '../../src/agent/mesh-client.js'
import type { MeshNode } from '../../src/agent/mesh-node.js'
import { volatileMemory } from '../../src/agent/session.js'
import { MeshRig } from './support/mesh-rig.js'

t.test('a node that leaves in good order hands its clients over without losing a packet', async t => {
  const rig = await MeshRig.start(t)
  const { client, nodes } = await rig.served(['fra-1', 'ams-2'])
  const { from, other } = whereabouts(client, nodes)
  const stream = startStream(client)
  await rig.run(100)
  let outcome = ''
  void from.drain({ withinMs: 10_000 }).then(async how => {
    outcome = how
    await from.stop()
  })
  for (let ms = 0; ms < 5_000; ms += 10) {
    stream.next()
    await rig.run(10)
  }
  await rig.run(500)
  t.equal(outcome, 'empty')
  t.equal(client.current?.nodeId, other.id)
  t.equal(stream.lost(), 0, `${stream.sent} packets there and back, ${stream.lost()} lost`)
  t.same(rig.lab.mesh.drains(), [], 'its goodbye ended the drain')
})

t.test('progress is told, and a node without clients is done at once', async t => {
  const rig = await MeshRig.start(t)
  const node = rig.node('fra-1')
  node.start()
  await rig.run(100)
  const heard: DrainProgress[] = []
  node.on('drain', event => heard.push(event))
  const asked = node.drain()
  await rig.run(200)
  t.equal(await asked, 'empty')
  t.match(heard, [
    { state: 'draining', by: 'node', left: 0 },
    { state: 'empty', left: 0, moved: 0, remainingMs: null },
  ])
  t.match(node.status().drain, { state: 'empty' })
})

t.test('a client that cannot go elsewhere is cut off when time is up', async t => {
  const rig = await MeshRig.start(t)
  const { client, nodes } = await rig.served(['fra-1'])
  const node = nodes.get('fra-1') as MeshNode
  const asked = node.drain({ withinMs: 3_000 })
  await rig.run(2_900)
  t.equal(await rig.echoes(client, 2), 2, 'until then it is served')
  await rig.run(200)
  t.equal(await asked, 'expired')
})

t.test('with the coordinator away nobody waits', async t => {
  const rig = await MeshRig.start(t)
  const { nodes } = await rig.served(['fra-1'])
  const node = nodes.get('fra-1') as MeshNode
  rig.lab.crash()
  await rig.run(500)
  t.equal(await node.drain({ withinMs: 10_000 }), 'unanswered')
})

t.test('when the coordinator goes away meanwhile the node waits no longer than it said', async t => {
  const rig = await MeshRig.start(t)
  const { nodes } = await rig.served(['fra-1'])
  const node = nodes.get('fra-1') as MeshNode
  const asked = node.drain({ withinMs: 5_000 })
  await rig.run(1_000)
  rig.lab.crash()
  await rig.run(5_100)
  t.equal(await asked, 'unanswered')
})

t.test('a coordinator that restarts meanwhile is asked again', async t => {
  const rig = await MeshRig.start(t)
  const { client, nodes } = await rig.served(['fra-1'])
  const node = nodes.get('fra-1') as MeshNode
  const asked = node.drain({ withinMs: 60_000 })
  await rig.run(1_000)
  await rig.lab.restart({ spreadMs: 1_000 })
  await rig.run(5_000)
  t.match(rig.lab.mesh.drains(), [{ nodeId: 'fra-1', by: 'node' }])
  rig.node('ams-2').start()
  await rig.run(20_000)
  t.equal(await asked, 'empty')
  t.equal(client.current?.nodeId, 'ams-2')
})

t.test('a node may stay after all', async t => {
  const rig = await MeshRig.start(t)
  const { client, nodes } = await rig.served(['fra-1'])
  const node = nodes.get('fra-1') as MeshNode
  const asked = node.drain()
  await rig.run(1_000)
  node.stay()
  t.equal(await asked, 'unanswered')
  await rig.run(500)
  t.same(rig.lab.mesh.drains(), [])
  t.equal(node.status().drain, null)
  t.equal(await rig.echoes(client, 2), 2)
})

t.test('a process that goes on with the session of one that was draining is given clients again', async t => {
  const rig = await MeshRig.start(t)
  const memory = volatileMemory()
  const first = rig.node('fra-1', { memory })
  first.start()
  const client = rig.client('alice')
  client.start()
  await rig.run(200)
  client.route()
  await rig.run(300)
  void first.drain()
  await rig.run(500)
  await first.stop({ leave: false })
  const second = rig.node('fra-1', { memory })
  second.start()
  await rig.run(1_000)
  t.match(second.status(), { state: 'online', session: { resumed: true }, drain: null })
  t.same(rig.lab.mesh.drains(), [])
})

t.test('options that the wire would not take are named', async t => {
  const rig = await MeshRig.start(t)
  const node = rig.node('fra-1')
  t.throws(() => node.drain({ withinMs: -1 }), { code: 'BAD_OPTION', message: /^withinMs: / })
})

function whereabouts(client: MeshClient, nodes: ReadonlyMap<string, MeshNode>) {
  const all = [...nodes.values()]
  const from = all.find(({ id }) => id === client.current?.nodeId) as MeshNode // it is one of them
  return { from, other: all.find(node => node !== from) as MeshNode }
}

/** Numbered packets, and which of them came back. */
function startStream(client: MeshClient) {
  const back = new Set<number>()
  const stream = {
    sent: 0,
    next: () => {
      const packet = Buffer.alloc(4)
      packet.writeUInt32BE(stream.sent++)
      client.send(packet)
    },
    lost: () => stream.sent - back.size,
  }
  client.on('packet', ({ packet }) => back.add(Buffer.from(packet).readUInt32BE()))
  return stream
}
