import t from 'tap'
import { until } from '../support/until.js'
import { connected, makeMesh, online, states } from './made-mesh.js'
import { cannotRun } from './namespaces.js'
import { Pinging } from './processes.js'

const skip = cannotRun()
const why = skip === false ? '' : ` (${skip})`

t.test(`a node and a client that reach only the coordinator are one network${why}`, { skip }, async t => {
  const mesh = await makeMesh(t)
  const { lab, coordinator } = mesh
  const before = await states(lab)
  t.notOk(await lab.client.reaches('198.51.100.11'), 'there is no way around the coordinator')
  let node = mesh.startNode('--country', 'DE')
  await online(node)
  let client = mesh.startClient()
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

  await t.test('a client whose node dies is on another one by itself', async t => {
    const other = mesh.startOtherNode()
    await online(other)
    await node.end('SIGKILL')
    const began = performance.now()
    const { nodeAddress: otherAddress } = await connected(client, 'fra-2')
    const routedMs = Math.round(performance.now() - began)
    await until('a ping crosses the tunnel', () => lab.client.reaches(otherAddress))
    t.comment(
      `on the other node after ${routedMs} ms, a ping after ${Math.round(performance.now() - began)} ms`,
    )
    t.match(client.err, /moved from fra-1 to fra-2: node_/)

    node = mesh.startNode('--country', 'DE')
    await online(node)
    t.equal(await other.end(), 0)
    await connected(client, 'fra-1')
    t.match(client.err, /moved from fra-2 to fra-1: node_drained/, 'it was handed over, not dropped')
    await until('a ping crosses the tunnel', () => lab.client.reaches(nodeAddress))
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
    node = mesh.startNode('--country', 'DE', '--drain-within', '1')
    await online(node)
    await ping.flows(Date.now() / 1_000)
    t.comment(`no reply for ${Math.round(await ping.end())} ms`)
    t.match(node.err, /gave back what an earlier process left: interface/)
  })

  t.equal(await node.end(), 0)

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
