import t, { type Test } from 'tap'
import type { WireOf } from '../../src/protocol/messages.js'
import { Lab } from '../lab/lab.js'
import type { RawAgent } from '../support/raw-agent.js'

const PACKET = Uint8Array.of(4, ...Array.from({ length: 31 }, () => 0))

t.test('a route that leaves a living node keeps the old link until the new one carries', async t => {
  const { lab, client, from, to, link } = await lapsing()
  const switched = client.last('route.switched')
  t.match(switched, { cause: 'node_lapsed', previousLink: link, nodeId: to.hello().id })
  t.notOk(client.names().includes('path.closed'))
  t.same(places(lab), { [from.hello().id]: 1, [to.hello().id]: 1 }, 'both places are taken')
  client.say({ type: 'relay.data', link, payload: PACKET })
  await lab.clock.run(100)
  t.equal(from.last('relay.data').link, link, 'the old link carries')

  ready(switched.link, client, to)
  await lab.clock.run(900)
  t.notOk(client.names().includes('path.closed'), 'it lingers')
  await lab.clock.run(200)
  for (const end of [client, from]) t.match(end.last('path.closed'), { link })
  t.same(places(lab), { [from.hello().id]: 0, [to.hello().id]: 1 })
  t.match(lab.mesh.routes(), [{ link: switched.link, nodeId: to.hello().id }])
  t.match(lab.mesh.stats().routes, { handingOver: 0, handovers: { carried: 1, failed: 0 } })
})

t.test('a new node that does not get ready is given up, and the route goes back', async t => {
  const { lab, client, from, to, link } = await lapsing()
  from.say(from.beat(2))
  client.say({ type: 'path.ready', link: client.last('route.switched').link })
  await lab.live([client, to, from], 6_000)
  t.match(client.last('route.switched'), { cause: 'node_left', nodeId: from.hello().id, link })
  t.same(places(lab), { [from.hello().id]: 1, [to.hello().id]: 0 })
  t.match(lab.mesh.routes(), [{ link, nodeId: from.hello().id }])
  t.notOk(client.heard.some(event => event.type === 'path.closed' && event.link === link))
})

t.test('a new node that dies before it carries is left for a third, over the first one’s link', async t => {
  const { lab, client, from, to, link } = await lapsing()
  const third = await lab.enrolled('node', 'third')
  lab.internet.drop(to.hello().id)
  await lab.clock.run(1_000)
  const switched = client.last('route.switched')
  t.match(switched, { cause: 'node_lost', nodeId: 'third' })
  t.notOk(client.heard.some(event => event.type === 'path.closed' && event.link === link))
  ready(switched.link, client, third)
  await lab.clock.run(1_200)
  t.match(from.last('path.closed'), { link })
  t.same(places(lab), { [from.hello().id]: 0, [to.hello().id]: 0, third: 1 })
})

t.test('when the new node dies and there is no third, the route goes back to the old one', async t => {
  const { lab, client, from, to, link } = await lapsing()
  lab.internet.drop(to.hello().id)
  await lab.clock.run(1_000)
  t.match(client.last('route.switched'), { cause: 'node_lost', nodeId: from.hello().id, link })
  t.same(places(lab), { [from.hello().id]: 1, [to.hello().id]: 0 })
})

const ENDINGS: readonly (readonly [string, (story: Story) => void])[] = [
  ['the client releases', ({ client, routeId }) => client.say({ type: 'route.release', routeId })],
  ['the client leaves', ({ client }) => client.say({ type: 'goodbye', reason: 'done' })],
  ['the client is revoked', ({ lab }) => void lab.mesh.revoke('alice', { reason: 'test', actor: 'test' })],
]
for (const [what, end] of ENDINGS)
  t.test(`${what} in the middle of a handover, and nothing is left of either link`, async t => {
    const story = await lapsing()
    end(story)
    await story.lab.clock.run(200)
    isEmpty(t, story)
  })

t.test('an old node that leaves in the middle of a handover takes its link with it', async t => {
  const { lab, client, from, to, link } = await lapsing()
  const switched = client.last('route.switched')
  from.say({ type: 'goodbye', reason: 'done' })
  await lab.clock.run(100)
  t.match(client.last('path.closed'), { link })
  ready(switched.link, client, to)
  await lab.clock.run(2_000)
  t.same(places(lab), { [to.hello().id]: 1 })
  t.equal(lab.mesh.stats().relay.links, 1)
})

t.test('an old node that cannot serve its link any more ends the handover', async t => {
  const { lab, client, from, to, link } = await lapsing()
  from.say({ type: 'path.closed', link, reason: 'no interface' })
  await lab.clock.run(100)
  t.match(client.last('path.closed'), { link })
  t.same(places(lab), { [from.hello().id]: 0, [to.hello().id]: 1 })
})

t.test('a second switch while the old link lingers leaves the second node as the first', async t => {
  const { lab, client, from, to, link } = await lapsing()
  const third = await lab.enrolled('node', 'third')
  const second = client.last('route.switched').link
  ready(second, client, to)
  await lab.live([client, third], 100)
  // The second node lapses at the moment when the third one is heard: the first is long gone by then.
  await lab.live([client, third], 16_000)
  const switched = client.last('route.switched')
  t.match(switched, { cause: 'node_lapsed', nodeId: 'third', previousLink: second })
  t.match(from.last('path.closed'), { link })
  ready(switched.link, client, third)
  await lab.clock.run(1_200)
  t.match(client.last('path.closed'), { link: second })
  t.equal(lab.mesh.stats().relay.links, 1)
})

t.test('a coordinator that starts again in the middle of a handover knows the new link only', async t => {
  const { lab, client, from, to } = await lapsing()
  const { link, routeId } = client.last('route.switched')
  await lab.restart()
  t.match(lab.mesh.routes(), [{ link, routeId, nodeId: to.hello().id }])
  t.same(places(lab), { [from.hello().id]: 0, [to.hello().id]: 1 })
})

interface Story {
  readonly lab: Lab
  readonly client: RawAgent
  readonly from: RawAgent
  readonly to: RawAgent
  readonly link: number
  readonly routeId: string
}

/** A client whose node is heard no more, but has its socket still: the route has just moved to the other node. */
async function lapsing(): Promise<Story> {
  const lab = await Lab.start()
  const nodes = [await lab.enrolled('node', 'fra-1'), await lab.enrolled('node', 'ams-1')]
  const client = await lab.enrolled('client', 'alice')
  client.say({ type: 'route.request', requestId: 7 })
  await lab.clock.run(100)
  const { nodeId, link, routeId } = client.last('route.assigned')
  const from = nodes.find(agent => agent.hello().id === nodeId) as RawAgent // one of the two
  const to = nodes.find(agent => agent !== from) as RawAgent // the other
  ready(link, client, from)
  await lab.live([client, to], 15_500)
  return { lab, client, from, to, link, routeId }
}

function ready(link: WireOf<'path.ready'>['link'], ...ends: readonly RawAgent[]): void {
  for (const end of ends) end.say({ type: 'path.ready', link })
}

const places = (lab: Lab): Record<string, number> =>
  Object.fromEntries(lab.mesh.nodes().map(({ id, reserved }) => [id, reserved]))

function isEmpty(t: Test, { lab, from, to }: Story): void {
  t.same(lab.mesh.routes(), [])
  t.same(places(lab), { [from.hello().id]: 0, [to.hello().id]: 0 })
  t.equal(lab.mesh.stats().relay.links, 0)
}
