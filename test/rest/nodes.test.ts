/** Nodes that speak HTTP: rows B-040 to B-061 of what the first BosonServer promised. */
import { randomUUID } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import type { AuditEvent } from '../../src/actors/ports.js'
import { makeProof, newKeyPair, privateKeyOf } from '../../src/protocol/proof.js'
import { onEachDatabase } from '../support/rest-server.js'
import { until } from '../support/until.js'
import { httpNode, registration } from './agents.js'

const ISO = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/
const PUBLIC_IP = '45.76.12.34'

onEachDatabase(t, async (t, start) => {
  const server = await start({
    env: {
      BOSON_TRUSTED_PROXIES: '127.0.0.1/32',
      BOSON_TURN_ADDRESS: '45.76.0.1',
      BOSON_PUBLIC_URL: 'https://mesh.example.org',
    },
  })
  const { ask, mesh } = server
  const register = (body: unknown, token: string | null, headers = {}) =>
    ask('POST', '/api/v1/nodes/register', { body, token, headers })
  const beat = (id: string, token: string | null, body: unknown = {}, headers = {}) =>
    ask('POST', `/api/v1/nodes/${id}/heartbeat`, { body, token, headers })
  const page = async (id: string) => (await ask('GET', `/api/v1/nodes/${id}`)).body
  const key = await server.enrolmentKey('node')

  t.test('B-040: a node registers, and its session is one of the mesh', async t => {
    const id = randomUUID()
    const answer = await register(registration(id, newKeyPair().publicKey), key)
    t.equal(answer.status, 201)
    t.match(mesh.node(id), { state: 'online', generation: 1, overlay4: /^10\.77\./ })
  })

  t.test('B-041: what does not fit is refused field by field, with what was wanted', async t => {
    const good = registration(randomUUID(), newKeyPair().publicKey)
    const { networkInfo } = good
    const bad: [string, object, RegExp][] = [
      ['no id', { ...good, nodeId: undefined }, /nodeId/],
      ['an id with a slash', { ...good, nodeId: '../etc' }, /nodeId/],
      [
        'the key of the documents',
        { ...good, publicKey: 'wireguard-public-key' },
        /publicKey: .*44 characters/,
      ],
      ['an address that is none', { ...good, networkInfo: { ...networkInfo, ipv4: '300.1.1.1' } }, /ipv4/],
      ['a NAT that nobody knows', { ...good, networkInfo: { ...networkInfo, natType: 'Cone' } }, /natType/],
      ['port 0', { ...good, networkInfo: { ...networkInfo, localPort: 0 } }, /localPort/],
      [
        'no connections',
        { ...good, capabilities: { ...good.capabilities, maxConnections: 0 } },
        /maxConnections/,
      ],
      ['a country of three letters', { ...good, location: { country: 'USA', region: '' } }, /country/],
      ['a region with a line break', { ...good, location: { country: 'US', region: 'a\nb' } }, /region/],
      [
        'a mapped address without a port',
        { ...good, networkInfo: { ...networkInfo, stunMappedAddress: 'x' } },
        /stunMappedAddress/,
      ],
    ]
    for (const [name, body, wanted] of bad) {
      const answer = await register(body, key)
      t.match(answer, { status: 400, body: { error: { statusCode: 400, message: wanted } } }, name)
    }
    const full = {
      ...networkInfo,
      ipv6: '2a02:1234::5',
      natType: 'Symmetric',
      stunMappedAddress: '45.76.12.34:40112',
      publicIp: '8.8.8.8',
    }
    t.equal((await register({ ...good, networkInfo: full }, key)).status, 201)
    t.match(await page(good.nodeId), {
      publicKey: good.publicKey,
      networkInfo: { ...full, publicIp: '45.76.0.1' },
    })
  })

  t.test('B-042: capabilities that the documents leave out have defaults', async t => {
    const { id } = await httpNode(server, randomUUID())
    t.same((await page(id)).capabilities, {
      maxConnections: 100,
      bandwidth: { up: 100, down: 100 },
      routing: true,
      natting: false,
    })
    const capabilities = { maxConnections: 7, bandwidth: { up: 20, down: 50 }, routing: false, natting: true }
    const exit = await httpNode(server, randomUUID(), { capabilities })
    t.same((await page(exit.id)).capabilities, capabilities)
    t.match(mesh.node(exit.id), { profile: { maxSessions: 7, bandwidthMbps: 20, exit: true } })
  })

  t.test('B-043: where it is counts when routes are chosen', async t => {
    const location = { country: 'de', region: 'eu-central', coordinates: [50.1, 8.7] }
    const { id } = await httpNode(server, randomUUID(), { location })
    t.same((await page(id)).location, { ...location, country: 'DE' })
    t.match(mesh.node(id), {
      profile: { country: 'DE', region: 'eu-central', latitude: 50.1, longitude: 8.7 },
    })
  })

  t.test('B-044: figures and a wish for the interval may come along', async t => {
    const metrics = { latency: 12, jitter: 1.5, packetLoss: 0.1, cpuUsage: 20, memoryUsage: 30 }
    const { id, registered } = await httpNode(server, randomUUID(), { metrics, heartbeatInterval: 15 })
    t.equal(registered.nextHeartbeat, 15)
    await until('the figures are there', () => mesh.node(id)?.gauges['cpuTotalPct'] === 20)
    t.match((await page(id)).metrics, metrics)
    const eager = { ...registration(randomUUID(), newKeyPair().publicKey), heartbeatInterval: 9 }
    t.equal((await register(eager, key)).status, 400)
  })

  t.test('B-045: the answer has all that a node needs, and a token of its own', async t => {
    const { id, token, registered } = await httpNode(server, randomUUID())
    t.match(registered, {
      nodeId: id,
      status: 'registered',
      relayServers: [{ id: 'test', host: 'mesh.example.org', port: 443, protocol: 'websocket' }],
      stunServers: [],
      nextHeartbeat: 30,
      generation: 1,
      overlay4: /^10\.77\.\d+\.\d+\/32$/,
      overlay6: /^fd77:b050:.*\/128$/,
    })
    const lifeMs = registered.expiresAt - Date.now()
    t.ok(Math.abs(lifeMs - 86_400_000) < 60_000, 'a day')
    t.equal(decodeProtectedHeader(token).alg, 'HS256')
    t.match(decodeJwt(token), { nodeId: id, type: 'node', sub: id, exp: registered.expiresAt / 1_000 })
  })

  t.test('B-046: the coordinator sees where a node is', async t => {
    const body = registration(randomUUID(), newKeyPair().publicKey)
    const answer = await register(body, key, { 'x-forwarded-for': PUBLIC_IP })
    t.equal(answer.body.publicIp, PUBLIC_IP)
    t.equal((await page(body.nodeId)).networkInfo.publicIp, PUBLIC_IP)
    const near = await httpNode(server, randomUUID())
    t.equal(near.registered.publicIp, '45.76.0.1', 'one beside the coordinator is seen at its address')
  })

  t.test('B-047: a heartbeat tells how the node is', async t => {
    const { id, token } = await httpNode(server, randomUUID())
    const metrics = {
      latency: 50,
      jitter: 2,
      packetLoss: 0,
      cpuUsage: 30,
      memoryUsage: 40,
      activeConnections: 5,
      bandwidth: { up: 10, down: 25 },
    }
    t.equal((await beat(id, token, { metrics, status: 'online' })).status, 200)
    await until('the figures are there', () => mesh.node(id)?.gauges['cpuTotalPct'] === 30)
    t.match(await page(id), { metrics, status: 'online', lastHeartbeat: ISO })
    t.equal((await beat(id, token)).status, 200, 'nothing has to be told')
    for (const body of [
      { metrics: { cpuUsage: 101 } },
      { metrics: { latency: -1 } },
      { status: 'tired' },
      '[]',
      'no',
    ])
      t.equal((await beat(id, token, body)).status, 400, JSON.stringify(body))
  })

  t.test('B-048: the answer says when to come again, and what to do', async t => {
    const { id, token } = await httpNode(server, randomUUID())
    t.strictSame((await beat(id, token, { metrics: { cpuUsage: 10 } })).body, {
      status: 'ok',
      nextHeartbeat: 30,
      peersRevision: '1.0',
      actions: [],
    })
    t.match((await beat(id, token, { status: 'degraded' })).body, { status: 'ok', nextHeartbeat: 10 })
    t.match((await beat(id, token, { status: 'online' })).body, { nextHeartbeat: 30 })
  })

  t.test('B-049: a node beyond its limits is degraded', async t => {
    const { id, token } = await httpNode(server, randomUUID())
    for (const metrics of [{ cpuUsage: 90.5 }, { memoryUsage: 95 }, { packetLoss: 11 }]) {
      t.equal((await beat(id, token, { metrics })).body.nextHeartbeat, 10, JSON.stringify(metrics))
      await until('it shows', async () => (await page(id)).status === 'degraded')
    }
    const metrics = { cpuUsage: 90, memoryUsage: 90, packetLoss: 10 }
    t.equal((await beat(id, token, { metrics })).body.nextHeartbeat, 30, 'at the limit it is well')
    await until('it shows', async () => (await page(id)).status === 'online')
  })

  t.test('B-050: a heartbeat from elsewhere moves the node', async t => {
    const { id, token } = await httpNode(server, randomUUID())
    await beat(id, token, {}, { 'x-forwarded-for': PUBLIC_IP })
    t.equal((await page(id)).networkInfo.publicIp, PUBLIC_IP)
  })

  t.test('B-051: a node can be looked at by itself and by operators', async t => {
    const { id, token } = await httpNode(server, randomUUID())
    t.match((await ask('GET', `/api/v1/nodes/${id}`, { token })).body, { nodeId: id, registeredAt: ISO })
    t.equal((await ask('GET', `/api/v1/nodes/${id}`, { token: null })).status, 401)
    const other = await httpNode(server, randomUUID())
    t.equal((await ask('GET', `/api/v1/nodes/${id}`, { token: other.token })).status, 403)
    t.match(await ask('GET', `/api/v1/nodes/${randomUUID()}`), {
      status: 404,
      body: { error: { statusCode: 404 } },
    })
  })

  t.test('B-053: a node is deleted: its session ends, and it stays known', async t => {
    const { id, token } = await httpNode(server, randomUUID())
    const gone = await ask('DELETE', `/api/v1/nodes/${id}`, { token })
    t.equal(gone.status, 204)
    t.equal(gone.body, null)
    await until('its session ends', () => mesh.node(id) === null)
    t.match(await page(id), {
      status: 'offline',
      state: null,
      lastHeartbeat: ISO,
      networkInfo: { localPort: 51820 },
    })
    t.equal((await ask('DELETE', `/api/v1/nodes/${id}`)).status, 204, 'once more does no harm')
    t.equal((await ask('DELETE', `/api/v1/nodes/${randomUUID()}`)).status, 404)
    t.match((await beat(id, token)).status, 200, 'its next heartbeat brings it back')
    t.match(mesh.node(id), { state: 'online', generation: 2 })
  })

  t.test('B-055: a heartbeat or an end needs the node’s own token', async t => {
    const one = await httpNode(server, randomUUID())
    const other = await httpNode(server, randomUUID())
    const forged = `${other.token.slice(0, -4)}AAAA`
    t.match(await beat(one.id, other.token), { status: 403, body: { error: { statusCode: 403 } } })
    t.equal((await beat(one.id, null)).status, 401)
    t.equal((await beat(one.id, forged)).status, 401)
    t.equal((await beat(one.id, key)).status, 401, 'an enrolment key is no session token')
    t.equal((await ask('DELETE', `/api/v1/nodes/${one.id}`, { token: other.token })).status, 403)
    t.match(mesh.node(one.id), { state: 'online' })
  })

  t.test('B-056: nobody becomes a node that exists without its token or its key', async t => {
    const { id, token, privateKey, body } = await httpNode(server, randomUUID())
    t.match(await register(body, null), { status: 401, body: { detail: /session token/ } })
    t.match(
      await register(body, key),
      { status: 401, body: { detail: /proof/ } },
      'an enrolment key is not enough',
    )
    const thief = { ...body, publicKey: registration(id, newKeyPair().publicKey).publicKey }
    for (const bearer of [key, token])
      t.match(await register(thief, bearer), { status: 409, body: { code: 'key_mismatch' } })
    await until('it is written down', async () => {
      const { audit } = (await ask('GET', '/api/v1/audit')).body
      return audit.some((line: AuditEvent) => line.kind === 'identity.key_mismatch' && line.subject === id)
    })
    t.match(await register(body, token), { status: 201, body: { generation: 2 } }, 'its own token')

    const { serverId, challenge, nonce } = (await ask('GET', '/api/v1/challenge', { token: null })).body
    const bound = { nonce: Buffer.from(nonce, 'base64'), role: 'node', id, serverId } as const
    const made = makeProof(privateKeyOf(privateKey), Buffer.from(challenge, 'base64'), bound)
    const proof = { nonce, proof: Buffer.from(made).toString('base64') }
    t.match(
      await register({ ...body, proof }, null),
      { status: 201, body: { generation: 3 } },
      'a proof of its key',
    )
    t.equal((await register({ ...body, proof }, null)).status, 401, 'a challenge serves once')
  })

  t.test('B-056: a newcomer needs an enrolment key, or the operator', async t => {
    const body = registration(randomUUID(), newKeyPair().publicKey)
    t.match(await register(body, null), { status: 401, body: { detail: /enrolment key/ } })
    t.match(await register(body, 'bek_no_such_key'), { status: 403, body: { code: 'not_authorised' } })
    t.match(await register(body, await server.enrolmentKey('client')), { status: 403 }, 'one for nodes')
    const operator = await ask('POST', '/api/v1/nodes/register', { body })
    t.equal(operator.status, 201)
    t.match(await ask('POST', '/api/v1/nodes/register', { body }), { status: 201, body: { generation: 2 } })
    await until('that an operator vouched for it is written down', async () => {
      const { audit } = (await ask('GET', '/api/v1/audit')).body
      return audit.some(
        (line: AuditEvent) => line.kind === 'identity.vouched' && line.subject === body.nodeId,
      )
    })
    const twice = registration(randomUUID(), Buffer.from(body.publicKey, 'base64'))
    t.match(await register(twice, key), { status: 409, body: { code: 'key_in_use' } })
  })

  t.test('B-061: what counts as silence is told', async t => {
    t.same((await ask('GET', '/api/v1/timing', { token: null })).body, {
      heartbeatEveryS: 30,
      degradedHeartbeatEveryS: 10,
      heartbeatGoodForS: 90,
      offlineAfterS: 110,
      goneAfterS: 230,
      clientKeptS: 3_600,
    })
  })
})
