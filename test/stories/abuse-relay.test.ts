/** What is tried with packets: stale links, old sockets, too much, and not reading. */
import t from 'tap'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { numbered } from '../lab/hosts.js'
import { Lab } from '../lab/lab.js'
import { dialling, routed, town } from '../support/town.js'

t.test('the id of a link that is gone never finds the link that came after it', async t => {
  const lab = await Lab.start()
  const nodes = [await lab.enrolled('node', 'fra-1'), await lab.enrolled('node', 'ams-1')]
  const alice = await lab.enrolled('client', 'alice')
  const stale = await routed(lab, alice, nodes)
  alice.say({ type: 'route.release', routeId: stale.routeId })
  await lab.clock.run(50)
  // The freed place in the table is the first to be used again.
  const links: number[] = []
  for (let n = 0; n < 4; n++)
    links.push((await routed(lab, await lab.enrolled('client', `bob-${n}`), nodes)).link)
  t.notOk(links.includes(stale.link))
  for (const agent of nodes) agent.forget()
  for (let n = 0; n < 10; n++) alice.say({ type: 'relay.data', link: stale.link, payload: numbered(n) })
  await lab.clock.run(100)
  t.notOk(nodes.some(agent => agent.names().includes('relay.data')))
  t.match(lab.mesh.stats().relay.drops, { no_such_link: 10 })
})

t.test('a socket that was replaced says nothing any more', async t => {
  const { lab, node, client, link, peace } = await town(t)
  lab.internet.deafen('alice') // it will not hear that it was replaced
  const newer = dialling(lab, 'alice-2', 'alice', client.keys)
  await lab.clock.run(50)
  newer.say(newer.hello())
  await lab.clock.run(50)
  t.match(newer.last('registered'), { generation: 2, links: [link] })
  node.forget()
  client.say({ type: 'relay.data', link, payload: numbered(1) }, { type: 'path.closed', link, reason: 'old' })
  client.say({ type: 'goodbye', reason: 'old' })
  await lab.clock.run(100)
  t.same(node.names(), [])
  t.match(lab.mesh.clients(), [{ id: 'alice', state: 'online', generation: 2, link }])
  lab.internet.undeafen('alice')
  await lab.clock.run(100)
  t.equal(client.closedWith, CLOSE.replaced.code)
  await peace(newer)
})

t.test('who sends above its rate loses its own packets', async t => {
  const { lab, node, client, link, peace } = await town(t, { relay: { mbpsPerIdentity: 1 } })
  const quiet = await lab.enrolled('client', 'quiet')
  const { link: quietLink } = await routed(lab, quiet, [node])
  node.forget()
  const payload = Buffer.concat([numbered(0), Buffer.alloc(1_168)])
  for (let n = 0; n < 200; n++) {
    client.say({ type: 'relay.data', link, payload })
    if (n % 20 === 0) quiet.say({ type: 'relay.data', link: quietLink, payload: numbered(n) })
    await lab.clock.run(5)
  }
  await lab.clock.run(1_200)
  const arrived = (on: number) => node.heard.filter(it => it.type === 'relay.data' && it.link === on).length
  // One second of 1 Mbit/s, and the burst of 64 KiB.
  const allowed = (125_000 + 65_536) / (payload.length + 10)
  t.ok(arrived(link) <= allowed + 1, `${arrived(link)} of 200 packets arrived`)
  t.equal(arrived(link) + (lab.mesh.stats().relay.drops['over_rate'] ?? 0), 200)
  t.equal(arrived(quietLink), 10)
  t.ok(client.last('relay.pressure').dropped > 0)
  await peace()
})

t.test('a reader that takes nothing for half a minute is closed', async t => {
  const { lab, node, client, peace } = await town(t)
  const slow = await lab.enrolled('client', 'slow')
  const { link } = await routed(lab, slow, [node])
  const payload = Buffer.concat([numbered(0), Buffer.alloc(1_168)])
  lab.internet.deafen('slow')
  for (let second = 0; second < 35; second++) {
    for (let n = 0; n < 100; n++) node.say({ type: 'relay.data', link, payload })
    for (const agent of [slow, node, client]) if (second % 5 === 0) agent.say(agent.beat(second))
    await lab.clock.run(1_000)
  }
  t.match(lab.mesh.stats().denied, { slow_consumer: 1 })
  t.equal(lab.mesh.clients().find(({ id }) => id === 'slow')?.state, 'suspended')
  lab.internet.undeafen('slow')
  await lab.clock.run(100)
  t.equal(slow.closedWith, CLOSE.slowConsumer.code)
  const drops = lab.mesh.stats().relay.drops
  const arrived = slow.heard.filter(it => it.type === 'relay.data').length
  t.equal(arrived + sum(drops), 3_500, 'every packet arrived or was counted')
  await peace()
})

const sum = (drops: Readonly<Record<string, number>>): number =>
  Object.values(drops).reduce((all, one) => all + one, 0)
