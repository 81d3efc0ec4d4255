import t from 'tap'
import { whyPage } from '../../src/app/commands/why.js'
import type { WhyView } from '../../src/actors/ports.js'
import type { Lab } from '../lab/lab.js'
import { Pair } from '../lab/pair.js'
import { pair } from '../support/pair.js'
import { routed, town } from '../support/town.js'

/** What `ping` of a host in the lab sends, bytes. */
const PING_BYTES = 32

async function why(lab: Lab, a: string, b: string): Promise<WhyView> {
  const answer = await lab.mesh.why(a, b)
  if ('unknown' in answer) throw new Error(`${answer.unknown.join()} is not known`)
  return answer
}

t.test('whoever asks why a pair is relayed hears a reason, whichever end is named first', async t => {
  const { lab, link } = await town(t)
  const answer = await why(lab, 'alice', 'fra-1')
  t.match(answer, {
    complete: true,
    words: /^alice and fra-1: relayed, because .+; .+/,
    paths: [
      {
        link,
        clientId: 'alice',
        nodeId: 'fra-1',
        tier: 'relayed',
        via: 'websocket',
        ends: { client: { id: 'alice', state: 'online' }, node: { id: 'fra-1', state: 'online' } },
        history: [{ tier: 'opening' }],
      },
    ],
  })
  t.same(await why(lab, 'fra-1', 'alice'), answer)
  t.match(lab.mesh.path(link), answer.paths[0])
})

t.test('an id that nobody has, and a pair that never had a path, are told apart', async t => {
  const { lab } = await town(t)
  await lab.enrolled('node', 'ams-1')
  await lab.enrolled('client', 'bob')
  t.same(await lab.mesh.why('alice', 'nobody'), { unknown: ['nobody'] })
  t.same(await lab.mesh.why('x', 'y'), { unknown: ['x', 'y'] })
  t.match(await why(lab, 'ams-1', 'alice'), {
    paths: [],
    words:
      'no path between alice and ams-1 is known: alice gets one when it asks for a route and ams-1 is chosen',
  })
  t.match((await why(lab, 'alice', 'bob')).words, 'both clients: paths lead from a client to a node')
})

t.test('bytes go on over a restart of the coordinator, and over one of an agent', async t => {
  const { lab, node, client, link } = await town(t)
  const report = (agent: typeof client, sentBytes: number) =>
    agent.say({ type: 'path.report', link, sentBytes, receivedBytes: 0, rttMs: 41 })
  const carried = async () => (await why(lab, 'alice', 'fra-1')).paths[0]?.bytes.toNode.relayed
  report(client, 5_000)
  await lab.clock.run(100)
  t.equal(await carried(), 5_000)
  t.match((await why(lab, 'alice', 'fra-1')).paths, [{ rttMs: 41 }])

  await lab.restart()
  const back = await lab.raw('client', 'alice', client.keys)
  back.say({ type: 'resume', ticket: client.last('registered').ticket })
  const nodeBack = await lab.raw('node', 'fra-1', node.keys)
  nodeBack.say({ type: 'resume', ticket: node.last('registered').ticket })
  await lab.clock.run(100)
  t.equal(await carried(), 5_000, 'the coordinator has not forgotten')
  report(back, 6_000)
  await lab.clock.run(100)
  t.equal(await carried(), 6_000, 'nor does it count anything twice')

  const anew = await lab.raw('client', 'alice', client.keys)
  anew.say(anew.hello())
  await lab.clock.run(100)
  anew.say({ type: 'path.ready', link })
  report(anew, 70)
  await lab.clock.run(100)
  t.equal(await carried(), 6_070)
})

t.test('a path that has ended is still told of, also after a restart', async t => {
  const { lab, node, client } = await town(t)
  client.say({ type: 'route.release', routeId: client.last('route.assigned').routeId })
  await lab.clock.run(1_000)
  t.match(await why(lab, 'alice', 'fra-1'), {
    words: /^alice and fra-1 have no path now: the last one was closed, /,
    paths: [{ tier: 'closed', closedAtMs: Number, history: [{ tier: 'opening' }, { tier: 'relayed' }] }],
  })
  lab.crash()
  await lab.boot()
  const back = await lab.raw('client', 'alice', client.keys)
  back.say(back.hello())
  const nodeBack = await lab.raw('node', 'fra-1', node.keys)
  nodeBack.say(nodeBack.hello())
  await lab.clock.run(100)
  await routed(lab, back, [nodeBack])
  t.match((await why(lab, 'alice', 'fra-1')).paths, [{ tier: 'relayed' }, { tier: 'closed' }])
})

t.test('while the database is away the answer comes from memory, and says so', async t => {
  const { lab } = await town(t)
  lab.store.pathsBetween = () =>
    Promise.reject(Object.assign(new Error('away'), { code: 'STORE_UNAVAILABLE' }))
  t.match(await why(lab, 'alice', 'fra-1'), { complete: false, paths: [{ tier: 'relayed' }] })
  await lab.enrolled('node', 'ams-1')
  t.match((await why(lab, 'alice', 'ams-1')).words, 'the database, which may know of one, is away')
})

t.test('paths are listed by what is wanted of them, a page at a time', async t => {
  const { lab, node, link } = await town(t)
  const bob = await lab.enrolled('client', 'bob')
  const { link: second } = await routed(lab, bob, [node])
  t.match(lab.mesh.paths(), { total: 2, next: null, paths: [{ link }, { link: second }] })
  t.match(lab.mesh.paths({ limit: 1 }), { total: 2, next: link, paths: [{ link }] })
  t.match(lab.mesh.paths({ limit: 1, after: link }), { total: 2, next: null, paths: [{ link: second }] })
  t.match(lab.mesh.paths({ clientId: 'bob', tier: 'relayed' }), { total: 1, paths: [{ clientId: 'bob' }] })
  t.match(lab.mesh.paths({ tier: 'direct' }), { total: 0, paths: [], next: null })
  t.match(lab.mesh.stats().paths.live, [{ tier: 'relayed', count: 2 }])
})

t.test('a path that left the relay goes on over a restart, with everything it has been through', async t => {
  const { lab, client, node, link, signal, report } = await pair()
  await signal()
  await report('direct', [client, node], {
    local: 'host 192.168.1.4:4000',
    remote: 'srflx 198.51.100.2:4000',
    rttMs: 12,
    tried: ['host 192.168.1.4:4000 → srflx 198.51.100.2:4000: 12 ms'],
  })
  await lab.live([client, node], 60_000)
  const before = await why(lab, 'alice', 'fra-1')
  t.match(before, {
    words: 'alice and fra-1 talk directly, by udp',
    paths: [
      {
        tier: 'direct',
        via: 'udp',
        reason: null,
        ends: { client: { candidates: ['srflx 198.51.100.1:4000'] } },
        attempts: [{ attempt: 1, client: { outcome: 'direct', rttMs: 12 }, node: { outcome: 'direct' } }],
        history: [{ tier: 'opening' }, { tier: 'relayed', via: 'websocket', reason: 'starting' }],
      },
    ],
  })

  await lab.restart()
  const backs = []
  for (const [role, agent] of [
    ['client', client],
    ['node', node],
  ] as const) {
    const back = await lab.raw(role, agent.hello().id, agent.keys)
    back.say({ type: 'resume', ticket: agent.last('registered').ticket })
    backs.push(back)
  }
  await lab.clock.run(100)
  for (const back of backs) {
    back.say({ type: 'path.attempt', link, attempt: 1, via: 'udp', outcome: 'direct', tried: [] })
    back.say({ type: 'path.ready', link })
  }
  await lab.clock.run(100)
  const [after] = (await why(lab, 'alice', 'fra-1')).paths
  t.match(after, { pathId: before.paths[0]?.pathId, tier: 'direct', via: 'udp' })
  t.same(
    after?.history.map(({ tier }) => tier),
    ['opening', 'relayed', 'direct', 'relayed'],
  )
  t.match(after?.attempts, [{ attempt: 1, client: { local: 'host 192.168.1.4:4000', rttMs: 12 } }])
})

t.test(
  'two phones behind symmetric NATs are told what would help, and what was found out about each',
  async t => {
    const phone = { nat: ['sym'] } as const
    const { lab } = await Pair.met({ client: phone, node: phone, turn: false })
    await lab.clock.run(20_000)
    const answer = await why(lab, 'anna', 'bert')
    t.equal(
      answer.words,
      'anna and bert: relayed, because both NATs map per destination; open UDP 51820 on one side and start its agent with --port 51820, or give both sides IPv6',
    )
    const nat = { mapping: 'address_and_port_dependent' }
    t.match(answer.paths[0]?.ends, { client: { nat }, node: { nat } })
    t.match(whyPage(answer), /^anna +online +maps per destination, lets in ports it sent to/m)
  },
)

t.test(
  'a direct path that is cut leaves its story behind: the pair, the round trip, the bytes, the loss',
  async t => {
    const home = { nat: ['port'] } as const
    const pair = await Pair.met({ client: home, node: home, turn: false })
    const { lab } = pair
    await pair.until('direct')
    await pair.talk(60_000)
    lab.internet.udp.cut('anna', 'bert')
    await pair.until('relayed', 2_000)
    await pair.talk(60_000, 200)
    const answer = await why(lab, 'anna', 'bert')
    const [path] = answer.paths
    t.match(path?.history.slice(0, 3), [
      { tier: 'opening' },
      { tier: 'relayed', via: 'websocket' },
      { tier: 'direct', via: 'udp', reason: null },
    ])
    t.match(path?.attempts[0], {
      via: 'udp',
      client: { outcome: 'direct', local: String, remote: String, rttMs: Number, lost: { cause: 'silent' } },
    })
    t.ok((path?.attempts.length ?? 0) > 1, 'and it was tried again')
    t.match(path?.attempts.at(-1)?.client, { outcome: 'failed' })
    const { toNode, toClient } = path?.bytes ?? {}
    t.ok(toNode && toNode.direct > 5 * toNode.relayed && toNode.relayed > 0)
    const sent = pair.client.pings.length * PING_BYTES
    const known = toNode ? toNode.direct + toNode.relayed : 0
    // While the direct way is in doubt, packets go both ways.
    t.ok(known > 0.8 * sent && known < 1.05 * sent, `${known} of ${sent} B, as far as it was reported`)
    t.ok(toClient && toClient.direct > 0)
    t.match(answer.words, /^anna and bert: relayed, because .*; /)
    const { attempts, bytes, live } = lab.mesh.stats().paths
    t.match(attempts.udp, { direct: 1, lost: 1 })
    t.ok(attempts.udp.failed > 0)
    t.ok(bytes.direct > bytes.relayed)
    t.match(live, [{ tier: 'relayed', count: 1 }])
  },
)
