import t from 'tap'
import type { WireOf } from '../../src/protocol/messages.js'
import type { Call } from './support/scripted-coordinator.js'
import { clientRig, pathOpen } from './support/rig.js'

const LINK = 0x1_0001

t.test('a route is there when its path carries', async t => {
  const { clock, coordinator, client, heard } = clientRig(t)
  client.start()
  await clock.run(0)
  const asked = client.route({ country: 'DE', maxLatencyMs: 80 })
  await clock.run(0)
  t.match(coordinator.call.all('route.request'), [{ requestId: 1, country: 'DE', maxLatencyMs: 80 }])
  coordinator.call.say(pathOpen(LINK), assigned(1, LINK, 'fra-1'))
  await clock.run(100)
  t.match(coordinator.call.all('path.ready'), [{ link: LINK }])
  t.equal(client.current, null, 'the other end may not be set up yet')
  coordinator.call.say({ type: 'path.settled', link: LINK, tier: 'relayed' })
  t.match(await asked, { nodeId: 'fra-1', link: LINK, why: 'because' })
  t.match(client.current, { nodeId: 'fra-1' })
  t.match(heard.at(-1), ['route', { nodeId: 'fra-1' }])
})

t.test('packets of one turn leave as one message, and arrive as events', async t => {
  const { clock, coordinator, client } = clientRig(t)
  await serve(client, clock, () => coordinator.call, LINK)
  const packets: string[] = []
  client.on('packet', ({ link, packet }) => packets.push(`${link} ${Buffer.from(packet).toString()}`))
  const before = coordinator.call.messages.length
  t.ok(client.send(Buffer.from('one')))
  t.ok(client.send(Buffer.from('two')))
  await clock.run(0)
  t.equal(coordinator.call.messages.length, before + 1)
  t.match(
    coordinator.call.all('relay.data').map(({ payload }) => Buffer.from(payload).toString()),
    ['one', 'two'],
  )
  coordinator.call.say(
    { type: 'relay.data', link: LINK, payload: Buffer.from('back') },
    { type: 'relay.data', link: LINK, payload: Buffer.from('again') },
    { type: 'relay.data', link: LINK + 9, payload: Buffer.from('not ours') },
  )
  t.same(packets, [`${LINK} back`, `${LINK} again`])
  t.match(client.status().counters, {
    sent: { packets: 2 },
    received: { packets: 3 },
    dropped: { no_link: 1 },
  })
  t.match(client.linkMetrics(LINK), { sentBytes: 6, receivedBytes: 9, lastReceivedMs: 0 })
})

t.test('a turn that fills a message begins another', async t => {
  const { clock, coordinator, client } = clientRig(t)
  await serve(client, clock, () => coordinator.call, LINK)
  const before = coordinator.call.messages.length
  for (let i = 0; i < 60; i++) client.send(new Uint8Array(1_300))
  await clock.run(0)
  t.same(
    coordinator.call.messages.slice(before).map(message => message.length),
    [50 * 1_310, 10 * 1_310],
  )
})

t.test('packets are dropped, not queued, while the socket is behind', async t => {
  const { clock, coordinator, client } = clientRig(t)
  await serve(client, clock, () => coordinator.call, LINK)
  coordinator.call.buffered = 300_000
  client.send(Buffer.from('late'))
  await clock.run(0)
  coordinator.call.buffered = 0
  client.send(Buffer.from('in time'))
  client.send(new Uint8Array(9_001))
  await clock.run(0)
  t.match(
    coordinator.call.all('relay.data').map(({ payload }) => Buffer.from(payload).toString()),
    ['in time'],
  )
  t.match(client.status().counters.dropped, { backlog: 1, oversize: 1 })
})

t.test('a route that cannot be had is refused with what could not be met', async t => {
  const { clock, coordinator, client } = clientRig(t)
  client.start()
  await clock.run(0)
  const asked = client.route({ country: 'JP' })
  await clock.run(0)
  coordinator.call.say(refused(1, ['country: 3 of 3']))
  await t.rejects(asked, {
    name: 'RouteRefusedError',
    why: 'no_candidate',
    unmet: ['country: 3 of 3'],
    retryAfterMs: 2_000,
  })
  await clock.run(600_000)
  t.equal(coordinator.call.all('route.request').length, 1, 'it is not asked again')
})

t.test('a patient client asks again until a node is there', async t => {
  const { clock, coordinator, client } = clientRig(t)
  client.start()
  await clock.run(0)
  client.route({ country: 'JP' }, { patient: true })
  await clock.run(0)
  coordinator.call.say(refused(1))
  await clock.run(1_999)
  t.equal(coordinator.call.all('route.request').length, 1)
  await clock.run(1)
  t.match(coordinator.call.all('route.request').at(-1), { requestId: 2, country: 'JP' })
})

t.test('the node dies and the client is moved without asking', async t => {
  const { clock, coordinator, client, heard } = clientRig(t)
  await serve(client, clock, () => coordinator.call, LINK)
  coordinator.call.say(pathOpen(LINK + 1), switched(LINK + 1, LINK, 'ams-2'), {
    type: 'path.closed',
    link: LINK,
    reason: 'moved',
  })
  await clock.run(0)
  coordinator.call.say({ type: 'path.settled', link: LINK + 1, tier: 'relayed' })
  await clock.run(60_000)
  t.match(client.current, { nodeId: 'ams-2', link: LINK + 1 })
  t.equal(coordinator.call.all('route.request').length, 1)
  t.match(
    heard.filter(([type]) => type === 'switched' || type === 'lost'),
    [['switched', { from: { nodeId: 'fra-1' }, to: { nodeId: 'ams-2' }, cause: 'node_lost' }]],
  )
})

t.test('a route that is taken back is asked for again, as it was asked for before', async t => {
  const { clock, coordinator, client, heard } = clientRig(t)
  await serve(client, clock, () => coordinator.call, LINK)
  coordinator.call.say({ type: 'path.closed', link: LINK, reason: 'gone' }, refused(0))
  t.equal(client.current, null)
  t.notOk(client.send(Buffer.from('to nobody')))
  await clock.run(2_000)
  t.match(coordinator.call.all('route.request').at(-1), { requestId: 2, country: 'DE' })
  coordinator.call.say(refused(2))
  await clock.run(2_000)
  coordinator.call.say(pathOpen(LINK + 1), assigned(3, LINK + 1, 'ams-2'))
  await clock.run(0)
  coordinator.call.say({ type: 'path.settled', link: LINK + 1, tier: 'relayed' })
  t.match(client.current, { nodeId: 'ams-2' })
  t.same(
    heard.map(([type]) => type).filter(type => type === 'lost' || type === 'route'),
    ['route', 'lost', 'route'],
  )
})

t.test('a route outlives the socket', async t => {
  const { clock, coordinator, client, heard } = clientRig(t)
  await serve(client, clock, () => coordinator.call, LINK)
  coordinator.links = [LINK]
  coordinator.call.drop()
  await clock.run(1_000)
  coordinator.call.say(pathOpen(LINK), assigned(0, LINK, 'fra-1'))
  await clock.run(60_000)
  t.match(client.current, { nodeId: 'fra-1' })
  t.equal(coordinator.call.all('route.request').length, 0)
  t.notOk(heard.some(([type]) => type === 'lost' || type === 'linkClosed'))
})

t.test('a route that is gone after a resume is asked for again', async t => {
  const { clock, coordinator, client, heard } = clientRig(t)
  await serve(client, clock, () => coordinator.call, LINK)
  coordinator.call.drop()
  await clock.run(2_000)
  t.match(coordinator.call.all('route.request'), [{ country: 'DE' }])
  t.match(
    heard.filter(([type]) => type === 'lost'),
    [['lost', { route: { nodeId: 'fra-1' } }]],
  )
})

t.test('a path that does not open is given back, and another route asked for', async t => {
  const { clock, coordinator, client } = clientRig(t)
  client.start()
  await clock.run(0)
  client.route({})
  await clock.run(0)
  coordinator.call.say(pathOpen(LINK), assigned(1, LINK, 'fra-1'))
  await clock.run(11_000)
  t.match(coordinator.call.all('route.release'), [{ routeId: `route-${LINK}` }])
  t.equal(coordinator.call.all('route.request').length, 2)
})

t.test('a released route is given back and not asked for again', async t => {
  const { clock, coordinator, client } = clientRig(t)
  await serve(client, clock, () => coordinator.call, LINK)
  client.release()
  await clock.run(600_000)
  t.equal(coordinator.call.all('route.release').length, 1)
  t.equal(coordinator.call.all('route.request').length, 1)
  t.equal(client.current, null)
})

t.test('a wish is asked when the session stands', async t => {
  const { clock, coordinator, client } = clientRig(t)
  client.route({ target: 'fra-1' })
  client.start()
  await clock.run(0)
  t.match(coordinator.call.all('route.request'), [{ target: 'fra-1' }])
})

t.test('a wrong wish is named', async t => {
  const { client } = clientRig(t)
  t.throws(() => client.route({ country: 'de' }), {
    code: 'BAD_OPTION',
    message: /^country: wanted two upper-case/,
  })
  t.throws(() => client.route({ colour: 'red' } as object), { message: 'colour: not an option' })
})

async function serve(
  client: ReturnType<typeof clientRig>['client'],
  clock: ReturnType<typeof clientRig>['clock'],
  call: () => Call,
  link: number,
): Promise<void> {
  client.start()
  await clock.run(0)
  const asked = client.route({ country: 'DE' })
  await clock.run(0)
  call().say(pathOpen(link), assigned(1, link, 'fra-1'))
  await clock.run(0)
  call().say({ type: 'path.settled', link, tier: 'relayed' })
  await asked
}

const fields = (link: number, nodeId: string) => ({
  routeId: `route-${link}`,
  link,
  nodeId,
  nodeKey: new Uint8Array(32).fill(9),
  nodeOverlay4: '10.77.0.9/32',
  nodeOverlay6: 'fd77::9/128',
  allowedIps: ['10.77.0.9/32'],
  exit: false,
  alternatives: [],
  why: 'because',
})
const assigned = (requestId: number, link: number, nodeId: string): WireOf<'route.assigned'> => ({
  type: 'route.assigned',
  requestId,
  ...fields(link, nodeId),
})
const switched = (link: number, previousLink: number, nodeId: string): WireOf<'route.switched'> => ({
  type: 'route.switched',
  cause: 'node_lost',
  previousLink,
  ...fields(link, nodeId),
})
const refused = (requestId: number, unmet: readonly string[] = []): WireOf<'route.refused'> => ({
  type: 'route.refused',
  requestId,
  code: 'no_candidate',
  reason: 'no node meets the request',
  unmet,
  retryAfterMs: 2_000,
})
