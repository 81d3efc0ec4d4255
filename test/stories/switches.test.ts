import t from 'tap'
import type { WireOf } from '../../src/protocol/messages.js'
import { Lab } from '../lab/lab.js'
import type { RawAgent } from '../support/raw-agent.js'

type Gauges = Partial<WireOf<'heartbeat'>>

t.test(
  'a node whose uplink is full is left a route at a time, and gets none, until it is well again',
  async t => {
    const { lab, clients, fra } = await crowd(5)
    const ams = await lab.enrolled('node', 'ams-1')
    await live(lab, [ams, ...clients], 20_000, [fra, FULL])
    t.equal(on(lab, 'fra-1'), 5, 'it is watched for a while')
    await live(lab, [ams, ...clients], 20_000, [fra, FULL])
    const left = on(lab, 'fra-1')
    t.ok(left >= 3 && left < 5, `${left} are left`)
    t.match(lab.complaints, [{ fields: { id: 'fra-1', ailment: 'uplink' }, message: /carries badly/ }])
    t.match(lab.mesh.nodes()[0], { id: 'fra-1', ailment: 'uplink', flaps: 0 })
    t.ok(clients.some(({ heard }) => heard.some(said => said.type === 'route.switched')))
    const moved = clients.find(client => client.names().includes('route.switched'))
    t.match(moved?.last('route.switched'), { cause: 'node_degraded', nodeId: 'ams-1' })

    const bob = await lab.enrolled('client', 'bob')
    bob.say({ type: 'route.request', requestId: 1 })
    await lab.clock.run(100)
    t.equal(bob.last('route.assigned').nodeId, 'ams-1')
    const eve = await lab.enrolled('client', 'eve')
    eve.say({ type: 'route.request', requestId: 1, target: 'fra-1' })
    await lab.clock.run(100)
    t.equal(eve.last('route.assigned').nodeId, 'fra-1', 'who wants no other gets it')

    await live(lab, [ams, bob, eve, ...clients], 40_000, [fra, IDLE])
    const stayed = on(lab, 'fra-1')
    await live(lab, [ams, bob, eve, ...clients], 60_000, [fra, IDLE])
    t.equal(on(lab, 'fra-1'), stayed, 'it carries well again')
  },
)

t.test('a node to which its clients lose packets is left, unless the other one is no better', async t => {
  for (const [load, moves] of [
    [0, true],
    [9, false],
  ] as const) {
    const { lab, clients, fra, links } = await crowd(4)
    const ams = await lab.enrolled('node', 'ams-1', { maxSessions: 10 })
    for (let n = 0; n < load; n++) {
      const other = await lab.enrolled('client', `other-${n}`)
      other.say({ type: 'route.request', requestId: 1, target: 'ams-1' })
      await lab.clock.run(50)
      clients.push(other)
    }
    for (let beat = 0; beat < 9; beat++) {
      for (const [i, link] of links.entries())
        clients[i]?.say({
          type: 'path.report',
          link,
          sentBytes: 0,
          receivedBytes: 0,
          lossPct: 6,
        })
      await live(lab, [ams, fra, ...clients], 10_000)
    }
    const { suppressed } = lab.mesh.stats().routes
    t.equal(on(lab, 'fra-1') < 4, moves, moves ? 'they leave' : 'they stay')
    if (!moves) t.ok((suppressed['no_clear_gain'] ?? 0) > 0, 'and are counted')
  }
})

t.test(
  'a node with fewer places than routes loses the newest, and keeps those that nobody else takes',
  async t => {
    const { lab, clients, fra } = await crowd(3)
    await lab.enrolled('node', 'ams-1', { maxSessions: 1 })
    lab.mesh.steer('fra-1', { maxSessions: 1 }, 'test')
    await lab.clock.run(100)
    t.match(clients[2]?.last('route.switched'), { cause: 'capacity_cut', nodeId: 'ams-1' })
    t.equal(on(lab, 'fra-1'), 2)
    t.notOk(clients[0]?.names().includes('route.switched'))
    t.match(lab.mesh.stats().routes.suppressed, { no_candidate: 1 })
    t.notOk(
      fra.heard.some(said => said.type === 'path.closed'),
      'nothing was broken for it',
    )
  },
)

t.test('a node that registers with fewer places loses the newest', async t => {
  const { lab, clients, fra } = await crowd(2)
  await lab.enrolled('node', 'ams-1')
  lab.internet.drop('fra-1')
  const again = await lab.raw('node', 'fra-1', fra.keys)
  again.say(again.hello({ maxSessions: 1 }))
  await lab.clock.run(200)
  t.match(clients[1]?.last('route.switched'), { cause: 'capacity_cut', nodeId: 'ams-1' })
  t.equal(on(lab, 'fra-1'), 1)
})

t.test('a client whose preferred node comes back is on it again after a minute', async t => {
  const { lab, client, fra, ams } = await away()
  const back = await lab.raw('node', 'fra-1', fra.keys)
  back.say({ type: 'resume', ticket: fra.last('registered').ticket })
  await live(lab, [ams, back, client], 55_000)
  t.equal(client.last('route.switched').nodeId, 'ams-1', 'it has to stay up first')
  await live(lab, [ams, back, client], 10_000)
  const switched = client.last('route.switched')
  t.match(switched, { cause: 'better', nodeId: 'fra-1' })
  t.notOk(client.heard.some(said => said.type === 'path.closed' && said.link === switched.previousLink))
})

t.test('a preferred node that comes and goes is left alone until it has stayed', async t => {
  const { lab, client, fra, ams } = await away()
  let { ticket }: { ticket: Uint8Array } = fra.last('registered')
  let back = fra
  for (let n = 0; n < 3; n++) {
    back = await lab.raw('node', 'fra-1', fra.keys)
    back.say({ type: 'resume', ticket })
    await lab.clock.run(100)
    ticket = back.last('resumed').ticket
    if (n < 2) lab.internet.drop('fra-1')
    await lab.clock.run(100)
  }
  await live(lab, [ams, back, client], 65_000)
  t.equal(client.last('route.switched').nodeId, 'ams-1')
  t.match(lab.mesh.stats().routes.suppressed, { flapping: 1 })
  await live(lab, [ams, back, client], 600_000)
  t.match(client.last('route.switched'), { cause: 'better', nodeId: 'fra-1' })
})

t.test('a client that the operator pins elsewhere moves there, make before break', async t => {
  const { lab, clients } = await crowd(1)
  await lab.enrolled('node', 'ams-1')
  lab.mesh.steer('client-0', { pin: 'ams-1' }, 'test')
  await lab.clock.run(100)
  t.match(clients[0]?.last('route.switched'), { cause: 'operator', nodeId: 'ams-1' })
  t.notOk(clients[0]?.names().includes('path.closed'))
})

t.test('more routes than move in one turn of the event loop all move', async t => {
  const { lab, clients } = await crowd(60)
  await lab.enrolled('node', 'ams-1')
  lab.internet.drop('fra-1')
  await lab.clock.run(1_000)
  t.equal(on(lab, 'ams-1'), 60)
  t.equal(lab.mesh.stats().routes.switchMs.node_lost.count, 60)
  t.ok(clients.every(client => client.last('route.switched').cause === 'node_lost'))
})

t.test('places that become free together go to those who wait for one, the first of them first', async t => {
  const { lab, clients } = await crowd(5)
  const ams = await lab.enrolled('node', 'ams-1', { maxSessions: 4 })
  const guests = await Promise.all(Array.from({ length: 4 }, (_, n) => lab.enrolled('client', `guest-${n}`)))
  for (const guest of guests) guest.say({ type: 'route.request', requestId: 1, exclude: ['fra-1'] })
  await lab.clock.run(50)
  lab.internet.drop('fra-1')
  await live(lab, [ams, ...clients, ...guests], 2_000)
  t.equal(lab.mesh.stats().routes.waiting, 5)
  for (const guest of guests.slice(0, 3)) guest.say({ type: 'goodbye', reason: 'done' })
  await lab.clock.run(100)
  t.equal(on(lab, 'ams-1'), 4)
  const moved = clients.map(client => client.names().includes('route.switched'))
  t.same(moved, [true, true, true, false, false])
  t.equal(lab.mesh.stats().routes.waiting, 2)
})

const FULL: Gauges = { bwTotalMbps: 99 }
const IDLE: Gauges = { bwTotalMbps: 10 }

/** A node with 100 Mbit/s, and clients whose paths carry. */
async function crowd(
  count: number,
): Promise<{ lab: Lab; fra: RawAgent; clients: RawAgent[]; links: number[] }> {
  const lab = await Lab.start()
  const fra = await lab.enrolled('node', 'fra-1', { bandwidthMbps: 100 })
  const clients: RawAgent[] = []
  const links: number[] = []
  for (let n = 0; n < count; n++) {
    const client = await lab.enrolled('client', `client-${n}`)
    client.say({ type: 'route.request', requestId: 1 })
    await lab.clock.run(50)
    const { link } = client.last('route.assigned')
    for (const end of [client, fra]) end.say({ type: 'path.ready', link })
    clients.push(client)
    links.push(link)
  }
  await live(lab, [fra, ...clients], 61_000)
  return { lab, fra, clients, links }
}

/** A client that prefers a node which has just died. */
async function away(): Promise<{ lab: Lab; client: RawAgent; fra: RawAgent; ams: RawAgent }> {
  const lab = await Lab.start()
  const fra = await lab.enrolled('node', 'fra-1')
  const ams = await lab.enrolled('node', 'ams-1')
  const client = await lab.enrolled('client', 'alice')
  client.say({ type: 'route.request', requestId: 1, prefer: ['fra-1'] })
  await lab.clock.run(100)
  t.equal(client.last('route.assigned').nodeId, 'fra-1')
  lab.internet.drop('fra-1')
  await lab.clock.run(1_000)
  t.match(client.last('route.switched'), { nodeId: 'ams-1', cause: 'node_lost' })
  for (const end of [client, ams]) end.say({ type: 'path.ready', link: client.last('route.switched').link })
  return { lab, client, fra, ams }
}

/** Lets time pass while these beat, some with gauges of their own; who is moved gets ready there. */
async function live(
  lab: Lab,
  agents: readonly RawAgent[],
  ms: number,
  ...special: readonly (readonly [RawAgent, Gauges])[]
): Promise<void> {
  const untilMs = lab.clock.now() + ms
  for (let seq = 100; lab.clock.now() < untilMs; seq++) {
    for (const agent of agents) if (agent.closedWith === null) agent.say(agent.beat(seq))
    for (const [agent, gauges] of special) agent.say({ ...agent.beat(seq), ...gauges })
    await lab.clock.run(Math.min(5_000, untilMs - lab.clock.now()))
    for (const agent of agents)
      for (const said of agent.heard)
        if (said.type === 'path.open') agent.say({ type: 'path.ready', link: said.link })
  }
}

const on = (lab: Lab, node: string): number =>
  lab.mesh.routes().filter(({ nodeId }) => nodeId === node).length
