/** What the mesh tells of itself: each fact once, in order, after it is so. */
import t from 'tap'
import type { Fact } from '../../src/actors/ports.js'
import { Lab } from '../lab/lab.js'
import type { RawAgent } from '../support/raw-agent.js'

t.test(
  'a node that is taken over is told of with its new generation, and of the old one no more',
  async t => {
    const { lab, told } = await listening()
    const fra = await lab.enrolled('node', 'fra-1')
    const twin = await lab.raw('node', 'fra-1', fra.keys)
    twin.say(twin.hello())
    await lab.clock.run(200)
    t.not(fra.closedWith, null, 'the older socket is closed')
    const { sessionId } = twin.last('registered')
    t.match(told, [
      { type: 'node.online', id: 'fra-1', sessionId, generation: 1 },
      { type: 'node.online', id: 'fra-1', sessionId, generation: 2 },
    ])
    twin.say({ type: 'goodbye', reason: 'test' })
    await lab.clock.run(100)
    t.match(told.slice(2), [{ type: 'node.offline', id: 'fra-1', sessionId, generation: 2 }])
  },
)

t.test('generations only grow, whatever becomes of the sockets', async t => {
  const { lab, told } = await listening()
  let agent = await lab.enrolled('client', 'anna')
  for (let n = 0; n < 4; n++) {
    if (n % 2 === 0) lab.internet.drop('anna')
    agent = await lab.raw('client', 'anna', agent.keys)
    agent.say(agent.hello())
    await lab.clock.run(n === 1 ? 130_000 : 200)
  }
  await lab.clock.run(200_000)
  const generations = told.map(fact => ('generation' in fact ? fact.generation : 0))
  t.same(
    generations,
    [...generations].sort((a, b) => a - b),
  )
  t.equal(told.at(-1)?.type, 'client.offline')
})

t.test('nobody hears of an agent that was not let in', async t => {
  const { lab, told } = await listening()
  const agent = await lab.raw('node', 'fra-1')
  agent.say(agent.hello({ credential: 'bek_wrong' }))
  await lab.clock.run(200)
  t.equal(agent.last('refused').code, 'not_authorised')
  t.same(told, [])
})

t.test('a session of the process before that does not come back is told to be offline', async t => {
  const { lab } = await listening()
  await lab.enrolled('node', 'fra-1')
  await lab.clock.run(1_000)
  lab.crash()
  await lab.boot()
  const told = heard(lab)
  await lab.clock.run(200_000)
  t.match(told, [{ type: 'node.offline', id: 'fra-1', generation: 1 }])
})

t.test('a node that comes and goes is told of once, until it has calmed', async t => {
  const { lab, told } = await listening()
  let agent = await lab.enrolled('node', 'fra-1')
  const flap = async () => {
    lab.internet.drop('fra-1')
    await lab.clock.run(1_000)
    agent = await again(lab, agent)
  }
  const flapping = () => told.filter(({ type }) => type === 'node.flapping')
  for (let n = 0; n < 4; n++) await flap()
  t.same(flapping(), [], 'four may be an unlucky hour')
  await flap()
  t.match(flapping(), [{ id: 'fra-1', generation: 5 }])
  for (let n = 0; n < 5; n++) await flap()
  t.equal(flapping().length, 1)
  await lab.live([agent], 3_600_000)
  for (let n = 0; n < 5; n++) await flap()
  t.equal(flapping().length, 2, 'it has been quiet for an hour in between')
})

t.test('a route that moves is told of with where from, where to and why', async t => {
  const { lab, told } = await listening()
  const fra = await lab.enrolled('node', 'fra-1')
  const anna = await lab.enrolled('client', 'anna')
  anna.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  await lab.enrolled('node', 'ams-1')
  fra.hangUp()
  await lab.clock.run(5_000)
  const { routeId } = anna.last('route.switched')
  t.match(
    told.filter(({ type }) => type === 'route.switched'),
    [{ routeId, clientId: 'anna', from: 'fra-1', to: 'ams-1', cause: 'node_lost', moved: 1 }],
  )
})

t.test('a relay that drops for want of room is told of, and that it carries everything again', async t => {
  const { lab, told } = await listening({ relay: { queueMs: 10_000 } })
  const node = await lab.enrolled('node', 'fra-1')
  const slow = await lab.enrolled('client', 'slow')
  slow.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(50)
  const { link } = slow.last('route.assigned')
  for (const end of [node, slow]) end.say({ type: 'path.ready', link })
  await lab.clock.run(50)
  lab.internet.deafen('slow')
  const payload = new Uint8Array(1_200)
  payload[0] = 4
  for (let n = 0; n < 200; n++) node.say({ type: 'relay.data', link, payload })
  await lab.clock.run(2_000)
  lab.internet.undeafen('slow')
  await lab.live([node, slow], 10_000)
  const relay = told.flatMap(fact => ('dropped' in fact ? [fact] : []))
  t.match(
    relay.map(({ type }) => type),
    ['relay.saturated', 'relay.relieved'],
  )
  const { queue_full = 0, queue_age = 0 } = lab.mesh.stats().relay.drops
  t.ok((relay[0]?.dropped ?? 0) > 0)
  t.equal(relay[1]?.dropped, queue_full + queue_age)
})

t.test('a key that is revoked is told of: of an identity, or one that enrols', async t => {
  const { lab, told } = await listening()
  await lab.enrolled('node', 'fra-1')
  lab.mesh.revoke('fra-1', { reason: 'stolen', actor: 'mallory' })
  lab.mesh.revoke('fra-1', { reason: 'stolen', actor: 'mallory' })
  t.equal(await lab.mesh.revokeEnrolmentKey('lab', 'eve'), true)
  t.equal(await lab.mesh.revokeEnrolmentKey('none', 'eve'), false)
  t.match(
    told.filter(({ type }) => type === 'key.revoked'),
    [
      { subject: 'identity', id: 'fra-1', by: 'mallory' },
      { subject: 'enrolment_key', id: 'lab', by: 'eve' },
    ],
  )
  t.ok(
    told.some(({ type }) => type === 'node.offline'),
    'its session ended',
  )
  await lab.clock.run(1_000)
  t.ok((await lab.store.auditEvents(10)).some(({ kind }) => kind === 'enrolment_key.revoked'))
})

async function listening(
  options: ConstructorParameters<typeof Lab>[0] = {},
): Promise<{ lab: Lab; told: Fact[] }> {
  const lab = await Lab.start(options)
  return { lab, told: heard(lab) }
}

function heard(lab: Lab): Fact[] {
  const told: Fact[] = []
  lab.mesh.onFact(fact => told.push(fact))
  return told
}

/** Returns the same agent with a new socket and a new session’s generation. */
async function again(lab: Lab, { keys }: RawAgent): Promise<RawAgent> {
  const agent = await lab.raw('node', 'fra-1', keys)
  agent.say(agent.hello())
  await lab.clock.run(100)
  return agent
}
