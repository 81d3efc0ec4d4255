/** What an operator lays down acts at once: routes that are wrong by it move, make before break. */
import t from 'tap'
import type { RouteWish, Steering } from '../../src/actors/ports.js'
import { NO_STEERING } from '../../src/mesh/steering.js'
import type { WireOf } from '../../src/protocol/messages.js'
import { Lab } from '../lab/lab.js'
import type { RawAgent } from '../support/raw-agent.js'

/** Alice is on fra-1, and the operator says something about her, or about a node. */
const MOVES: readonly (readonly [what: string, who: string, change: Partial<Steering>])[] = [
  ['a pin to another node', 'alice', { pin: 'ams-1' }],
  ['a node that she avoids', 'alice', { avoid: ['fra-1'] }],
  ['a node that she prefers', 'alice', { prefer: ['ams-1'] }],
  ['a group that only the other node is in', 'alice', { group: 'gold' }],
]
for (const [what, who, change] of MOVES)
  t.test(`${what} moves her there, and the old link stays until the new one carries`, async t => {
    const { lab, steer, alice, nodes, assigned } = await served()
    steer('ams-1', { groups: ['gold'] })
    t.notOk(alice.names().includes('route.switched'), 'nothing was wrong yet')
    steer(who, change)
    await lab.clock.run(100)
    const switched = alice.last('route.switched')
    t.match(switched, { cause: 'operator', nodeId: 'ams-1', previousLink: assigned.link })
    t.notOk(alice.names().includes('path.closed'))
    for (const end of [alice, nodes.ams]) end.say({ type: 'path.ready', link: switched.link })
    await lab.clock.run(1_200)
    t.match(nodes.fra.last('path.closed'), { link: assigned.link })
  })

const STAYS: readonly (readonly [what: string, who: string, change: Partial<Steering>])[] = [
  ['a pin to her own node', 'alice', { pin: 'fra-1' }],
  ['a pin to a node that is away', 'alice', { pin: 'hel-1' }],
  ['a group that no node is in', 'alice', { group: 'gold' }],
  ['weights', 'alice', { weights: { price: 9 } }],
  ['a dear node', 'fra-1', { costWeight: 100 }],
  ['a group for her node', 'fra-1', { groups: ['gold'] }],
  ['avoiding every node', 'alice', { avoid: ['fra-1', 'ams-1'] }],
  ['preferring her own node and another', 'alice', { prefer: ['ams-1', 'fra-1'] }],
]
for (const [what, who, change] of STAYS)
  t.test(`${what} leaves her where she is`, async t => {
    const { lab, steer, alice, assigned } = await served()
    const away = await lab.enrolled('node', 'hel-1')
    away.say({ type: 'goodbye', reason: 'later' })
    await lab.clock.run(100)
    steer(who, change)
    await lab.clock.run(100)
    t.notOk(alice.names().includes('route.switched'))
    t.match(lab.mesh.routes(), [{ nodeId: 'fra-1', link: assigned.link }])
  })

t.test('a node that leaves a group loses the clients that were there for it, and nobody else', async t => {
  const { lab, steer, alice } = await served()
  steer('fra-1', { groups: ['gold'] })
  steer('ams-1', { groups: ['gold'] })
  steer('alice', { group: 'gold' })
  const bob = await lab.enrolled('client', 'bob')
  bob.say({ type: 'route.request', requestId: 1, target: 'fra-1' })
  await lab.clock.run(100)
  steer('fra-1', { groups: [] })
  await lab.clock.run(100)
  t.match(alice.last('route.switched'), { cause: 'operator', nodeId: 'ams-1' })
  t.notOk(bob.names().includes('route.switched'))
})

t.test('a client that is wrong where it is waits for its pin, and goes there when it comes', async t => {
  const { lab, steer, alice } = await served()
  const away = await lab.enrolled('node', 'hel-1')
  away.say({ type: 'goodbye', reason: 'later' })
  await lab.clock.run(100)
  steer('alice', { pin: 'hel-1' })
  await lab.clock.run(100)
  t.notOk(alice.names().includes('route.switched'))
  const back = await lab.raw('node', 'hel-1', away.keys)
  back.say(back.hello())
  await lab.clock.run(100)
  t.match(alice.last('route.switched'), { cause: 'operator', nodeId: 'hel-1' })
})

t.test('a pin that is taken back before its node came is forgotten', async t => {
  const { lab, steer, alice } = await served()
  steer('alice', { pin: 'hel-1' })
  steer('alice', { pin: null })
  await lab.enrolled('node', 'hel-1')
  await lab.clock.run(100)
  t.notOk(alice.names().includes('route.switched'))
})

const UNMET: readonly (readonly [what: string, who: string, change: Partial<Steering>, unmet: string])[] = [
  [
    'a pin to a node that is away',
    'alice',
    { pin: 'hel-1' },
    'node hel-1, by the operator’s pin: ruled out 2 of 2',
  ],
  ['a group that no node is in any more', 'fra-1', { groups: [] }, 'group gold: ruled out 2 of 2'],
]
for (const [what, who, change, unmet] of UNMET)
  t.test(`${what} leaves her where she is for a minute, and then she hears why she has no route`, async t => {
    const { lab, steer, alice, pass } = await served()
    steer('fra-1', { groups: ['gold'] })
    if (who === 'fra-1') steer('alice', { group: 'gold' })
    steer(who, change)
    t.match(lab.mesh.explain('alice', 0), { waiting: { cause: 'operator', remainingMs: 60_000 } })
    await pass(30)
    steer('ams-1', { costWeight: 2 })
    t.match(
      lab.mesh.explain('alice', 0)?.waiting,
      { remainingMs: 30_000 },
      'what else is said gives no more time',
    )
    await pass(29)
    t.match(lab.mesh.routes(), [{ nodeId: 'fra-1' }])
    await pass(2)
    t.same(lab.mesh.routes(), [])
    t.match(alice.last('route.refused'), { requestId: 0, code: 'no_candidate', unmet: [unmet] })
    alice.say({ type: 'route.request', requestId: 2 })
    await lab.clock.run(100)
    t.match(alice.last('route.refused'), { requestId: 2, code: 'no_candidate', unmet: [unmet] })
  })

t.test('a route that is wrong where it is is still so after a crash, for another minute', async t => {
  const { lab, steer } = await served()
  steer('alice', { pin: 'hel-1' })
  lab.crash()
  await lab.boot()
  t.match(lab.mesh.explain('alice', 0), { nodeId: 'fra-1', waiting: { cause: 'operator' } })
  await lab.clock.run(61_000)
  t.same(lab.mesh.routes(), [])
})

t.test('a route that must leave a drained node stays as long as nobody is better', async t => {
  const { lab, pass } = await served()
  lab.mesh.drain('ams-1', { withinMs: null, actor: 'test' })
  lab.mesh.drain('fra-1', { withinMs: null, actor: 'test' })
  await pass(70)
  t.match(lab.mesh.explain('alice', 0)?.waiting, { cause: 'node_drained', remainingMs: null })
})

t.test('what is laid down for a client that has never asked holds from its first request on', async t => {
  const { lab, steer } = await served()
  steer('ams-1', { costWeight: 9 })
  const bob = await lab.enrolled('client', 'bob')
  t.match(lab.mesh.assign('bob', { target: 'ams-1' }, 9, 'test'), { outcome: 'unasked', route: null })
  steer('bob', { pin: 'ams-1' })
  await lab.clock.run(100)
  t.notOk(bob.names().includes('route.switched'))
  bob.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  t.match(bob.last('route.assigned'), { requestId: 1, nodeId: 'ams-1' })
})

t.test('requests heed what is laid down, and are refused with its words', async t => {
  const { lab, steer, ask } = await served()
  steer('ams-1', { tags: ['fast'] })
  t.match(await ask('bob', {}, { pin: 'ams-1' }), { nodeId: 'ams-1' })
  t.match(await ask('carol', { tags: ['fast'] }), { nodeId: 'ams-1' })
  const dave = await lab.enrolled('client', 'dave')
  steer('dave', { group: 'gold' })
  dave.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  t.match(dave.last('route.refused'), { code: 'no_candidate', unmet: ['group gold: ruled out 2 of 2'] })
})

t.test('fewer places by the operator’s word are fewer places', async t => {
  const { lab, steer, ask } = await served()
  steer('fra-1', { maxSessions: 1 })
  t.match(await ask('bob', {}), { nodeId: 'ams-1' })
  t.match(await ask('carol', {}), { nodeId: 'ams-1' })
  t.match(lab.mesh.deliberate('carol', {}, 9)?.explanation, {
    compared: [{ nodeId: 'ams-1' }],
    rejected: [{ nodeId: 'fra-1', reason: 'full' }],
  })
})

t.test(
  'an order moves the route to the best of all nodes, and the client keeps what it asked for',
  async t => {
    const { lab, steer, alice, nodes } = await served()
    t.match(lab.mesh.assign('alice', { exclude: ['fra-1'] }, 9, 'test'), {
      outcome: 'moved',
      route: { nodeId: 'ams-1' },
    })
    await lab.clock.run(100)
    const { link } = alice.last('route.switched')
    for (const end of [alice, nodes.ams]) end.say({ type: 'path.ready', link })
    await lab.clock.run(1_200)
    t.match(lab.mesh.explain('alice', 0), { nodeId: 'ams-1', wish: {} })
    steer('ams-1', { costWeight: 9 })
    t.match(lab.mesh.assign('alice', {}, 9, 'test'), { outcome: 'moved', route: { nodeId: 'fra-1' } })
  },
)

t.test('an order does not take from a client what it has asked for', async t => {
  const { lab } = await served()
  await lab.enrolled('node', 'hel-1', { country: 'FI' })
  const bob = await lab.enrolled('client', 'bob')
  bob.say({ type: 'route.request', requestId: 1, country: 'FI' })
  await lab.clock.run(100)
  for (const order of [{ country: 'DE' }, { target: 'fra-1' }])
    t.match(lab.mesh.assign('bob', order, 9, 'test'), {
      wish: { country: 'FI' },
      order,
      outcome: 'refused',
      route: { nodeId: 'hel-1' },
      explanation: { considered: 3, qualified: 0 },
    })
})

t.test('while the coordinator leaves, nothing is ordered', async t => {
  const { lab } = await served()
  const stopping = lab.mesh.stop({ spreadMs: 100 })
  t.equal(lab.mesh.assign('alice', { target: 'ams-1' }, 9, 'test'), null)
  await lab.clock.run(1_000)
  await stopping
})

t.test('what a route has been through, and by what it was decided, is there after a crash', async t => {
  const { lab, steer } = await served()
  steer('alice', { avoid: ['fra-1'] })
  await lab.clock.run(100)
  const before = lab.mesh.explain('alice', 0)
  t.match(before, {
    explanation: { compared: [{ nodeId: 'ams-1' }], rejected: [{ nodeId: 'fra-1', reason: 'excluded' }] },
    history: { moved: 1, moves: [{ from: 'fra-1', to: 'ams-1', cause: 'operator' }], stayed: {} },
  })
  lab.crash()
  await lab.boot()
  const after = lab.mesh.explain('alice', 0)
  t.same(after?.explanation, before?.explanation)
  t.same(after?.history, before?.history)
  t.equal(after?.routeId, before?.routeId)
})

for (const how of ['restart', 'crash'] as const)
  t.test(`what is laid down is there after a ${how}`, async t => {
    const { lab, steer } = await served()
    steer('fra-1', { groups: ['gold'], costWeight: 3 })
    steer('alice', { weights: { rtt: 2 } })
    steer('alice', { avoid: ['ams-1'] })
    if (how === 'restart') await lab.restart()
    else {
      lab.crash()
      await lab.boot()
    }
    t.same(lab.mesh.steering('fra-1')?.steering, { ...NO_STEERING, groups: ['gold'], costWeight: 3 })
    t.same(lab.mesh.steering('alice')?.steering, {
      ...NO_STEERING,
      avoid: ['ams-1'],
      weights: { rtt: 2 },
    })
  })

interface Served {
  readonly lab: Lab
  readonly alice: RawAgent
  readonly nodes: { readonly fra: RawAgent; readonly ams: RawAgent }
  readonly assigned: WireOf<'route.assigned'>
  readonly steer: (id: string, change: Partial<Steering>) => void
  /** Lets so many seconds pass while everyone beats. */
  readonly pass: (seconds: number) => Promise<void>
  readonly ask: (
    id: string,
    wish: RouteWish,
    steering?: Partial<Steering>,
  ) => Promise<WireOf<'route.assigned'>>
}

/** Alice has a route to fra-1 that carries; ams-1 is there too. */
async function served(): Promise<Served> {
  const lab = await Lab.start()
  const fra = await lab.enrolled('node', 'fra-1')
  const alice = await lab.enrolled('client', 'alice')
  alice.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  const assigned = alice.last('route.assigned')
  for (const end of [alice, fra]) end.say({ type: 'path.ready', link: assigned.link })
  await lab.clock.run(100)
  const ams = await lab.enrolled('node', 'ams-1')
  return {
    lab,
    alice,
    nodes: { fra, ams },
    assigned,
    steer: (id, change) => void lab.mesh.steer(id, change, 'test'),
    pass: async seconds => {
      for (let s = 0; s < seconds; s++) {
        for (const agent of [fra, alice, ams]) agent.say(agent.beat(s))
        await lab.clock.run(1_000)
      }
    },
    ask: async (id, wish, steering = {}) => {
      const client = await lab.enrolled('client', id)
      lab.mesh.steer(id, steering, 'test')
      client.say({ type: 'route.request', requestId: 1, ...wish })
      await lab.clock.run(100)
      return client.last('route.assigned')
    },
  }
}
