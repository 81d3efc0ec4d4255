/** Routes for clients that speak HTTP: rows B-070 to B-083 of what the first BosonServer promised. */
import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import t from 'tap'
import { newKeyPair, publicOf } from '../../src/protocol/proof.js'
import { online } from '../support/coordinator.js'
import { onEachDatabase } from '../support/rest-server.js'
import { until } from '../support/until.js'
import { httpClient, httpNode, routeRequest } from './agents.js'

const ISO = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/
const HOUR_MS = 3_600_000

onEachDatabase(t, async (t, start) => {
  const server = await start({
    env: {
      BOSON_BEAT_EVERY_MS: '1000',
      BOSON_TRUSTED_PROXIES: '127.0.0.1/32',
      BOSON_TURN_ADDRESS: '45.76.0.1',
      BOSON_PUBLIC_URL: 'https://mesh.example.org',
    },
  })
  const { ask, mesh, url } = server
  const request = (body: unknown, token: string | null) =>
    ask('POST', '/api/v1/routing/request', { body, token })
  const beat = (id: string, token: string, metrics: object) =>
    ask('POST', `/api/v1/nodes/${id}/heartbeat`, { body: { metrics }, token })
  const key = await server.enrolmentKey('client')
  const atlantic = await httpNode(server, 'atlantic', { location: { country: 'US', region: 'us-east' } })
  const baltic = await httpNode(server, 'baltic', {
    location: { country: 'DE', region: 'eu-north' },
    capabilities: { maxConnections: 50, bandwidth: { up: 1_000, down: 1_000 }, natting: true },
    networkInfo: { ipv4: '10.0.0.5', natType: 'Symmetric', localPort: 51_820 },
  })

  t.test('B-070: a client asks for a route as in the documents', async t => {
    const id = randomUUID()
    const requirements = { minBandwidth: 10 }
    const answer = await request(routeRequest(id, { requirements }), key)
    t.equal(answer.status, 200)
    t.match(mesh.client(id), { state: 'online', nodeId: answer.body.selectedRoute.nodeEndpoint.nodeId })
    const bad = [
      {},
      { clientId: 'a b' },
      routeRequest(id, { requirements: { preferredCountry: 'USA' } }),
      routeRequest(id, { requirements: { minBandwidth: -1 } }),
      routeRequest(id, { clientNetworkInfo: { ipv4: 'here', natType: 'Symmetric' } }),
      routeRequest(id, { targetNodeId: 7 }),
    ]
    for (const body of bad) t.equal((await request(body, key)).status, 400, JSON.stringify(body))
    t.equal((await request(routeRequest(id), null)).status, 401, 'nobody is let in for nothing')
  })

  t.test('B-071: the routes come with what is known of each', async t => {
    const { answer, nodeId, routeId } = await httpClient(server, randomUUID())
    t.match(answer.routes[0], {
      id: routeId,
      path: [nodeId],
      cost: Number,
      priority: 100,
      estimatedBandwidth: Number,
    })
    for (const row of answer.routes) t.ok(['direct', 'relay'].includes(row.type))
  })

  t.test('B-072: the chosen route has all that WireGuard needs', async t => {
    const { privateKey, publicKey } = newKeyPair()
    const id = randomUUID()
    const { answer } = await httpClient(server, id, {
      targetNodeId: 'baltic',
      requirements: { exit: true },
      publicKey: Buffer.from(publicKey).toString('base64'),
    })
    const { selectedRoute: route } = answer
    t.match(route, {
      relayEndpoint: 'wss://mesh.example.org:443/mesh',
      nodeEndpoint: { nodeId: 'baltic', directConnection: false },
      wireguardConfig: {
        serverPublicKey: baltic.body.publicKey,
        serverEndpoint: '45.76.0.1:51820',
        serverPort: 51_820,
        allowedIPs: '0.0.0.0/0, ::/0',
        address: new RegExp(`^${mesh.client(id)?.overlay4}/32, `),
      },
    })
    t.notOk('privateKey' in route.wireguardConfig, 'the client has a key of its own')
    t.same(mesh.identity(id)?.publicKey, publicOf(privateKey))
    t.ok(Math.abs(route.expiresAt - Date.now() - HOUR_MS) < 60_000, 'an hour')

    const direct = await httpClient(server, randomUUID(), { targetNodeId: 'atlantic' })
    t.match(direct.answer.selectedRoute, {
      nodeEndpoint: { directConnection: true },
      wireguardConfig: {
        allowedIPs: `${mesh.node('atlantic')?.overlay4}/32, ${mesh.node('atlantic')?.overlay6}/128`,
      },
    })
  })

  t.test('B-072: a client without a key is given one, once', async t => {
    const { id, token, answer } = await httpClient(server, randomUUID())
    const made = Buffer.from(answer.selectedRoute.wireguardConfig.privateKey, 'base64')
    t.same(publicOf(made), mesh.identity(id)?.publicKey)
    const again = await request(routeRequest(id), token)
    t.equal(again.status, 200)
    t.notOk('privateKey' in again.body.selectedRoute.wireguardConfig)
  })

  t.test('B-073: a route can be looked at as long as it stands', async t => {
    const { id, token, routeId, nodeId } = await httpClient(server, randomUUID())
    const page = `/api/v1/routing/route/${routeId}`
    t.match((await ask('GET', page, { token })).body, {
      id: routeId,
      path: [nodeId],
      clientId: id,
      createdAt: ISO,
      expiresAt: ISO,
      selectedRoute: { nodeEndpoint: { nodeId } },
    })
    t.equal((await ask('GET', page)).status, 200, 'by operators too')
    const other = await httpClient(server, randomUUID())
    t.equal((await ask('GET', page, { token: other.token })).status, 404, 'others learn nothing of it')
    t.equal((await ask('GET', '/api/v1/routing/route/none')).status, 404)
    t.equal((await ask('GET', page, { token: null })).status, 401)
  })

  t.test('B-074: a direct way is told of unless both ends are behind symmetric NATs', async t => {
    const types = async (natType: string, targetNodeId: string) => {
      const { answer } = await httpClient(server, randomUUID(), {
        targetNodeId,
        clientNetworkInfo: { ipv4: '192.168.1.2', natType },
      })
      return answer.routes[0].type
    }
    t.equal(await types('Symmetric', 'baltic'), 'relay')
    t.equal(await types('FullCone', 'baltic'), 'direct')
    t.equal(await types('Symmetric', 'atlantic'), 'direct')
  })

  t.test('B-075: the node that is asked for is given, or the request is refused', async t => {
    const { id, token, nodeId } = await httpClient(server, randomUUID(), { targetNodeId: 'baltic' })
    t.equal(nodeId, 'baltic')
    const moved = await request(routeRequest(id, { targetNodeId: 'atlantic' }), token)
    t.match(moved.body, { selectedRoute: { nodeEndpoint: { nodeId: 'atlantic' } } })
    t.match(await request(routeRequest(id, { targetNodeId: 'nowhere' }), token), {
      status: 404,
      body: { code: 'unknown_target', error: { statusCode: 404 } },
    })
    const gone = await httpNode(server, 'gone')
    await ask('DELETE', '/api/v1/nodes/gone', { token: gone.token })
    await until('it is gone', () => mesh.node('gone') === null)
    t.match(await request(routeRequest(id, { targetNodeId: 'gone' }), token), {
      status: 409,
      body: { code: 'target_away' },
    })
    const unfit = routeRequest(id, { targetNodeId: 'atlantic', requirements: { preferredCountry: 'DE' } })
    t.match(await request(unfit, token), {
      status: 409,
      body: { code: 'no_candidate', candidates: [{ nodeId: 'atlantic', reason: 'country' }] },
    })
    t.match(mesh.client(id), { nodeId: 'atlantic' }, 'what was refused leaves the route as it was')
  })

  t.test('B-076: each request is answered by what is true now', async t => {
    const nordic = await httpNode(server, 'nordic', { location: { country: 'NO', region: 'eu-north' } })
    const { id, token, nodeId } = await httpClient(server, randomUUID(), {
      requirements: { preferredCountry: 'NO' },
    })
    t.equal(nodeId, 'nordic')
    const elsewhere = await request(routeRequest(id, { requirements: { preferredCountry: 'US' } }), token)
    t.equal(elsewhere.body.selectedRoute.nodeEndpoint.nodeId, 'atlantic', 'another wish, another node')
    await ask('DELETE', '/api/v1/nodes/nordic', { token: nordic.token })
    await until('it is gone', () => mesh.node('nordic') === null)
    const dead = await request(routeRequest(id, { requirements: { preferredCountry: 'NO' } }), token)
    t.equal(dead.status, 422, 'a node that is gone is given to nobody')
  })

  t.test('B-077: what is required is met, or the answer says what is against each node', async t => {
    const id = randomUUID()
    const refused = await request(
      routeRequest(id, { requirements: { preferredCountry: 'DE', minBandwidth: 5_000, maxLatency: 100 } }),
      key,
    )
    t.match(refused, {
      status: 422,
      body: { code: 'no_candidate', unmet: [String], error: { statusCode: 422 } },
    })
    t.match(
      new Map(
        refused.body.candidates.map((one: { nodeId: string; reason: string }) => [one.nodeId, one.reason]),
      ),
      new Map([
        ['atlantic', 'country'],
        ['baltic', 'bandwidth'],
      ]),
    )
    t.notOk(mesh.client(id)?.nodeId, 'nothing is given instead')
    const again = await request(routeRequest(id), refused.body.sessionToken)
    t.equal(again.status, 200, 'who was refused at first contact has its token and its key')
    const made = Buffer.from(refused.body.privateKey, 'base64')
    t.same(publicOf(made), mesh.identity(id)?.publicKey)
    const unmeasured = await request(routeRequest(randomUUID(), { requirements: { maxLatency: 100 } }), key)
    t.ok(
      unmeasured.body.candidates.every(({ reason }: { reason: string }) => reason === 'latency unknown'),
      'a latency that nobody measured, and that no node tells, is none',
    )
    const region = await httpClient(server, randomUUID(), { requirements: { preferredLocation: 'eu-north' } })
    t.equal(region.nodeId, 'baltic')
  })

  t.test('B-057, B-078: the load that nodes report turns clients away', async t => {
    const [calm, busy] = [await httpNode(server, 'calm', AT_SEA), await httpNode(server, 'busy', AT_SEA)]
    await beat('busy', busy.token, { cpuUsage: 85, latency: 300, bandwidth: { up: 90, down: 0 } })
    await beat('calm', calm.token, { cpuUsage: 2, latency: 5, bandwidth: { up: 1, down: 0 } })
    await until('it is known', () => mesh.node('calm')?.gauges['cpuTotalPct'] === 2)
    const given = []
    for (let i = 0; i < 6; i++)
      given.push(
        (await httpClient(server, randomUUID(), { requirements: { preferredLocation: 'sea' } })).nodeId,
      )
    t.same(new Set(given), new Set(['calm']))
    await beat('calm', calm.token, { cpuUsage: 89, latency: 400, bandwidth: { up: 99, down: 0 } })
    await beat('busy', busy.token, { cpuUsage: 2, latency: 5, bandwidth: { up: 1, down: 0 } })
    await until('it is known', () => mesh.node('busy')?.gauges['cpuTotalPct'] === 2)
    const turned = await httpClient(server, randomUUID(), { requirements: { preferredLocation: 'sea' } })
    t.equal(turned.nodeId, 'busy')
  })

  t.test('B-078: clients are spread over nodes that are alike', async t => {
    for (const id of ['east', 'west']) await httpNode(server, id, { location: { country: 'FI', region: '' } })
    const given = new Map<string, number>()
    for (let i = 0; i < 10; i++) {
      const { nodeId } = await httpClient(server, randomUUID(), { requirements: { preferredCountry: 'FI' } })
      given.set(nodeId, (given.get(nodeId) ?? 0) + 1)
    }
    t.ok((given.get('east') ?? 0) >= 3 && (given.get('west') ?? 0) >= 3, JSON.stringify([...given]))
  })

  t.test('B-079: who would be next is told too, the best first', async t => {
    const { answer } = await httpClient(server, randomUUID(), { requirements: { preferredCountry: 'FI' } })
    t.equal(answer.routes.length, 2)
    const [first, second] = answer.routes
    t.not(first.path[0], second.path[0])
    t.ok(first.priority > second.priority && first.cost <= second.cost)
    t.notOk(answer.routes.some(({ type }: { type: string }) => type === 'cascade'))
  })

  t.test('B-080: the session token names client, node, session and route, and ends with it', async t => {
    const { id, token, routeId, nodeId, answer } = await httpClient(server, randomUUID())
    t.match(decodeJwt(token), {
      sub: id,
      type: 'client',
      clientId: id,
      nodeId,
      routeId,
      sessionId: String(mesh.client(id)?.sessionId),
    })
    t.ok(Math.abs((decodeJwt(token).exp ?? 0) * 1_000 - answer.selectedRoute.expiresAt) < 2_000)
    const other = await httpClient(server, randomUUID())
    t.equal((await request(routeRequest(id), other.token)).status, 403, 'it is nobody else’s')
    t.equal((await request(routeRequest(id), `${token.slice(0, -4)}AAAA`)).status, 401, 'it is signed')
    t.equal((await request(routeRequest(id), key)).status, 401, 'an enrolment key makes nobody who is known')
  })

  t.test('B-077, B-081: latency is what was measured', async t => {
    const unknown = await httpClient(server, randomUUID(), { targetNodeId: 'atlantic' })
    t.match(unknown.answer.routes[0], { estimatedLatency: null, nodeRttMs: null })
    await online(t, url.replace('http', 'ws'), 'wired', await server.enrolmentKey('node'))
    await until('its round trip is known', () => mesh.node('wired')?.rttMs !== null)
    const near = await httpClient(server, randomUUID(), { requirements: { maxLatency: 1_000 } })
    t.equal(near.nodeId, 'wired')
    const [row] = near.answer.routes
    t.ok(row.nodeRttMs > 0 && row.nodeRttMs < 1_000)
    t.equal(row.estimatedLatency, null, 'the client’s own round trip is not known over HTTP')
    t.match(
      near.answer.selectedRoute.wireguardConfig,
      { serverEndpoint: null, serverPort: null },
      'where it is it has not said',
    )
  })

  t.test('B-082: what WireGuard is told is the node’s own', async t => {
    for (const node of [atlantic, baltic]) {
      const { answer } = await httpClient(server, randomUUID(), { targetNodeId: node.id })
      t.equal(answer.selectedRoute.wireguardConfig.serverPublicKey, node.body.publicKey)
      t.notMatch(JSON.stringify(answer), /placeholder|localhost/i)
    }
  })
})

/** Two nodes that only their load tells apart. */
const AT_SEA = { location: { country: 'IS', region: 'sea' } }
