import t, { type Test } from 'tap'
import type { DrainView } from '../../src/actors/ports.js'
import { Lab } from '../lab/lab.js'
import type { RawAgent } from '../support/raw-agent.js'
import { routed } from '../support/town.js'

/** A mesh with clients on fra-1, and ams-1 beside it when there is to be somewhere to go. */
async function crowd(
  clients: number,
  { elsewhere = true, profile = {} }: { elsewhere?: boolean; profile?: object } = {},
): Promise<{ lab: Lab; fra: RawAgent; ams: RawAgent | null; clients: RawAgent[] }> {
  const lab = await Lab.start()
  const fra = await lab.enrolled('node', 'fra-1', profile)
  const agents: RawAgent[] = []
  for (let i = 0; i < clients; i++) {
    const client = await lab.enrolled('client', `c${i}`)
    await routed(lab, client, [fra])
    agents.push(client)
  }
  const ams = elsewhere ? await lab.enrolled('node', 'ams-1') : null
  return { lab, fra, ams, clients: agents }
}

const drain = (lab: Lab, withinMs: number | null = null) =>
  lab.mesh.drain('fra-1', { withinMs, actor: 'eve' })
const seen = (lab: Lab): DrainView | undefined => lab.mesh.drains().find(({ nodeId }) => nodeId === 'fra-1')
const states = (agent: RawAgent) =>
  agent.heard.flatMap(event => (event.type === 'drain.state' ? [event.state] : []))
const nodeOf = (lab: Lab, id: string) => lab.mesh.clients().find(client => client.id === id)?.nodeId

/** Lets time pass while the ends of new links say that they are ready, as live agents do. */
async function settle(lab: Lab, agents: readonly (RawAgent | null)[], ms: number): Promise<void> {
  const said = new Set<string>()
  for (const untilMs = lab.clock.now() + ms; lab.clock.now() < untilMs; ) {
    for (const [i, agent] of agents.entries())
      for (const event of agent?.heard ?? []) {
        if (event.type !== 'path.open' || said.has(`${i} ${event.link}`)) continue
        said.add(`${i} ${event.link}`)
        agent?.say({ type: 'path.ready', link: event.link })
      }
    await lab.clock.run(50)
  }
}

t.test('a drained node gets nothing new, its routes move, and it hears how far it is', async t => {
  const { lab, fra, ams, clients } = await crowd(3)
  t.match(drain(lab), { nodeId: 'fra-1', state: 'moving', by: 'operator', left: 3, moved: 0 })
  await settle(lab, [fra, ams, ...clients], 10_000)
  for (const client of clients)
    t.match(client.last('route.switched'), { nodeId: 'ams-1', cause: 'node_drained' })
  t.match(seen(lab), { state: 'empty', left: 0, moved: 3, waiting: 0, ended: 0 })
  t.equal(states(fra)[0], 'draining')
  t.match(fra.last('drain.state'), { state: 'empty', by: 'operator', left: 0, moved: 3 })

  const late = await lab.enrolled('client', 'late')
  t.match(await routed(lab, late, [fra]), { nodeId: 'ams-1' })
  late.say({ type: 'route.request', requestId: 9, target: 'fra-1' })
  await lab.clock.run(100)
  t.match(late.last('route.refused'), { requestId: 9 })
})

t.test('with a deadline routes move one after another, and the node hears of it once a second', async t => {
  const { lab, fra, ams, clients } = await crowd(20)
  drain(lab, 5_000)
  const moved: number[] = []
  for (let i = 0; i < 4; i++) {
    await settle(lab, [fra, ams, ...clients], 1_000)
    moved.push(seen(lab)?.moved ?? 0)
  }
  t.same(moved, [6, 11, 16, 20], 'evenly, over four of the five seconds')
  t.ok(states(fra).length <= 6, `${states(fra).length} words to the node`)
})

t.test('a node without clients is empty at once', async t => {
  const { lab, fra } = await crowd(0)
  fra.say({ type: 'drain.request', withinMs: 10_000, reason: 'shutting down' })
  await lab.clock.run(100)
  t.same(states(fra), ['draining', 'empty'])
})

t.test('routes for which nothing qualifies wait until something does', async t => {
  const { lab, fra, clients } = await crowd(2, { elsewhere: false })
  drain(lab)
  await lab.clock.run(3_000)
  t.match(seen(lab), { state: 'waiting', left: 2, moved: 0, waiting: 2 })
  t.notOk(clients[0]?.names().includes('route.refused'))
  const ams = await lab.enrolled('node', 'ams-1')
  await settle(lab, [fra, ams, ...clients], 10_000)
  t.match(seen(lab), { state: 'empty', left: 0, moved: 2 })
  t.equal(clients[0]?.last('route.switched').cause, 'node_drained')
})

t.test('when time is up what is left is ended, with the reason', async t => {
  const { lab, fra, clients } = await crowd(1, { elsewhere: false })
  drain(lab, 3_000)
  await lab.clock.run(2_900)
  t.match(seen(lab), { state: 'waiting', remainingMs: 100 })
  await lab.clock.run(200)
  t.match(seen(lab), { state: 'expired', left: 0, ended: 1, remainingMs: null })
  t.match(fra.last('drain.state'), { state: 'expired', left: 1 })
  t.match(clients[0]?.last('route.refused'), {
    requestId: 0,
    reason: 'node fra-1 was drained, and no other met the request in time',
  })
})

t.test('a client that is pinned to the node stays until time is up', async t => {
  const { lab, fra, ams, clients } = await crowd(1)
  const pinned = await lab.enrolled('client', 'pinned')
  await routed(lab, pinned, [fra], { target: 'fra-1' })
  drain(lab, 3_000)
  await settle(lab, [fra, ams, ...clients], 2_000)
  t.match(seen(lab), { state: 'waiting', moved: 1, waiting: 1, left: 1 })
  await lab.clock.run(2_000)
  t.match(seen(lab), { state: 'expired', moved: 1, ended: 1 })
  t.equal(pinned.last('route.refused').requestId, 0)
})

t.test('a drain that is cancelled in the middle leaves the rest where it is', async t => {
  const { lab, fra, ams, clients } = await crowd(20)
  drain(lab, 10_000)
  await settle(lab, [fra, ams, ...clients], 2_000)
  t.equal(lab.mesh.cancelDrain('fra-1', 'eve'), 'cancelled')
  t.equal(lab.mesh.cancelDrain('fra-1', 'eve'), 'not_drained')
  await settle(lab, [fra, ams, ...clients], 10_000)
  t.same(lab.mesh.drains(), [])
  t.match(fra.last('drain.state'), { state: 'cancelled', by: 'operator' })
  t.equal(clients.filter((_, i) => nodeOf(lab, `c${i}`) === 'fra-1').length, 11)
  const late = await lab.enrolled('client', 'late')
  t.match(
    await routed(lab, late, [fra], { target: 'fra-1' }),
    { nodeId: 'fra-1' },
    'it is given routes again',
  )
})

t.test('a node that was full is full again when it stays', async t => {
  const { lab } = await crowd(1, { elsewhere: false, profile: { maxSessions: 1 } })
  drain(lab)
  await lab.clock.run(1_000)
  lab.mesh.cancelDrain('fra-1', 'eve')
  const late = await lab.enrolled('client', 'late')
  late.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  t.same(late.last('route.refused').unmet, ['a free place: ruled out 1 of 1'])
})

t.test('the operator’s drain outlasts the node’s session and a restart of the coordinator', async t => {
  const { lab, fra } = await crowd(0)
  drain(lab)
  await lab.clock.run(1_000)
  fra.say({ type: 'goodbye', reason: 'an update' })
  await lab.clock.run(1_000)
  t.match(seen(lab), { state: 'empty' })
  await returned(lab, fra)
  await heldOut(t, lab, 'one')
  await lab.restart()
  t.match(seen(lab), { by: 'operator' })
  await lab.clock.run(12_000)
  const again = await returned(lab, fra)
  t.match(again.last('drain.state'), { by: 'operator' })
  await heldOut(t, lab, 'two')
  lab.mesh.cancelDrain('fra-1', 'eve')
  await lab.restart()
  t.same(lab.mesh.drains(), [], 'nor does it come back when it was cancelled')
})

t.test('after a restart the routes of a drained node go on moving', async t => {
  const { lab, fra, clients } = await crowd(2, { elsewhere: false })
  drain(lab)
  await lab.clock.run(1_000)
  const tickets = [fra, ...clients].map(agent => agent.last('registered').ticket)
  await lab.restart({ spreadMs: 0 })
  const agents: RawAgent[] = []
  for (const [i, before] of [fra, ...clients].entries()) {
    const id = i === 0 ? 'fra-1' : `c${i - 1}`
    const agent = await lab.raw(i === 0 ? 'node' : 'client', id, before.keys)
    agent.say({ type: 'resume', ticket: tickets[i] as Uint8Array })
    agents.push(agent)
  }
  const ams = await lab.enrolled('node', 'ams-1')
  t.match(seen(lab), { state: 'moving', left: 2 }, 'nothing moves while sessions come back')
  await settle(lab, [...agents, ams], 30_000)
  t.match(seen(lab), { state: 'empty', moved: 2 })
})

t.test('a node that is about to go is left even while other sessions come back', async t => {
  const { lab, fra, ams, clients } = await crowd(1)
  const before = [fra, ams as RawAgent, clients[0] as RawAgent]
  const tickets = before.map(agent => agent.last('registered').ticket)
  await lab.restart({ spreadMs: 0 })
  const agents: RawAgent[] = []
  for (const [i, { keys }] of before.entries()) {
    const id = ['fra-1', 'ams-1', 'c0'][i] as string
    const agent = await lab.raw(i < 2 ? 'node' : 'client', id, keys)
    agent.say({ type: 'resume', ticket: tickets[i] as Uint8Array })
    agents.push(agent)
  }
  await lab.clock.run(100)
  agents[0]?.say({ type: 'drain.request', withinMs: 3_000, reason: 'shutting down' })
  await settle(lab, agents, 3_000)
  t.match(agents[0]?.last('drain.state'), { state: 'empty', moved: 1 })
})

t.test('a deadline is kept over a restart', async t => {
  const { lab, fra, clients } = await crowd(1, { elsewhere: false })
  drain(lab, 100_000)
  await lab.clock.run(1_000)
  const { ticket } = fra.last('registered')
  await lab.restart({ spreadMs: 0 })
  const back = await lab.raw('node', 'fra-1', fra.keys)
  back.say({ type: 'resume', ticket })
  const client = await lab.raw('client', 'c0', clients[0]?.keys)
  client.say({ type: 'resume', ticket: clients[0]?.last('registered').ticket as Uint8Array })
  await lab.live([back, client], 90_000)
  t.match(seen(lab), { state: 'waiting', left: 1 })
  await lab.live([back, client], 10_000)
  t.match(seen(lab), { state: 'expired', ended: 1 })
  t.match(client.last('route.refused'), { requestId: 0 })
})

t.test('a node that asked itself goes on after it resumed, and is fresh when it registers', async t => {
  const { lab, fra } = await crowd(1, { elsewhere: false })
  fra.say({ type: 'drain.request', reason: 'shutting down' })
  await lab.clock.run(1_000)
  const { ticket } = fra.last('registered')
  lab.internet.drop('fra-1')
  const back = await lab.raw('node', 'fra-1', fra.keys)
  back.say({ type: 'resume', ticket })
  await lab.clock.run(1_000)
  t.match(back.last('drain.state'), { state: 'draining', by: 'node' })
  await heldOut(t, lab, 'one')
  lab.internet.drop('fra-1')
  const fresh = await lab.raw('node', 'fra-1', fra.keys)
  fresh.say(fresh.hello())
  await lab.clock.run(1_000)
  t.same(lab.mesh.drains(), [])
  t.match(await routed(lab, await lab.enrolled('client', 'two'), [fresh]), { nodeId: 'fra-1' })
})

t.test('a node’s own drain ends with its goodbye', async t => {
  const { lab, fra } = await crowd(0)
  fra.say({ type: 'drain.request', reason: 'shutting down' })
  await lab.clock.run(100)
  fra.say({ type: 'goodbye', reason: 'shutting down' })
  await lab.clock.run(100)
  t.same(lab.mesh.drains(), [])
  const again = await returned(lab, fra)
  t.match(await routed(lab, await lab.enrolled('client', 'one'), [again], { target: 'fra-1' }), {})
})

t.test('two who ask: the nearer deadline counts, and each takes back only its own', async t => {
  const { lab, fra } = await crowd(1, { elsewhere: false })
  drain(lab)
  t.match(seen(lab), { by: 'operator', remainingMs: null })
  fra.say({ type: 'drain.request', withinMs: 60_000, reason: 'shutting down' })
  await lab.clock.run(100)
  t.match(seen(lab), { by: 'operator', remainingMs: 59_910 })
  t.equal(lab.mesh.cancelDrain('fra-1', 'eve'), 'by_node')
  t.match(seen(lab), { by: 'node', remainingMs: 59_910 })
  t.equal(lab.mesh.cancelDrain('fra-1', 'eve'), 'by_node')
  drain(lab, 30_000)
  fra.say({ type: 'drain.request', cancel: true, reason: 'stays' })
  await lab.clock.run(100)
  t.match(seen(lab), { by: 'operator', remainingMs: 29_900 })
  fra.say({ type: 'drain.request', cancel: true, reason: 'stays' })
  await lab.clock.run(100)
  t.match(seen(lab), { by: 'operator' }, 'the operator’s drain is not for the node to end')
})

t.test('a node that dies while it drains is left at once', async t => {
  const { lab, fra, ams, clients } = await crowd(20)
  drain(lab, 60_000)
  await settle(lab, [fra, ams, ...clients], 500)
  lab.internet.drop('fra-1')
  await lab.clock.run(100)
  t.equal(clients.filter((_, i) => nodeOf(lab, `c${i}`) === 'ams-1').length, 20)
  t.equal(clients[19]?.last('route.switched').cause, 'node_lost')
  t.match(seen(lab), { by: 'operator' }, 'it stays drained')
})

t.test('only a node that has enrolled is drained, and only a node may ask', async t => {
  const { lab, clients } = await crowd(1)
  t.equal(lab.mesh.drain('nobody', { withinMs: null, actor: 'eve' }), null)
  t.equal(lab.mesh.drain('c0', { withinMs: null, actor: 'eve' }), null)
  clients[0]?.say({ type: 'drain.request', reason: 'why not' })
  await lab.clock.run(100)
  t.match(clients[0]?.last('error'), { code: 'not_now' })
})

t.test('who drained a node, and when it was taken back, is written down', async t => {
  const { lab, fra } = await crowd(0)
  drain(lab, 5_000)
  fra.say({ type: 'drain.request', withinMs: 1_000, reason: 'an update' })
  fra.say({ type: 'drain.request', withinMs: 2_000, reason: 'an update' })
  await lab.clock.run(100)
  lab.mesh.cancelDrain('fra-1', 'eve')
  await lab.clock.run(2_000)
  const events = (await lab.store.auditEvents(100)).filter(({ subject }) => subject === 'fra-1')
  t.match(
    events.filter(({ kind }) => kind.startsWith('node.')).toReversed(),
    [
      { kind: 'node.drained', actor: 'eve', detail: { withinMs: 5_000 } },
      { kind: 'node.drained', actor: 'fra-1', detail: { withinMs: 1_000, reason: 'an update' } },
      { kind: 'node.undrained', actor: 'eve' },
    ],
    'a node that only changes its mind about the time is not written down again',
  )
})

/** A session of the same identity after its goodbye. */
async function returned(lab: Lab, before: RawAgent): Promise<RawAgent> {
  const agent = await lab.raw('node', 'fra-1', before.keys)
  agent.say(agent.hello())
  await lab.clock.run(100)
  return agent
}

async function heldOut(t: Test, lab: Lab, id: string): Promise<void> {
  const client = await lab.enrolled('client', id)
  client.say({ type: 'route.request', requestId: 1, target: 'fra-1' })
  await lab.clock.run(100)
  t.match(client.last('route.refused'), { requestId: 1 }, 'the node is given no routes')
}
