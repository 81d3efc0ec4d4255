/** The metrics page of a whole coordinator that is in use, by the names that the first BosonServer promised. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { figuresOf, metricsDoc } from '../../src/telemetry/docs.js'
import { online } from '../support/coordinator.js'
import { MailboxAgent } from '../support/mailbox-agent.js'
import { restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'

t.test('the page for Prometheus', async t => {
  const server = await restServer(t)
  const credential = await server.enrolmentKey()
  const page = async () => (await server.ask('GET', '/metrics')).body as string
  const lines = async (name: string) => (await page()).split('\n').filter(line => line.startsWith(`${name}{`))
  const valueOf = (line: string | undefined) => Number(line?.split(' ').at(-1))

  t.test('docs/metrics.md has every figure that it tells (npm run docs)', async t => {
    const written = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8')
    t.equal(written, metricsDoc(await page()))
    for (const { name, help } of figuresOf(await page())) {
      t.match(name, /^boson(?:server)?_[a-z_0-9]+$/)
      t.match(help, /^[A-Z1].{8,}\.$/, `${name} says what it is`)
    }
  })

  t.test('B-104: it is at both addresses, and every line says of which application it is', async t => {
    for (const path of ['/metrics', '/api/v1/metrics/prometheus']) {
      const { status, headers, body } = await server.ask('GET', path)
      t.equal(status, 200)
      t.match(headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
      const samples = (body as string).split('\n').filter(line => line !== '' && !line.startsWith('#'))
      t.ok(samples.length > 100)
      t.same(
        samples.filter(line => !line.includes('app="bosonserver"')),
        [],
      )
    }
  })

  t.test('B-152: bosonserver_active_nodes counts nodes by status', async t => {
    const one = await new MailboxAgent('node', 'fra-1').enter(server.mesh, credential)
    await new MailboxAgent('node', 'fra-2').enter(server.mesh, credential)
    t.match(await page(), /^# TYPE bosonserver_active_nodes gauge$/m)
    t.ok((await page()).includes('bosonserver_active_nodes{status="online",app="bosonserver"} 2\n'))
    one.leave()
    t.ok((await page()).includes('bosonserver_active_nodes{status="online",app="bosonserver"} 1\n'))
    t.equal((await lines('bosonserver_active_nodes')).length, 4, 'a line for each status, and no more')
  })

  t.test('B-153: bosonserver_active_connections follows the sockets that are open', async t => {
    const count = async () => valueOf((await lines('bosonserver_active_connections'))[0])
    const before = await count()
    const node = await online(t, server.url.replace('http', 'ws'), 'ws-1', credential)
    t.equal(await count(), before + 1)
    await node.stop()
    await until('it is closed', async () => (await count()) === before)
    t.match(await page(), /^# TYPE bosonserver_active_connections gauge$/m)
  })

  t.test('B-154: bosonserver_node_latency_ms is a histogram in which each heartbeat counts once', async t => {
    const node = await new MailboxAgent('node', 'lat-1').enter(server.mesh, credential)
    const beat = (seq: number) => {
      const stamp = node.last('heartbeat.ack')?.stamp
      const echo = stamp === undefined ? {} : { echoStamp: stamp, echoHeldMs: 0 }
      node.say({ type: 'heartbeat', seq, serverId: 'lat-1', generatedAt: 0, readyAt: 0, ...echo })
    }
    for (const seq of [1, 2, 3]) beat(seq)
    const count = async () => valueOf((await lines('bosonserver_node_latency_ms_count'))[0])
    const first = await count()
    t.ok(first >= 1, 'its round trip was measured')
    for (let looks = 0; looks < 3; looks++) await page()
    t.equal(await count(), first, 'silence is no sample')
    beat(4)
    t.equal(await count(), first + 1)
    const bounds = (await lines('bosonserver_node_latency_ms_bucket')).map(
      line => /le="([^"]+)"/.exec(line)?.[1],
    )
    t.same(bounds, ['10', '25', '50', '100', '250', '500', '1000', '2500', '5000', '+Inf'])
  })

  t.test('B-155: bosonserver_api_requests_total counts by method, endpoint and status', async t => {
    for (const path of [
      '/api/v1/nodes',
      '/api/v1/webhooks/wh_1',
      '/api/v1/webhooks/wh_2',
      '/no/such/1',
      '/no/such/2',
    ])
      await server.ask('GET', path)
    const told = await lines('bosonserver_api_requests_total')
    const of = (endpoint: string, status: number) =>
      valueOf(told.find(line => line.includes(`method="GET",endpoint="${endpoint}",status="${status}"`)))
    t.equal(of('/api/v1/nodes', 200), 1)
    t.equal(of('/api/v1/webhooks/{id}', 404), 2, 'a pattern, never a path')
    t.notMatch(told.join('\n'), /wh_1|such/, 'what is not there has no line of its own')
  })

  t.test('B-156: the relay’s bytes, the nodes’ load and the API’s errors are told', async t => {
    const node = await new MailboxAgent('node', 'use-1').enter(server.mesh, credential)
    const client = await new MailboxAgent('client', 'anna').enter(server.mesh, credential)
    node.say({
      type: 'heartbeat',
      seq: 1,
      serverId: 'use-1',
      generatedAt: 0,
      readyAt: 0,
      cpuTotalPct: 42.5,
      memTotalMb: 1_000,
      memFreeMb: 250,
    })
    client.say({ type: 'route.request', requestId: 1, target: 'use-1' })
    await until('there is a route', () => client.last('route.assigned') !== undefined)
    const link = client.last('route.assigned')?.link ?? 0
    for (const end of [node, client]) end.say({ type: 'path.ready', link })
    const payload = new Uint8Array(1_200)
    payload[0] = 4
    client.say({ type: 'relay.data', link, payload })
    await until('it has arrived', () => node.last('relay.data') !== undefined)
    await server.ask('POST', '/api/v1/webhooks', { body: {} })
    await server.ask('GET', '/api/v1/nodes', { token: null })
    const told = await page()
    for (const line of [
      /^bosonserver_relay_bandwidth_bytes\{direction="in",app="bosonserver"\} 12\d\d$/m,
      /^bosonserver_relay_bandwidth_bytes\{direction="out",app="bosonserver"\} 12\d\d$/m,
      /^bosonserver_node_cpu_usage_percent\{node_id="use-1",app="bosonserver"\} 42\.5$/m,
      /^bosonserver_node_memory_usage_percent\{node_id="use-1",app="bosonserver"\} 75$/m,
      /^bosonserver_api_errors_total\{method="POST",endpoint="\/api\/v1\/webhooks",error_type="bad_request",app="bosonserver"\} 1$/m,
      /^bosonserver_api_errors_total\{method="GET",endpoint="\/api\/v1\/nodes",error_type="unauthorised",app="bosonserver"\} 1$/m,
    ])
      t.match(told, line)
  })
})
