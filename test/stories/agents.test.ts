import t, { type Test } from 'tap'
import { ClientHost, clientOn, NodeHost, nodeOn } from '../lab/hosts.js'
import { HOST, Lab } from '../lab/lab.js'

/** How long the net stays silent in these stories: either side has noticed, and has tried again in vain. */
const LONG_CUT_MS = 40_000

t.test('a tunnel’s packets flow both ways', async t => {
  const { lab, client, nodes } = await routed(t)
  t.ok(client.ping())
  await lab.clock.run(100)
  t.match(client.echoes, [{ n: 1 }])
  const route = client.agent.current
  t.equal(route?.nodeId, nodes[0]?.name)
  t.match(client.agent.linkMetrics(route?.link ?? 0), { sentBytes: 32, receivedBytes: 32 })
  t.match(lab.mesh.stats().relay, { packets: 2, links: 1, drops: { peer_away: 0, not_open: 0 } })
})

t.test('a client keeps its route over a coordinator restart', async t => {
  const { lab, client, nodes } = await routed(t, ['fra-1', 'ams-1'])
  const before = client.agent.current
  const atMs = lab.clock.now()
  await lab.restart({ spreadMs: 2_000 })
  t.ok((await client.firstEchoMs(3_000)) < 3_000)
  t.same(client.agent.current, before)
  t.same(client.since(atMs, 'linkClosed', 'switched', 'lost'), [])
  for (const host of [client, ...nodes]) t.match(host.since(atMs, 'online'), [{ event: { resumed: true } }])
  t.same(
    nodes.flatMap(node => node.since(atMs, 'linkClosed')),
    [],
  )
})

t.test('kill -9 of the coordinator, and the tunnel resumes by itself', async t => {
  const { lab, client, nodes } = await routed(t, ['fra-1', 'ams-1'])
  const before = client.agent.current
  const atMs = lab.clock.now()
  lab.crash()
  await lab.clock.run(1_000)
  await lab.boot()
  t.ok((await client.firstEchoMs(5_000)) < 5_000)
  await lab.clock.run(5_000)
  t.same(client.agent.current, before)
  for (const host of [client, ...nodes]) t.match(host.since(atMs, 'online'), [{ event: { resumed: true } }])
})

t.test('a client that is moved off a node which still lives loses no packet', async t => {
  const { lab, client } = await routed(t, ['fra-1', 'ams-1'])
  const from = client.agent.current
  lab.mesh.drain(from?.nodeId ?? '', { withinMs: null, actor: 'test' })
  const sent = 400
  for (let n = 0; n < sent; n++) {
    client.ping()
    await lab.clock.run(10)
  }
  await lab.clock.run(1_000)
  t.not(client.agent.current?.nodeId, from?.nodeId)
  t.equal(client.echoes.length, sent)
  t.match(lab.mesh.stats().routes, { handingOver: 0, handovers: { carried: 1 } })
})

const ONCE: readonly {
  readonly what: string
  readonly kill: (lab: Lab, client: ClientHost, node: NodeHost) => Promise<void>
  /** Packets flow again this long after the last step of `kill` at most, ms. */
  readonly withinMs: number
}[] = [
  {
    what: 'the node’s process, by kill -9',
    kill: async (_, __, node) => node.crash(),
    withinMs: 1_000,
  },
  {
    what: 'the node’s process, by kill -9, and it is back at once',
    kill: async (_, __, node) => {
      node.crash()
      node.boot()
    },
    withinMs: 500,
  },
  {
    what: 'the node’s net, silently',
    kill: async (lab, _, node) => lab.internet.cut(node.name),
    withinMs: 17_000,
  },
  {
    what: 'the client’s process, by kill -9',
    kill: async (lab, client) => {
      client.crash()
      await lab.clock.run(1_000)
      client.boot()
      void client.agent.route()
    },
    withinMs: 500,
  },
  {
    what: 'the client’s net, silently, for a moment',
    kill: async (lab, client) => {
      lab.internet.cut(client.name)
      await lab.clock.run(5_000)
      lab.internet.heal(client.name)
    },
    withinMs: 500,
  },
  {
    what: 'the client’s net, silently, for long',
    kill: async (lab, client) => {
      lab.internet.cut(client.name)
      await lab.clock.run(LONG_CUT_MS)
      lab.internet.heal(client.name)
      client.agent.nudge()
    },
    withinMs: 5_000,
  },
  {
    what: 'the coordinator’s process, by SIGTERM',
    kill: async lab => lab.restart(),
    withinMs: 6_000,
  },
  {
    what: 'the coordinator’s process, by kill -9',
    kill: async lab => {
      lab.crash()
      await lab.clock.run(1_000)
      await lab.boot()
    },
    withinMs: 5_000,
  },
  {
    what: 'the coordinator’s net, silently, for a moment',
    kill: async lab => {
      lab.internet.cut(HOST)
      await lab.clock.run(5_000)
      lab.internet.heal(HOST)
    },
    withinMs: 500,
  },
  {
    what: 'the coordinator’s net, silently, for long',
    kill: async (lab, client, node) => {
      lab.internet.cut(HOST)
      await lab.clock.run(LONG_CUT_MS)
      lab.internet.heal(HOST)
      for (const { agent } of [client, node]) agent.nudge()
    },
    withinMs: 5_000,
  },
]

t.test('killing anything once does not end it', async t => {
  for (const { what, kill, withinMs } of ONCE) {
    await t.test(what, async t => {
      const { lab, client, nodes } = await routed(t, ['fra-1', 'ams-1'])
      const node = nodes.find(({ name }) => name === client.agent.current?.nodeId) as NodeHost
      await kill(lab, client, node)
      const gapMs = await client.firstEchoMs(withinMs)
      t.comment(`packets flow again after ${gapMs} ms`)
      await lab.clock.run(1_000)
      const before = client.echoes.length
      for (let n = 0; n < 20; n++) {
        client.ping()
        await lab.clock.run(50)
      }
      await lab.clock.run(100)
      t.equal(client.echoes.length, before + 20, 'and go on without a loss')
    })
  }
})

t.test('a half-open socket is noticed by both sides', async t => {
  const { lab, client } = await routed(t)
  const noticedMs = { agent: 0, coordinator: 0 }
  lab.internet.cut(client.name)
  const atMs = lab.clock.now()
  while (lab.clock.now() < atMs + 30_000) {
    await lab.clock.run(100)
    if (client.agent.status().state !== 'online') noticedMs.agent ||= lab.clock.now() - atMs
    if (lab.mesh.clients()[0]?.state === 'suspended') noticedMs.coordinator ||= lab.clock.now() - atMs
  }
  t.comment(noticedMs)
  t.ok(noticedMs.agent > 5_000 && noticedMs.agent <= 25_100)
  t.ok(noticedMs.coordinator > 5_000 && noticedMs.coordinator <= 26_100)
})

t.test('10 nodes, 200 clients, one node dies: all its clients move, none of the others notice', async t => {
  const lab = await started(t)
  const nodes = Array.from({ length: 10 }, (_, n) => new NodeHost(lab, `node-${n}`))
  const clients = Array.from({ length: 200 }, (_, n) => new ClientHost(lab, `client-${n}`))
  for (const host of [...nodes, ...clients]) host.boot()
  await lab.clock.run(1_000)
  for (const client of clients) void client.agent.route()
  await lab.clock.run(1_000)
  const [victim, ...others] = nodes as [NodeHost, ...NodeHost[]]
  const [moving, staying] = divided(clients, ({ agent }) => agent.current?.nodeId === victim.name)
  t.ok(moving.length >= 10, `${moving.length} clients are on it`)
  const links = victim.agent.status().links.map(({ link }) => link)
  const atMs = lab.clock.now()
  victim.crash()
  for (const client of staying) client.ping()
  await lab.clock.run(1_000)
  const switches = moving.flatMap(client => client.since(atMs, 'switched'))
  t.equal(switches.length, moving.length)
  t.ok(switches.every(({ event }) => (event as { cause: string }).cause === 'node_lost'))
  t.notOk(moving.some(({ agent }) => agent.current?.nodeId === victim.name))
  const carriedMs = moving.flatMap(client => client.since(atMs, 'route')).map(it => it.atMs - atMs)
  t.equal(carriedMs.length, moving.length)
  t.comment(`the last new route carried after ${Math.max(...carriedMs)} ms`)
  t.same(
    [...staying, ...others].flatMap(host =>
      host.since(atMs, 'offline', 'online', 'switched', 'lost', 'linkClosed', 'fault'),
    ),
    [],
  )
  t.equal(lab.mesh.routes().length, 200)
  t.notOk(lab.mesh.routes().some(({ link }) => links.includes(link)))
  for (const client of moving) client.ping()
  await lab.clock.run(100)
  t.ok(clients.every(({ echoes }) => echoes.length === 1))
})

t.test('1,000 agents return after a restart in their slots', async t => {
  const lab = await started(t)
  const hosts = Array.from({ length: 1_000 }, (_, n) =>
    n % 20 === 0 ? new NodeHost(lab, `node-${n}`) : new ClientHost(lab, `client-${n}`),
  )
  for (const host of hosts) host.boot()
  await lab.clock.run(3_000)
  const atMs = lab.clock.now()
  await lab.restart({ spreadMs: 20_000 })
  await lab.clock.run(23_000)
  const returns = hosts.flatMap(host => host.since(atMs, 'online'))
  t.equal(returns.length, 1_000)
  t.ok(returns.every(({ event }) => (event as { resumed: boolean }).resumed))
  const perSecond = Array.from({ length: 25 }, () => 0)
  for (const it of returns) {
    const second = Math.floor((it.atMs - atMs) / 1_000)
    perSecond[second] = (perSecond[second] as number) + 1 // all are back within 25 s
  }
  t.comment(`at most ${Math.max(...perSecond)} in one second`)
  // Those whose slot came while nobody listened come a little later, among the next ones.
  t.ok(Math.max(...perSecond) <= 100, 'never more than 100 in a second, twice the average')
})

/** Returns a lab that had nothing to complain of when the test is over. */
async function started(t: Test): Promise<Lab> {
  const lab = await Lab.start()
  t.teardown(() => {
    if (lab.mesh.stats().faults > 0) t.fail('a session failed inside the coordinator')
  })
  return lab
}

/** Returns a client with a route to one of these nodes. */
async function routed(t: Test, names: readonly string[] = ['fra-1']) {
  const lab = await started(t)
  const nodes: NodeHost[] = []
  for (const name of names) nodes.push(await nodeOn(lab, name))
  const client = await clientOn(lab, 'alice')
  await client.routed()
  return { lab, client, nodes }
}

function divided<T>(all: readonly T[], by: (one: T) => boolean): [T[], T[]] {
  return [all.filter(by), all.filter(one => !by(one))]
}
