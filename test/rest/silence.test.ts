/** Nodes over HTTP that fall silent, come back, or outlive the coordinator: rows B-052, B-054, B-058 to B-060, B-083. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { systemClock } from '../../src/kit/clock.js'
import { type Postgres, startPostgres } from '../parts/postgres.js'
import { restServer } from '../support/rest-server.js'
import { shortFolder } from '../support/short-folder.js'
import { until } from '../support/until.js'
import { httpClient, httpNode, registration, routeRequest } from './agents.js'

/** A heartbeat is good for three seconds, and a session without one for one more. */
const HASTY = {
  BOSON_HTTP_BEAT_EVERY_S: '1',
  BOSON_BEAT_EVERY_MS: '500',
  BOSON_RESUME_WINDOW_MS: '1000',
  BOSON_HTTP_PER_MINUTE_PER_IDENTITY: '60000',
}

t.test('a node that falls silent', async t => {
  const server = await restServer(t, { env: HASTY })
  const { ask, mesh } = server
  const beat = (id: string, token: string) =>
    ask('POST', `/api/v1/nodes/${id}/heartbeat`, { token, body: { metrics: { cpuUsage: 5 } } })
  const page = async (id: string) => (await ask('GET', `/api/v1/nodes/${id}`)).body

  const silent = await httpNode(server, 'silent')
  const beganMs = Date.now()
  const client = await httpClient(server, randomUUID())
  const lively = await httpNode(server, 'lively')
  t.equal((await ask('GET', '/api/v1/timing')).body.offlineAfterS, 4)

  await t.test('B-052: nodes that are here are listed, and counted', async t => {
    const { nodes, count, total } = (await ask('GET', '/api/v1/nodes')).body
    t.equal(count, 2)
    t.equal(total, 2)
    t.match(
      nodes,
      ['lively', 'silent'].map(nodeId => ({
        nodeId,
        id: nodeId,
        publicKey: /=$/,
        networkInfo: { ipv4: '192.168.1.1', natType: 'FullCone' },
        capabilities: { maxConnections: 100 },
        location: { country: 'US', region: 'US-CA' },
        status: 'online',
        lastHeartbeat: /Z$/,
        registeredAt: /Z$/,
        state: 'online',
        gauges: {},
      })),
    )
    t.equal((await ask('GET', '/api/v1/nodes', { token: lively.token })).status, 403)
  })

  await t.test('B-054: it is offline after a while, its clients move, and then it is gone', async t => {
    const lived = async () => (await beat('lively', lively.token)).status === 200
    await until('it is offline', async () => (await lived()) && (await page('silent')).status === 'offline')
    const tookMs = Date.now() - beganMs
    t.ok(tookMs > 2_900 && tookMs < 10_000, `${tookMs} ms`)
    await until(
      'its client has moved',
      async () => (await lived()) && mesh.client(client.id)?.nodeId === 'lively',
    )
    const moved = (await ask('GET', `/api/v1/routing/route/${client.routeId}`, { token: client.token })).body
    t.match(
      moved,
      { path: ['lively'], selectedRoute: { nodeEndpoint: { nodeId: 'lively' } } },
      'and can see it',
    )
    await until('it is gone', async () => (await lived()) && mesh.node('silent') === null)
    t.match((await ask('GET', '/api/v1/nodes')).body, { count: 1, nodes: [{ nodeId: 'lively' }] })
  })

  await t.test('B-059: what is known of it stays, and when it came and went', async t => {
    const { lastHeartbeat, ...row } = await page('silent')
    t.match(row, {
      status: 'offline',
      state: null,
      networkInfo: { localPort: 51_820 },
      location: { country: 'US' },
    })
    t.ok(Math.abs(Date.parse(lastHeartbeat) - beganMs) < 1_000, 'last heard when it was')
    const { presence } = (await ask('GET', '/api/v1/nodes/silent/presence', { token: silent.token })).body
    t.match(presence, [
      { became: 'offline', generation: 1, at: /Z$/ },
      { became: 'online', generation: 1, at: /Z$/ },
    ])
    t.equal((await ask('GET', '/api/v1/nodes/silent/presence', { token: lively.token })).status, 403)
  })

  await t.test('its next heartbeat brings it back, without registering', async t => {
    t.equal((await beat('silent', silent.token)).status, 200)
    t.match(mesh.node('silent'), { state: 'online', generation: 2 })
    const { presence } = (await ask('GET', '/api/v1/nodes/silent/presence?limit=1')).body
    t.match(presence, [{ became: 'online', generation: 2 }])
  })

  await t.test('a node that says it goes is gone at once', async t => {
    const answer = await ask('POST', '/api/v1/nodes/silent/heartbeat', {
      token: silent.token,
      body: { status: 'offline' },
    })
    t.match(answer, { status: 200, body: { status: 'ok' } })
    await until('it is gone', () => mesh.node('silent') === null)
  })
})

t.test('B-060: a forwarded address counts from a trusted proxy only', async t => {
  const server = await restServer(t, { env: { BOSON_TRUSTED_PROXIES: '10.0.0.0/8' } })
  const body = registration('fra-1', Buffer.alloc(32, 7))
  const token = await server.enrolmentKey('node')
  const headers = { 'x-forwarded-for': '45.76.12.34' }
  const answer = await server.ask('POST', '/api/v1/nodes/register', { body, token, headers })
  t.match(answer, { status: 201, body: { publicIp: null } })
})

t.test('sessions over HTTP outlive the coordinator', async t => {
  const dataDir = shortFolder()
  const first = await restServer(t, { dataDir })
  const node = await httpNode(first, 'fra-1')
  const client = await httpClient(first, 'anna')
  const place = { clientAddress: '45.76.9.9', clientPort: 51_900 }
  const body = { clientId: 'anna', nodeId: 'fra-1', ...place }
  t.equal((await first.ask('POST', '/api/v1/wireguard/register', { token: client.token, body })).status, 200)
  const before = first.mesh.node('fra-1')
  await first.stop()

  const second = await restServer(t, { dataDir })
  const beat = await second.ask('POST', '/api/v1/nodes/fra-1/heartbeat', { token: node.token, body: {} })
  t.equal(beat.status, 200, 'a token is good as long as it says')
  t.match(second.mesh.node('fra-1'), { state: 'online', sessionId: before?.sessionId, generation: 2 })
  t.match((await second.ask('GET', '/api/v1/nodes/fra-1')).body, {
    networkInfo: { ipv4: '192.168.1.1', localPort: 51_820 },
    capabilities: { bandwidth: { up: 100, down: 100 } },
  })
  const again = await second.ask('POST', '/api/v1/routing/request', {
    token: client.token,
    body: routeRequest('anna'),
  })
  t.match(again.body, { selectedRoute: { id: client.routeId } }, 'a route is kept over the restart')
  t.match((await second.ask('GET', '/api/v1/clients/anna')).body, { ...place, connectionType: 'WireGuard' })
})

t.test('a token is followed by the next one before it is over', async t => {
  let aheadMs = 0
  const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + aheadMs }
  const server = await restServer(t, { clock, env: { JWT_EXPIRES_IN: '1h' } })
  const { token } = await httpNode(server, 'fra-1')
  const beat = (bearer: string) =>
    server.ask('POST', '/api/v1/nodes/fra-1/heartbeat', { token: bearer, body: {} })
  t.notOk('sessionToken' in (await beat(token)).body)
  aheadMs = 40 * 60_000
  const { sessionToken, expiresAt } = (await beat(token)).body
  t.ok(Math.abs(expiresAt - clock.wallMs() - 3_600_000) < 60_000)
  t.notOk('sessionToken' in (await beat(sessionToken)).body, 'once')
  aheadMs = 61 * 60_000
  t.equal((await beat(token)).status, 401)
  t.equal((await beat(sessionToken)).status, 200)
})

t.test('an agent that has a WebSocket by now is not cut off by an old script', async t => {
  const server = await restServer(t, {})
  const node = await httpNode(server, 'fra-1')
  const taken = server.mesh.identity('fra-1')
  const socket = { remote: '192.0.2.1', send: () => 1 as const, buffered: () => 0, close: () => {} }
  const hello = {
    role: 'node',
    id: 'fra-1',
    publicKey: taken?.publicKey ?? new Uint8Array(),
    agent: 'boson',
  } as const
  server.mesh.enter(socket, hello, { by: 'token' })
  const beat = () => server.ask('POST', '/api/v1/nodes/fra-1/heartbeat', { token: node.token, body: {} })
  await until('the mailbox is closed', async () => (await beat()).status === 409)
  t.match((await beat()).body, { detail: /WebSocket/ })
  t.equal((await server.ask('DELETE', '/api/v1/nodes/fra-1')).status, 409)
  const back = await server.ask('POST', '/api/v1/nodes/register', { token: node.token, body: node.body })
  t.equal(back.status, 201, 'who registers means it')
})

const postgres = await startPostgres(t)
if ('missing' in postgres)
  t.test(`a database that is away: ${postgres.missing}`, { skip: true }, async () => {})
else t.test('a database that is away', t => outage(t, postgres))

async function outage(t: Test, postgres: Postgres): Promise<void> {
  const server = await restServer(t, { databaseUrl: await postgres.schema() })
  const { ask } = server
  const node = await httpNode(server, 'fra-1')
  const client = await httpClient(server, 'anna')
  const key = await server.enrolmentKey()
  postgres.pause()
  t.teardown(() => postgres.resume())

  await t.test('B-083: is not needed for routes and heartbeats of those who are known', async t => {
    const tookMs = []
    for (let i = 0; i < 50; i++) {
      const requirements = { minBandwidth: 1 + (i % 7) }
      const startMs = performance.now()
      const body = routeRequest('anna', { requirements })
      t.equal((await ask('POST', '/api/v1/routing/request', { token: client.token, body })).status, 200)
      tookMs.push(performance.now() - startMs)
    }
    t.ok(Math.max(...tookMs) < 1_000, `${Math.max(...tookMs)} ms at worst`)
    t.equal((await ask('POST', '/api/v1/nodes/fra-1/heartbeat', { token: node.token, body: {} })).status, 200)
    t.equal((await ask('GET', '/api/v1/nodes/fra-1', { token: node.token })).status, 200)
    t.equal((await ask('POST', '/api/v1/nodes/register', { token: node.token, body: node.body })).status, 201)
  })

  await t.test('is needed for a first contact, which is told to come back', async t => {
    const answer = await ask('POST', '/api/v1/routing/request', { token: key, body: routeRequest('new') })
    t.match(answer, { status: 503, body: { error: { statusCode: 503 } } })
    t.ok(Number(answer.headers.get('retry-after')) > 0)
  })

  await t.test('hears of it all when it is back', async t => {
    postgres.resume()
    await until('it was written', async () => {
      const { status, body } = await ask('GET', '/api/v1/nodes/fra-1/presence')
      return status === 200 && body.presence.length === 2
    })
    t.equal(
      (await ask('POST', '/api/v1/routing/request', { token: key, body: routeRequest('new') })).status,
      200,
    )
  })
}
