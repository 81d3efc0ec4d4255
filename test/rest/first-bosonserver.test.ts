/**
 * The requests of the first BosonServer's documents, sent as they stand there, and again with what stands in them for
 * something replaced by that.
 */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newKeyPair } from '../../src/protocol/proof.js'
import { restServer } from '../support/rest-server.js'

const REGISTER = {
  nodeId: 'uuid',
  publicKey: 'wireguard-public-key',
  networkInfo: { ipv4: '192.168.1.1', natType: 'FullCone', localPort: 51820 },
  capabilities: { maxConnections: 100, bandwidth: { up: 100, down: 100 } },
  location: { country: 'US', region: 'US-CA' },
}
const HEARTBEAT = { metrics: { latency: 50, cpuUsage: 30, activeConnections: 5 } }
const ROUTE = {
  clientId: 'uuid',
  requirements: { minBandwidth: 10, maxLatency: 100 },
  clientNetworkInfo: { ipv4: '192.168.1.2', natType: 'Symmetric' },
}

t.test('the requests of the first documents', async t => {
  const server = await restServer(t, {})
  const { ask } = server
  const post = (path: string, body: object, token: string | null) => ask('POST', path, { body, token })

  await t.test('as they stand get an answer that says what is missing', async t => {
    t.match(await post('/api/v1/nodes/register', REGISTER, null), {
      status: 400,
      body: { detail: /publicKey: wanted a WireGuard public key/ },
    })
    t.match(await post('/api/v1/nodes/:nodeId/heartbeat', HEARTBEAT, '<token>'), { status: 401 })
    t.match(await post('/api/v1/routing/request', ROUTE, null), {
      status: 401,
      body: { detail: /enrolment key/ },
    })
    t.match(await ask('GET', '/api/v1/turn/ice', { token: null }), {
      status: 401,
      body: { detail: /sessionToken/ },
    })
    for (const page of ['/health', '/health/ready', '/health/live', '/metrics'])
      t.equal((await ask('GET', page, { token: null })).status, 200, page)
  })

  await t.test('with real ids, keys and tokens do what they say', async t => {
    const nodeId = randomUUID()
    const publicKey = Buffer.from(newKeyPair().publicKey).toString('base64')
    const node = await post(
      '/api/v1/nodes/register',
      { ...REGISTER, nodeId, publicKey },
      await server.enrolmentKey(),
    )
    t.match(node, { status: 201, body: { nodeId, status: 'registered' } })
    const { sessionToken } = node.body
    t.match(await post(`/api/v1/nodes/${nodeId}/heartbeat`, HEARTBEAT, sessionToken), {
      status: 200,
      body: { status: 'ok', nextHeartbeat: 30 },
    })
    const clientId = randomUUID()
    const asked = await post('/api/v1/routing/request', { ...ROUTE, clientId }, await server.enrolmentKey())
    t.match(asked, { status: 200, body: { selectedRoute: { nodeEndpoint: { nodeId } } } })
    t.match(await ask('GET', '/api/v1/turn/ice', { token: sessionToken }), {
      status: 200,
      body: { iceServers: [] },
    })
  })
})
