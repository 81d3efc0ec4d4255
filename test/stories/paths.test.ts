/** Paths that leave the relay, as the coordinator sees it: ends that say exactly what a story makes them say. */
import t from 'tap'
import { readPolicyRules } from '../../src/mesh/path-policy.js'
import type { WireOf } from '../../src/protocol/messages.js'
import { numbered } from '../lab/hosts.js'
import { Lab } from '../lab/lab.js'
import { countOf, lastOf, pair, signalOf } from '../support/pair.js'
import type { RawAgent } from '../support/raw-agent.js'
import { dialling } from '../support/town.js'

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

t.test('relay-only shows no address and asks nobody to try', async t => {
  const { client, node, signal, shown } = await pair({ client: { policy: 'relay-only' } })
  t.match(client.last('path.open'), { policy: 'relay-only' })
  t.match(node.last('path.open'), { policy: 'relay-only' })
  await signal()
  for (const end of [client, node]) {
    t.equal(countOf(end, 'path.signal'), 0)
    t.equal(countOf(end, 'path.punch'), 0)
  }
  t.match(shown(), { tier: 'relayed', reason: 'policy_relay_only' })
})

t.test('a direct-only path carries nothing until it is direct, and nothing by way of others', async t => {
  const { lab, client, node, link, report, shown } = await pair({
    pathPolicy: readPolicyRules('node:fra-1=direct-only'),
  })
  t.match(shown(), { tier: 'waiting', via: null, reason: 'policy_direct_only' })
  t.match(lastOf(client, 'path.settled'), { tier: 'waiting', reason: 'policy_direct_only' })
  client.say({ type: 'relay.data', link, payload: numbered(1) })
  const said = signalOf(client, link, 1)
  client.say({ ...said, candidates: [...said.candidates, 'relay 203.0.113.1:49152'] })
  node.say(signalOf(node, link, 1))
  await lab.clock.run(1_100)
  t.equal(countOf(node, 'relay.data'), 0)
  t.same(node.last('path.punch').candidates, said.candidates, 'without the address of a TURN server')
  t.same(node.last('path.signal').candidates, said.candidates)
  await report('turned')
  t.match(shown(), { tier: 'waiting' }, 'a TURN server is a way of others, too')
  await lab.live([client, node], 6_000)
  await report('direct')
  t.match(shown(), { tier: 'direct', via: 'udp' })
  await report('lost', [client])
  t.match(lastOf(node, 'path.settled'), { tier: 'waiting' })
  client.say({ type: 'relay.data', link, payload: numbered(1) })
  await lab.clock.run(100)
  t.equal(countOf(node, 'relay.data'), 0)
})

t.test('an end that wants the relay only is not joined to one that never wants it', async t => {
  const lab = await Lab.start({ pathPolicy: readPolicyRules('tag:office=direct-only') })
  await lab.enrolled('node', 'fra-1', { policy: 'relay-only' })
  const client = await lab.enrolled('client', 'alice', { tags: ['office'] })
  client.say({ type: 'route.request', requestId: 1, target: 'fra-1' })
  await lab.clock.run(100)
  t.match(client.last('route.refused'), {
    code: 'no_candidate',
    unmet: ['a path policy that goes with direct-only: ruled out 1 of 1'],
  })
})

t.test('an agent that comes back with another policy moves its path', async t => {
  const { lab, client, node, link, signal, report, shown } = await pair()
  await signal()
  await report('direct')
  const back = await lab.raw('client', 'alice', client.keys)
  back.say(back.hello({ can: ['udp'], policy: 'relay-only' }))
  await lab.clock.run(100)
  t.match(node.last('path.open'), { link, policy: 'relay-only' })
  t.match(lastOf(node, 'path.settled'), { tier: 'relayed', reason: 'policy_relay_only' })
  t.match(shown(), { tier: 'relayed', reason: 'policy_relay_only' })
  const again = await lab.raw('client', 'alice', client.keys)
  again.say(again.hello({ can: ['udp'] }))
  await lab.clock.run(100)
  t.match(again.last('path.signal'), { link, revision: 1 }, 'what was held back may be known now')
  for (const end of [again, node]) end.say({ type: 'path.ready', link })
  await lab.clock.run(1_000)
  t.match(again.last('path.punch'), { attempt: 2 })
})

t.test('an agent that comes back with a policy that contradicts the other end’s loses the route', async t => {
  const { lab, client } = await pair({ node: { policy: 'relay-only' } })
  const back = await lab.raw('client', 'alice', client.keys)
  back.say(back.hello({ can: ['udp'], policy: 'direct-only' }))
  await lab.clock.run(100)
  t.match(back.last('route.refused'), {
    requestId: 0,
    reason: 'one end wants the relay only, the other never, and no other node meets the request',
  })
  t.same(lab.mesh.routes(), [])
})

t.test('failures rest longer each time, and a new address starts anew', async t => {
  const { lab, client, node, link, signal, report } = await pair()
  await signal()
  const begun: number[] = []
  for (let attempt = 1; attempt <= 5; attempt++) {
    while (lastOf(client, 'path.punch')?.attempt !== attempt) await lab.live([client, node], 500)
    begun.push(lab.clock.now())
    await report('failed')
  }
  const rests = begun.slice(1).map((at, i) => at - (begun[i] as number))
  t.ok(
    rests.every((ms, i) => i === 0 || ms > (rests[i - 1] as number)),
    `rested ${rests.join(', ')} ms`,
  )
  await lab.live([client, node], 5_000)
  t.equal(lastOf(client, 'path.punch')?.attempt, 5, 'it still rests')
  client.say({
    ...signalOf(client, link, 2),
    candidates: ['srflx 198.51.100.1:4001', 'relay 203.0.113.1:50000'],
  })
  await lab.clock.run(1_000)
  t.equal(lastOf(client, 'path.punch')?.attempt, 5, 'another port, or a TURN server, is no new chance')
  client.say({ ...signalOf(client, link, 3), candidates: ['srflx 192.0.2.77:4001'] })
  await lab.clock.run(100)
  t.equal(lastOf(client, 'path.punch')?.attempt, 6)
})

t.test('a flood of addresses costs the other end a few words, and no attempt without end', async t => {
  const { lab, client, node, link, signal } = await pair({ limits: { controlPerSecond: 1_000 } })
  await signal()
  node.forget()
  for (let revision = 2; revision < 302; revision++) {
    const candidates = [`srflx 192.0.${revision >> 8}.${revision & 255}:4000`]
    client.say({ ...signalOf(client, link, revision), candidates })
    if (lastOf(client, 'path.punch') !== undefined)
      client.say(failed(link, client.last('path.punch').attempt))
    await lab.clock.run(20)
  }
  await lab.clock.run(200)
  t.equal(lastOf(node, 'path.signal')?.revision, 301, 'the last word arrives')
  t.ok(countOf(node, 'path.signal') <= 65, `${countOf(node, 'path.signal')} of 300`)
  t.ok(countOf(node, 'path.punch') <= 8, `${countOf(node, 'path.punch')} attempts`)
  t.equal(client.closedWith, null)
})

t.test('words about attempts that never were, or on links of others, are nobody else’s business', async t => {
  const { lab, client, node, link, signal, report, shown } = await pair()
  await signal()
  await report('direct')
  const mallory = await lab.enrolled('client', 'mallory', { can: ['udp'] })
  const lie = signalOf(mallory, link, 99)
  for (const agent of [client, node, mallory]) agent.forget()
  for (let attempt = 2; attempt < 30; attempt++) client.say(direct(link, attempt))
  mallory.say(direct(link, 1), failed(link, 1), lie, { type: 'path.ready', link })
  await lab.clock.run(1_000)
  t.same(node.names(), [])
  t.same(mallory.names(), [])
  t.match(lastOf(client, 'path.settled'), { tier: 'direct' })
  t.match(shown(), { tier: 'direct' })
})

t.test('an agent that comes back from elsewhere starts anew', async t => {
  const { lab, client, node, link, signal, report } = await pair()
  await signal()
  for (let attempt = 1; attempt <= 4; attempt++) {
    while (lastOf(client, 'path.punch')?.attempt !== attempt) await lab.live([client, node], 500)
    await report('failed')
  }
  const elsewhere = dialling(lab, 'café', 'alice', client.keys)
  await lab.clock.run(100)
  elsewhere.say({ type: 'resume', ticket: client.last('registered').ticket })
  await lab.clock.run(100)
  elsewhere.say({ type: 'path.ready', link }, signalOf(elsewhere, link, 1))
  await lab.clock.run(1_100)
  t.match(lastOf(elsewhere, 'path.punch'), { attempt: 5 })
})

t.test('a turned path goes on trying for a direct one, and keeps what it has meanwhile', async t => {
  const { lab, client, node, signal, report, shown } = await pair({ turn: true })
  await signal()
  await report('turned')
  while (lastOf(client, 'path.punch')?.attempt !== 2) await lab.live([client, node], 500)
  await report('failed', [client])
  t.match(shown(), { tier: 'turned', reason: 'punch_timeout' })
  t.match(lastOf(node, 'path.settled'), { tier: 'turned' })
  while (lastOf(client, 'path.punch')?.attempt !== 3) await lab.live([client, node], 500)
  await report('direct')
  t.match(shown(), { tier: 'direct' })
})

t.test('a path stays direct while its ends come back one after the other', async t => {
  const { lab, client, node, link, signal, report, shown } = await pair()
  await signal()
  await report('direct')
  for (const [role, agent] of [
    ['node', node],
    ['client', client],
  ] as const) {
    const { ticket } = agent.last('registered')
    lab.internet.drop(agent.hello().id)
    await lab.clock.run(100)
    const back = await lab.raw(role, agent.hello().id, agent.keys)
    back.say({ type: 'resume', ticket })
    await lab.clock.run(100)
    back.say(direct(link, 1), { type: 'path.ready', link })
    await lab.clock.run(100)
    t.match(lastOf(back, 'path.settled'), { tier: 'direct', via: 'udp' })
    t.match(shown(), { tier: 'direct' })
  }
})

t.test('an end that comes back without what it had won is on the relay, and so is the other', async t => {
  const { lab, client, node, link, signal, report, shown } = await pair()
  await signal()
  await report('direct')
  client.forget()
  const back = await lab.raw('node', 'fra-1', node.keys)
  back.say(back.hello({ can: ['udp'] }))
  await lab.clock.run(100)
  t.match(shown(), { tier: 'direct' }, 'nothing is known yet')
  back.say({ type: 'path.ready', link })
  await lab.clock.run(100)
  t.match(lastOf(client, 'path.settled'), { tier: 'relayed', reason: 'direct_lost' })
  t.match(lastOf(back, 'path.settled'), { tier: 'relayed' })
})

t.test('the tier survives a restart of the coordinator when both ends repeat it', async t => {
  const { lab, client, node, link, signal, report, shown } = await pair()
  await signal()
  await report('direct')
  const backs = await restarted(lab, [client, node])
  t.match(shown(), { tier: 'relayed', reason: 'peer_away' }, 'nobody has said anything yet')
  const [alice, fra] = backs
  alice.say(direct(link, 1), { type: 'path.ready', link })
  await lab.clock.run(100)
  t.equal(lastOf(alice, 'path.settled'), undefined, 'it is left as it is')
  await lab.clock.run(2_000)
  t.equal(lastOf(alice, 'path.punch'), undefined)
  fra.say(direct(link, 1), { type: 'path.ready', link })
  await lab.clock.run(100)
  for (const end of backs) t.match(lastOf(end, 'path.settled'), { tier: 'direct', via: 'udp' })
  t.match(shown(), { tier: 'direct', via: 'udp', reason: null })
})

t.test('a tier that only one end claims after a restart is given up, whoever speaks first', async t => {
  for (const first of [0, 1]) {
    const { lab, client, node, link, signal, report, shown } = await pair()
    await signal()
    await report('direct')
    const backs = await restarted(lab, [client, node])
    const words = [
      () => backs[0].say(direct(link, 1), { type: 'path.ready', link }, signalOf(backs[0], link, 1)),
      () => backs[1].say({ type: 'path.ready', link }, signalOf(backs[1], link, 9)),
    ]
    words[first]?.()
    await lab.clock.run(100)
    words[1 - first]?.()
    await lab.clock.run(100)
    for (const end of backs) t.match(lastOf(end, 'path.settled'), { tier: 'relayed' })
    t.match(shown(), { tier: 'relayed' })
    await lab.live(backs, 6_000)
    t.match(lastOf(backs[0], 'path.punch'), { attempt: 2 }, 'and is tried for again')
  }
})

t.test(
  'two ends that can ICE only are asked by ICE, and what they trade meanwhile starts nothing',
  async t => {
    const { lab, client, node, link, report, shown } = await pair({
      client: { can: ['ice'] },
      node: { can: ['udp', 'ice'] },
    })
    for (const end of [client, node]) end.say({ type: 'path.signal', link, revision: 1, candidates: [] })
    await lab.clock.run(1_100)
    t.match(lastOf(client, 'path.punch'), { attempt: 1, via: 'ice', controlling: true })
    for (let revision = 2; revision < 5; revision++) {
      client.say({ type: 'path.signal', link, revision, candidates: [], ice: Buffer.from(`v=0 ${revision}`) })
      await lab.clock.run(150)
      t.same(Buffer.from(lastOf(node, 'path.signal')?.ice ?? []).toString(), `v=0 ${revision}`)
    }
    await report('turned', [client, node], { via: 'ice' })
    t.match(shown(), { tier: 'turned', via: 'ice' })
    await report('direct', [client, node], { via: 'ice' })
    t.match(shown(), { tier: 'direct', via: 'ice', reason: null })
    t.equal(countOf(client, 'path.punch'), 1)
  },
)

/** Restarts the coordinator; both agents have resumed, and say nothing more. */
async function restarted(lab: Lab, agents: readonly [RawAgent, RawAgent]): Promise<[RawAgent, RawAgent]> {
  await lab.clock.run(1_000)
  lab.crash()
  await lab.boot()
  const resumed = async (agent: RawAgent) => {
    const { role, id } = agent.hello()
    const back = await lab.raw(role, id, agent.keys)
    back.say({ type: 'resume', ticket: agent.last('registered').ticket })
    await lab.clock.run(100)
    return back
  }
  return [await resumed(agents[0]), await resumed(agents[1])]
}

const failed = (link: number, attempt: number) => ({ ...direct(link, attempt), outcome: 'failed' as const })

const direct = (link: number, attempt: number): WireOf<'path.attempt'> => ({
  type: 'path.attempt',
  link,
  attempt,
  via: 'udp',
  outcome: 'direct',
  tried: [],
})

const settled = (link: number, tier: string, via: string) => ({ type: 'path.settled', link, tier, via })
