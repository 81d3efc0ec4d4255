import t from 'tap'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { Lab } from '../lab/lab.js'
import type { RawAgent } from '../support/raw-agent.js'

async function pair(lab: Lab): Promise<{ node: RawAgent; client: RawAgent; link: number }> {
  const node = await lab.enrolled('node', 'fra-1')
  const client = await lab.enrolled('client', 'alice')
  client.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  const { link } = client.last('route.assigned')
  for (const end of [node, client]) end.say({ type: 'path.ready', link })
  await lab.clock.run(100)
  return { node, client, link }
}

async function resumed(lab: Lab, role: 'node' | 'client', id: string, before: RawAgent): Promise<RawAgent> {
  const back = await lab.raw(role, id, before.keys)
  back.say({ type: 'resume', ticket: before.last('registered').ticket })
  await lab.clock.run(100)
  return back
}

const PACKET = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 4 : 0))

t.test('a restart gives every session a slot, and each one resumes with its links', async t => {
  const lab = await Lab.start()
  const { node, client, link } = await pair(lab)
  await lab.restart({ spreadMs: 4_000 })
  const slots = [node, client].map(agent => agent.last('restarting').reconnectInMs) as [number, number]
  t.ok(
    slots.every(ms => ms >= 1_000 && ms <= 1_040),
    'two sessions need no long spread, and the next process has a moment to come up',
  )
  t.not(slots[0], slots[1], 'each has its own')
  t.equal(node.closedWith, CLOSE.restarting.code)

  const nodeBack = await resumed(lab, 'node', 'fra-1', node)
  const clientBack = await resumed(lab, 'client', 'alice', client)
  t.same(nodeBack.last('resumed').links, [link])
  t.match(clientBack.last('route.assigned'), { requestId: 0, link, nodeId: 'fra-1' })
  clientBack.say({ type: 'relay.data', link, payload: PACKET })
  await lab.clock.run(100)
  t.ok(nodeBack.names().includes('relay.data'), 'the link carries without being opened again')
})

for (const afterMs of [0, 100, 5_000]) {
  t.test(`kill -9 ${afterMs} ms after an answer loses nothing of it`, async t => {
    const lab = await Lab.start()
    const { node, client, link } = await pair(lab)
    await lab.clock.run(afterMs)
    lab.crash()
    t.equal(node.closedWith, 1_006)
    await lab.boot()
    t.match(lab.mesh.nodes(), [{ id: 'fra-1', state: 'suspended' }])
    const nodeBack = await resumed(lab, 'node', 'fra-1', node)
    const clientBack = await resumed(lab, 'client', 'alice', client)
    t.match(nodeBack.last('resumed'), { links: [link], generation: 2 })
    t.match(clientBack.last('route.assigned'), { link, nodeId: 'fra-1' })
  })
}

t.test('no route leads to a node that has not come back', async t => {
  const lab = await Lab.start()
  await lab.enrolled('node', 'fra-1')
  const client = await lab.enrolled('client', 'alice')
  lab.crash()
  await lab.boot()
  const back = await resumed(lab, 'client', 'alice', client)
  back.say({ type: 'route.request', requestId: 5 })
  await lab.clock.run(100)
  t.match(back.last('route.refused'), { requestId: 5, unmet: ['online and accepting: ruled out 1 of 1'] })
})

t.test('a node that does not come back after a restart loses its clients to another', async t => {
  const lab = await Lab.start()
  const { client, link } = await pair(lab)
  const other = await lab.enrolled('node', 'ams-1')
  lab.crash()
  await lab.boot()
  const clientBack = await resumed(lab, 'client', 'alice', client)
  await resumed(lab, 'node', 'ams-1', other)
  await lab.clock.run(5_000)
  t.notOk(clientBack.names().includes('route.switched'), 'it has time to come back first')
  await lab.clock.run(6_000)
  t.match(clientBack.last('route.switched'), { previousLink: link, nodeId: 'ams-1' })
})

t.test('an agent without its ticket gets its session back by its key', async t => {
  const lab = await Lab.start()
  const { node, link } = await pair(lab)
  lab.crash()
  await lab.boot()
  const back = await lab.raw('node', 'fra-1', node.keys)
  back.say(back.hello())
  await lab.clock.run(100)
  t.match(back.last('registered'), { links: [link], generation: 2 })
})

t.test('sessions and routes go on while the store is away, and are written when it is back', async t => {
  const lab = await Lab.start()
  const { node, client } = await pair(lab)
  const write = lab.store.write.bind(lab.store)
  lab.store.write = () => Promise.reject(new Error('the database does not answer'))
  const second = await lab.enrolled('client', 'bob')
  second.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  for (const end of [node, second]) end.say({ type: 'path.ready', link: second.last('route.assigned').link })
  await lab.live([node, client, second], 30_000)
  t.match(lab.mesh.stats().snapshot, { state: 'backingOff' })
  t.equal(lab.mesh.routes().length, 2)
  lab.store.write = write
  await lab.clock.run(15_000)
  t.match(lab.mesh.stats().snapshot, { state: 'idle', dirty: 0 })
  t.equal((await lab.store.load()).routes.length, 2)
})
