import t, { type Test } from 'tap'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../support/until.js'
import { cannotRun, INTERNET, COORDINATOR, makeLab, type Lab } from './namespaces.js'
import { type Agent, Coordinator, Pinging, startAgent } from './processes.js'

const skip = cannotRun()
const why = skip === false ? '' : ` (${skip})`

t.test(`a node and a client that reach only the coordinator are one network${why}`, { skip }, async t => {
  const mesh = await makeMesh(t)
  const { lab, coordinator } = mesh
  const before = await states(lab)
  t.notOk(await lab.client.reaches('198.51.100.11'), 'there is no way around the coordinator')
  const node = mesh.startNode('--country', 'DE')
  await online(node)
  let client = mesh.startClient('--country', 'DE')
  const { nodeAddress, nodeAddress6 } = await connected(client)

  await t.test('ping crosses, IPv4 and IPv6', async t => {
    await until('a ping crosses the tunnel', () => lab.client.reaches(nodeAddress))
    t.ok(await lab.client.reaches(nodeAddress6))
  })

  await t.test('iperf3 crosses', async t => {
    const server = lab.node.spawn('iperf3', ['-s', '-1'], { stdio: 'ignore' })
    t.teardown(() => server.kill())
    await until('iperf3 listens', async () => (await lab.node.run('ss', '-Hltn', 'sport = :5201')) !== '')
    const report = JSON.parse(await lab.client.run('iperf3', '-c', nodeAddress, '-t', '3', '-J')) as {
      end: { sum_received: { bytes: number; bits_per_second: number } }
    }
    const { bytes, bits_per_second } = report.end.sum_received
    t.comment(`${Math.round(bits_per_second / 1e6)} Mbit/s over the relay, everything on this machine`)
    t.ok(bytes > 0)
  })

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await t.test(`the tunnel goes on by itself after ${signal} to the coordinator`, async t => {
      const ping = new Pinging(lab.client, nodeAddress)
      await ping.flows(0)
      const awayMs = await coordinator.restart(signal)
      await ping.flows(Date.now() / 1_000)
      const gapMs = await ping.end()
      t.comment(
        `no reply for ${Math.round(gapMs)} ms, of which the coordinator was away ${Math.round(awayMs)} ms`,
      )
      t.ok(gapMs < awayMs + 15_000)
    })
  }

  await t.test('a node that is killed and started again carries again', async t => {
    const ping = new Pinging(lab.client, nodeAddress)
    await ping.flows(0)
    await node.end('SIGKILL')
    const again = mesh.startNode('--country', 'DE')
    await online(again)
    await ping.flows(Date.now() / 1_000)
    t.comment(`no reply for ${Math.round(await ping.end())} ms`)
    t.match(again.err, /gave back what an earlier process left: interface/)
    t.equal(await again.end(), 0)
  })

  await t.test('a client that is killed is cleaned up by its next start', async t => {
    await client.end('SIGKILL')
    t.notSame(await lab.client.state(), before.client, 'what it took is still there')
    client = mesh.startClient('--wait')
    await online(client)
    t.match(client.err, /gave back what an earlier process left: interface/)
  })

  t.equal(await client.end('SIGINT'), 0)
  t.same(await states(lab), before, 'nothing is left')
})

t.test(`a client sends everything through an exit${why}`, { skip }, async t => {
  const mesh = await makeMesh(t)
  const { lab } = mesh
  const before = await states(lab)
  const node = mesh.startNode('--exit')
  await online(node)
  const client = mesh.startClient('--all', '--dns', '192.0.2.80')
  await connected(client)

  await t.test('it reaches the internet, and the coordinator outside the tunnel', async t => {
    t.notOk(await lab.coordinator.reaches(INTERNET), 'which only the node can')
    await until('a ping comes back from the internet', () => lab.client.reaches(INTERNET))
    t.match(await lab.client.run('ip', 'route', 'get', INTERNET), /table 25199/)
    t.match(await lab.client.run('ip', 'route', 'get', COORDINATOR), /dev up0/)
  })

  await t.test('it asks the name servers that were given', async t => {
    t.match(await lab.client.run('cat', '/etc/resolv.conf'), 'nameserver 192.0.2.80')
  })

  await t.test('an exit is no way into its own network', async t => {
    await lab.node.run('ip', 'address', 'add', '192.168.7.1/24', 'dev', 'wan0')
    await lab.internet.run('ip', 'address', 'add', '192.168.7.2/24', 'dev', 'up0')
    t.ok(await lab.node.reaches('192.168.7.2'))
    t.notOk(await lab.client.reaches('192.168.7.2'))
    await lab.node.run('ip', 'address', 'del', '192.168.7.1/24', 'dev', 'wan0')
  })

  await t.test('nothing leaves in clear while the interface is away', async t => {
    await client.end('SIGKILL')
    await lab.client.run('ip', 'link', 'del', 'dev', client.lines.at(-1)?.interface ?? '')
    await t.rejects(lab.client.run('ip', 'route', 'get', INTERNET), /No route to host/)
  })

  await t.test('after kill -9 the next start gives everything back', async t => {
    const next = mesh.startClient('--all', '--dns', '192.0.2.80')
    await connected(next)
    t.match(next.err, /gave back what an earlier process left: interface, rule, route/)
    await until('a ping comes back from the internet', () => lab.client.reaches(INTERNET))
    t.equal(await next.end(), 0)
  })

  t.equal(await node.end(), 0)
  t.same(await states(lab), before, 'nothing is left')
})

t.test(`who may not make interfaces is told what is missing${why}`, { skip }, async t => {
  const { lab, root } = await makeMesh(t)
  const state = join(root, 'nobody')
  await lab.node.run('install', '-d', '-o', '65534', state)
  await lab.node.run('chmod', '755', root)
  const nobody = ['--reuid=65534', '--clear-groups', '--inh-caps=-all', process.execPath]
  const boson = new URL('../../../bin/boson', import.meta.url).pathname
  const command = [...nobody, boson, 'node', '--server', 'ws://203.0.113.10:3000', '--state-dir', state]
  await t.rejects(lab.node.run('setpriv', ...command), {
    code: 6,
    stderr: /run as root, or give the process/,
  })
})

interface Mesh {
  readonly lab: Lab
  readonly root: string
  readonly coordinator: Coordinator
  startNode(...options: readonly string[]): Agent
  startClient(...options: readonly string[]): Agent
}

/** A lab whose coordinator runs, and agents that keep their state and interface from start to start. */
async function makeMesh(t: Test): Promise<Mesh> {
  const root = mkdtempSync(join(tmpdir(), 'boson-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const lab = await makeLab(t)
  const coordinator = new Coordinator(lab.coordinator, join(root, 'server'))
  await coordinator.start()
  const credential = await coordinator.enrol()
  const [nodeIface, clientIface] = [lab.iface(), lab.iface()]
  const options = (id: string, iface: string) =>
    ['--id', id, '--interface', iface, '--state-dir', join(root, id), '--credential', credential] as const
  return {
    lab,
    root,
    coordinator,
    startNode: (...more) => startAgent(lab.node, 'node', ...options('fra-1', nodeIface), ...more),
    startClient: (...more) => startAgent(lab.client, 'client', ...options('alice', clientIface), ...more),
  }
}

async function online(agent: Agent): Promise<void> {
  await agent.says('the agent is online', line => line.state === 'online' && line.address !== null)
}

/** Waits until the client's route carries; returns where its node is. */
async function connected(client: Agent): Promise<{ nodeAddress: string; nodeAddress6: string }> {
  const line = await client.says('the route carries', ({ path }) => path === 'relayed')
  return { nodeAddress: line.nodeAddress ?? '', nodeAddress6: line.nodeAddress6 ?? '' }
}

async function states({ node, client }: Lab): Promise<{ node: string; client: string }> {
  return { node: await node.state(), client: await client.state() }
}
