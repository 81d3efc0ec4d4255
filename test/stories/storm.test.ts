/** Everybody at once: what a storm of returning agents looks like to those in it, and to those who stayed. */
import { createHash } from 'node:crypto'
import t from 'tap'
import type { Change, Identity, LinkId, Role } from '../../src/actors/ports.js'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { decodeAll, encode } from '../../src/protocol/codec.js'
import { SENT } from '../../src/protocol/sent.js'
import { ClientHost, NodeHost } from '../lab/hosts.js'
import { CREDENTIAL, Lab } from '../lab/lab.js'
import type { RawAgent } from '../support/raw-agent.js'
import { town } from '../support/town.js'
import { UNKNOWN_PROFILE } from '../support/unknown-profile.js'

t.test('3,000 sessions that return at once are back in their slots, none refused twice', async t => {
  const lab = new Lab({ limits: { greetingTotal: 100_000 } })
  await lab.store.write(Array.from({ length: 3_000 }, (_, n) => suspended(n)).flat())
  await lab.boot()
  const refusals: number[] = []
  const backMs: number[] = []
  const codes = new Set<string>()
  const closes = new Set<number>()
  const beganMs = lab.clock.now()
  const come = (n: number, refused: number) => {
    const connection = lab.mesh.intake.opened({
      remote: `10.0.${n >> 8}.${n & 255}`,
      buffered: () => 0,
      close: code => {
        closes.add(code)
        connection.closed(code)
      },
      send: bytes => {
        for (const event of decodeAll(bytes)) {
          if (event.type === 'resumed') backMs.push(lab.clock.now() - beganMs)
          if (event.type !== 'refused') continue
          codes.add(event.code)
          refusals[n] = refused + 1
          lab.clock.setTimeout(() => come(n, refused + 1), (event.retryAfterMs ?? 0) + 5)
        }
        return SENT.ok
      },
    })
    connection.received(encode({ type: 'resume', ticket: ticketOf(n) }))
  }
  for (let n = 0; n < 3_000; n++) come(n, 0)
  lab.clock.advance(50)
  t.ok(backMs.length <= 64 + 50 * 2 + 1, `${backMs.length} were back at once`)
  t.equal(lab.mesh.stats().admissions.waiting.client, 3_000 - backMs.length)
  lab.clock.advance(2_500)
  t.equal(backMs.length, 3_000)
  t.same([[...codes], [...closes]], [['overloaded'], [CLOSE.tryLater.code]])
  t.equal(
    refusals.filter(times => times > 1).length,
    0,
    'whoever was told when to come was let in when it came',
  )
  t.match(lab.mesh.stats(), {
    admissions: { admitted: { resume: 3_000 }, waiting: { client: 0 } },
    denied: { overloaded: refusals.filter(times => times > 0).length },
    faults: 0,
  })
})

t.test('a session that was told to wait is not given up meanwhile', async t => {
  const lab = new Lab({ timing: { resumeWindowMs: 2_000 }, admission: { perSecond: 1, burst: 1 } })
  await lab.store.write(Array.from({ length: 6 }, (_, n) => suspended(n)).flat())
  await lab.boot()
  const agents = Array.from({ length: 6 }, (_, n) => lab.raw('client', `c${n}`))
  for (const [n, agent] of (await Promise.all(agents)).entries())
    agent.say({ type: 'resume', ticket: ticketOf(n) })
  await lab.clock.run(100)
  const last = (await agents[5]) as RawAgent // six came
  const waitMs = last.last('refused').retryAfterMs ?? 0
  t.ok(waitMs > 3_000, `${waitMs} ms, longer than its window`)
  await lab.clock.run(waitMs)
  last.connect()
  await lab.clock.run(100)
  last.say({ type: 'resume', ticket: ticketOf(5) })
  await lab.clock.run(100)
  t.match(last.last('resumed'), { generation: 2 })
})

t.test('agents come back in their slots after a crash, nodes before clients, and packets flow', async t => {
  const lab = await Lab.start({ admission: { perSecond: 50, burst: 4 } })
  const node = new NodeHost(lab, 'fra-1')
  const clients = Array.from({ length: 50 }, (_, n) => new ClientHost(lab, `c${n}`))
  for (const host of [node, ...clients]) host.boot()
  await lab.clock.run(8_000)
  t.ok(clients.every(({ agent }) => agent.status().state === 'online'))
  await clients[0]?.routed()
  lab.crash()
  await lab.boot()
  const atMs = lab.clock.now()
  await lab.clock.run(8_000)
  const [nodeBack] = node.since(atMs, 'online')
  const clientsBack = clients.flatMap(client => client.since(atMs, 'online'))
  t.match([nodeBack, ...clientsBack], Array(51).fill({ event: { resumed: true } }))
  t.ok((nodeBack?.atMs ?? Number.POSITIVE_INFINITY) - atMs < 2_000)
  t.ok(Math.max(...clientsBack.map(it => it.atMs)) - atMs < 5_000, 'fifty at fifty a second')
  clients[0]?.ping()
  await lab.clock.run(100)
  t.equal(clients[0]?.echoes.length, 1)
})

t.test('a node with more links than a burst of messages answers for all of them when it returns', async t => {
  const lab = new Lab()
  const links = Array.from({ length: 1_000 }, (_, n) => 0x1_0000 + n)
  await lab.store.write([
    ...suspended(0, 'node'),
    ...links.flatMap((link, n) => [...suspended(n + 1), routed(n + 1, link)]),
  ])
  await lab.boot()
  const node = await lab.raw('node', 'node')
  node.say({ type: 'resume', ticket: ticketOf(0) })
  await lab.clock.run(100)
  t.equal(node.heard.filter(({ type }) => type === 'path.open').length, 1_000)
  for (const link of links) node.say({ type: 'path.ready', link })
  for (let beat = 0; beat < 6; beat++) {
    node.say(node.beat())
    // A third of them with each heartbeat, as agents do.
    for (const link of links)
      if (link % 3 === beat % 3) node.say({ type: 'path.report', link, sentBytes: beat, receivedBytes: beat })
    await lab.clock.run(10_000)
  }
  t.equal(node.closedWith, null)
  t.same(lab.mesh.stats().denied, {})
})

t.test('when all sockets break together, no route moves to the nodes that are back first', async t => {
  const lab = await Lab.start({ admission: { perSecond: 16, burst: 2 } })
  const nodes = Array.from({ length: 12 }, (_, n) => new NodeHost(lab, `node-${n}`))
  const clients = Array.from({ length: 12 }, (_, n) => new ClientHost(lab, `c${n}`))
  for (const host of [...nodes, ...clients]) host.boot()
  await lab.clock.run(10_000)
  for (const client of clients) await client.routed()
  const before = lab.mesh.routes().map(({ clientId, nodeId, link }) => [clientId, nodeId, link])
  for (const host of [...nodes, ...clients]) lab.internet.drop(host.name)
  await lab.clock.run(12_000)
  t.ok(lab.mesh.nodes().every(({ state }) => state === 'online'))
  t.same(
    lab.mesh.routes().map(({ clientId, nodeId, link }) => [clientId, nodeId, link]),
    before,
  )
  t.equal(lab.mesh.stats().routes.switched, 0)
  for (const client of clients) client.ping()
  await lab.clock.run(100)
  t.ok(clients.every(({ echoes }) => echoes.length === 1))

  nodes[0]?.crash()
  await lab.clock.run(10_000)
  t.notOk(
    lab.mesh.routes().some(({ nodeId }) => nodeId === 'node-0'),
    'one that dies alone is left as ever',
  )
})

t.test('strangers who flood the door hold up nobody who has a ticket, and cost no proof', async t => {
  const { lab, client, peace } = await town(t, { admission: { perSecond: 20, burst: 8 } })
  const strangers = await Promise.all(Array.from({ length: 40 }, (_, n) => lab.raw('node', `stranger-${n}`)))
  for (const stranger of strangers)
    stranger.say({ ...stranger.hello(), proof: new Uint8Array(32), credential: CREDENTIAL })
  await lab.clock.run(50)
  const answers = strangers.map(stranger => stranger.last('refused').code)
  const checked = answers.filter(code => code === 'proof_failed').length
  t.ok(checked <= 4, `${checked} proofs were looked at`)
  t.equal(answers.filter(code => code === 'overloaded').length, 40 - checked)

  const { ticket } = client.last('registered')
  lab.internet.drop('alice')
  const back = await lab.raw('client', 'alice', client.keys)
  back.say({ type: 'resume', ticket })
  await lab.clock.run(50)
  t.match(back.last('resumed'), { generation: 2 })
  back.say({ type: 'path.ready', link: back.last('path.open').link })
  await peace(back)
})

function ticketOf(n: number): Uint8Array {
  return createHash('sha256').update(`ticket ${n}`).digest()
}

/** Returns an agent that waits for its socket, as a store finds it. */
function suspended(n: number, role: Role = 'client'): Change[] {
  const identity: Identity = {
    id: role === 'node' ? 'node' : `c${n}`,
    role,
    publicKey: createHash('sha256').update(`key ${n}`).digest(),
    overlay4: `10.77.${(n + 256) >> 8}.${n & 255}`,
    overlay6: `fd77:626f:736f:6e00::${(n + 256).toString(16)}`,
    generation: 1,
    profile: { ...UNKNOWN_PROFILE, agent: 'storm' },
    createdAtMs: 0,
    revokedAtMs: null,
  }
  const session = {
    sessionId: `s${n}`,
    identityId: identity.id,
    generation: 1,
    ticketHash: createHash('sha256').update(ticketOf(n)).digest(),
    state: 'suspended',
    startedAtMs: 0,
    changedAtMs: 0,
  } as const
  return [
    { kind: 'identity', key: identity.id, value: identity },
    { kind: 'session', key: session.sessionId, value: session },
  ]
}

/** Returns the route of a client to the node, as a store finds it. */
function routed(n: number, link: LinkId): Change {
  const value = {
    routeId: `r${n}`,
    link,
    clientId: `c${n}`,
    nodeId: 'node',
    request: {},
    explanation: { considered: 1, qualified: 1, excluded: {}, compared: [] },
    state: 'active',
    assignedAtMs: 0,
    endedAtMs: null,
    cause: null,
  } as const
  return { kind: 'route', key: value.routeId, value }
}
