/** Paths that leave the relay, as the coordinator sees it: ends that say exactly what a story makes them say. */
import t from 'tap'
import { numbered } from '../lab/hosts.js'
import { countOf, lastOf, pair, signalOf } from '../support/pair.js'

t.test(
  'each end hears where the other may be reached, and both are asked to try at the same moment',
  async t => {
    const { lab, node, client, link, shown } = await pair()
    t.match(shown(), { tier: 'relayed', via: 'websocket', reason: 'starting' })
    client.say(signalOf(client, link, 7))
    await lab.clock.run(100)
    t.match(lastOf(node, 'path.signal'), { link, revision: 7, candidates: ['srflx 198.51.100.1:4000'] })
    t.equal(lastOf(client, 'path.punch'), undefined, 'nobody is asked before both have spoken')
    node.say(signalOf(node, link, 3))
    await lab.clock.run(100)
    const asked = { link, attempt: 1, via: 'udp', tryForMs: 5_000, startInMs: 0 }
    const toClient = client.last('path.punch')
    const toNode = node.last('path.punch')
    t.match(toClient, { ...asked, controlling: true, candidates: ['srflx 198.51.100.2:4000'] })
    t.match(toNode, { ...asked, controlling: false, candidates: ['srflx 198.51.100.1:4000'] })
    t.same(toClient.key, toNode.key)
  },
)

t.test('a path is direct when both ends say so, and the relay still carries what comes by it', async t => {
  const { lab, node, client, link, signal, report, shown } = await pair()
  await signal()
  await report('direct', [client])
  t.match(shown(), { tier: 'relayed' }, 'one end alone proves nothing')
  await report('direct', [node])
  t.match(shown(), { tier: 'direct', via: 'udp', reason: null })
  for (const end of [client, node]) t.strictSame(lastOf(end, 'path.settled'), settled(link, 'direct', 'udp'))
  client.say({ type: 'relay.data', link, payload: numbered(1) })
  await lab.clock.run(100)
  t.equal(countOf(node, 'relay.data'), 1)
})

t.test('a path is turned when an end needs a TURN server, and direct when both do without later', async t => {
  const { client, node, signal, report, shown } = await pair()
  await signal()
  await report('turned', [client])
  await report('direct', [node])
  t.match(shown(), { tier: 'turned', via: 'udp', reason: 'punch_timeout' })
  await report('direct', [client])
  t.match(shown(), { tier: 'direct', via: 'udp' })
})

t.test(
  'when one end fails both are told that the relay carries, and the next attempt is another',
  async t => {
    const { lab, client, node, signal, report, shown } = await pair()
    await signal()
    await report('direct', [client])
    await report('failed', [node], { cause: 'no_answer' })
    for (const end of [client, node])
      t.match(lastOf(end, 'path.settled'), { tier: 'relayed', reason: 'punch_timeout' })
    t.match(shown(), { tier: 'relayed', reason: 'punch_timeout' })
    const { key } = client.last('path.punch')
    await lab.live([client, node], 6_000)
    t.match(client.last('path.punch'), { attempt: 2 })
    t.notSame(client.last('path.punch').key, key)
  },
)

t.test('an end that says nothing in time has failed', async t => {
  const { lab, client, node, signal, report } = await pair()
  await signal()
  await report('direct', [client])
  await lab.live([client, node], 7_000)
  t.match(lastOf(client, 'path.settled'), { tier: 'relayed', reason: 'punch_timeout' })
  // Its word comes too late: the other end is on the relay.
  node.forget()
  await report('direct', [node], { attempt: 1 })
  t.match(lastOf(node, 'path.settled'), { tier: 'relayed' })
})

t.test('the loss of one end is told to the other at once', async t => {
  const { client, node, signal, report, shown } = await pair()
  await signal()
  await report('direct')
  client.forget()
  await report('lost', [node], { cause: 'silent' })
  t.match(lastOf(client, 'path.settled'), { tier: 'relayed', via: 'websocket', reason: 'direct_lost' })
  t.match(shown(), { tier: 'relayed', reason: 'direct_lost' })
})

t.test(
  'a new revision is handed on, an old one is not, and an end that comes back hears the newest',
  async t => {
    const { lab, client, node, link, signal } = await pair()
    await signal(5)
    const { ticket } = node.last('registered')
    node.forget()
    client.say({ ...signalOf(client, link, 4), candidates: [] })
    client.say(signalOf(client, link, 5))
    await lab.clock.run(100)
    t.equal(countOf(node, 'path.signal'), 0)
    client.say({ ...signalOf(client, link, 6), candidates: ['host 192.0.2.9:1'] })
    await lab.clock.run(100)
    t.match(lastOf(node, 'path.signal'), { revision: 6, candidates: ['host 192.0.2.9:1'] })
    lab.internet.drop('fra-1')
    const back = await lab.raw('node', 'fra-1', node.keys)
    back.say({ type: 'resume', ticket })
    await lab.clock.run(100)
    t.match(lastOf(back, 'path.signal'), { link, revision: 6 })
  },
)

const settled = (link: number, tier: string, via: string) => ({ type: 'path.settled', link, tier, via })
