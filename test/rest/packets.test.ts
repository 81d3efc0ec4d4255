/** Packets, WireGuard, clients and TURN over HTTP: rows B-090 to B-095 and B-105 to B-109. */
import { createHmac, randomUUID } from 'node:crypto'
import t from 'tap'
import { online } from '../support/coordinator.js'
import { onEachDatabase, TURN_SECRET } from '../support/rest-server.js'
import { until } from '../support/until.js'
import { httpClient, httpNode, routeRequest } from './agents.js'

const ISO = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/
/** A WireGuard message of each type, told apart by its last byte. */
const wireguard = (type: number, mark: number): string =>
  Buffer.from([type, 0, 0, 0, ...Array.from({ length: 60 }, () => 7), mark]).toString('base64')

onEachDatabase(t, async (t, start) => {
  const server = await start({ turn: true, env: { BOSON_BEAT_EVERY_MS: '2000', HOST: '127.0.0.1' } })
  const { ask, mesh } = server
  const node = await httpNode(server, 'fra-1')
  const post = (path: string, token: string | null, body: unknown) =>
    ask('POST', `/api/v1/${path}`, { token, body })
  const look = (token: string | null, query = '') => ask('GET', `/api/v1/packets${query}`, { token })

  t.test('B-148: a node learns of its clients: their keys, addresses and places', async t => {
    const { token } = await httpNode(server, 'oslo', { location: { country: 'NO', region: '' } })
    const peers = (query = '', by: string | null = token) =>
      ask('GET', `/api/v1/nodes/oslo/peers${query}`, { token: by })
    const { revision, ...none } = (await peers()).body
    t.same(none, { peers: [] })
    const next = peers(`?wait=20000&after=${revision}`)
    const client = await httpClient(server, randomUUID(), { requirements: { preferredCountry: 'NO' } })
    const found = (await next).body
    const { publicKey, overlay4, overlay6 } = mesh.identity(client.id) ?? {}
    t.match(found.peers, [
      {
        clientId: client.id,
        publicKey: Buffer.from(publicKey ?? []).toString('base64'),
        allowedIPs: `${overlay4}/32, ${overlay6}/128`,
        endpoint: null,
        routeId: client.routeId,
      },
    ])
    const beat = await ask('POST', '/api/v1/nodes/oslo/heartbeat', { token, body: {} })
    t.equal(beat.body.peersRevision, found.revision, 'a heartbeat tells whether to look')

    const seen = peers(`?wait=20000&after=${found.revision}`)
    const place = { clientAddress: '45.76.9.9', clientPort: 51_900 }
    const body = { clientId: client.id, nodeId: 'oslo', ...place }
    await post('wireguard/register', client.token, body)
    t.match((await seen).body.peers, [{ clientId: client.id, endpoint: '45.76.9.9:51900' }])

    const left = peers(`?wait=20000&after=${(await peers()).body.revision}`)
    await ask('DELETE', `/api/v1/clients/${client.id}`, { token: client.token })
    t.same((await left).body.peers, [])
    t.equal((await peers('', null)).status, 401)
    t.equal((await peers('', node.token)).status, 403)
    t.equal((await ask('GET', '/api/v1/nodes/oslo/peers')).status, 200, 'operators see them too')
  })

  t.test('B-090: a client tells its node where its WireGuard is', async t => {
    const told: string[] = []
    const wired = await online(
      t,
      server.url.replace('http', 'ws'),
      'wired',
      await server.enrolmentKey('node'),
    )
    const { id, token } = await httpClient(server, randomUUID(), { targetNodeId: 'wired' })
    const body = { clientId: id, nodeId: 'wired', clientAddress: '45.76.9.9', clientPort: 51_900 }
    t.match(await post('wireguard/register', token, { ...body, sessionId: token }), {
      status: 200,
      body: { status: 'registered', clientId: id, nodeId: 'wired' },
    })
    await until('the other end is told', () => {
      const [path] = mesh.paths({ clientId: id }).paths
      const story = path === undefined ? null : mesh.path(path.link)
      told.splice(0, told.length, ...(story?.ends.client.candidates ?? []))
      return told.length > 0
    })
    t.same(told, ['srflx 45.76.9.9:51900'])
    t.match((await ask('GET', `/api/v1/clients/${id}`)).body, {
      clientAddress: '45.76.9.9',
      clientPort: 51_900,
      connectionType: 'WireGuard',
    })
    t.equal(
      (await post('wireguard/register', token, { ...body, nodeId: 'fra-1' })).status,
      409,
      'not its node',
    )
    t.equal((await post('wireguard/register', token, { ...body, nodeId: 'nowhere' })).status, 404)
    t.equal((await post('wireguard/register', node.token, body)).status, 403, 'for itself only')
    t.equal((await post('wireguard/register', null, body)).status, 401)
    t.equal((await post('wireguard/register', token, { ...body, clientAddress: 'localhost' })).status, 400)
    await wired.stop()
  })

  t.test('B-091: and takes it back', async t => {
    const { id, token } = await httpClient(server, randomUUID(), { targetNodeId: 'fra-1' })
    const place = { clientAddress: '2a02:1234::9', clientPort: 51_900 }
    await post('wireguard/register', token, { clientId: id, nodeId: 'fra-1', ...place })
    t.equal((await post('wireguard/unregister', token, { ...place, clientPort: 1 })).status, 404)
    const other = await httpClient(server, randomUUID())
    t.equal(
      (await post('wireguard/unregister', other.token, place)).status,
      404,
      'nobody takes back another’s',
    )
    t.match(await post('wireguard/unregister', token, place), {
      status: 200,
      body: { status: 'unregistered' },
    })
    t.match((await ask('GET', `/api/v1/clients/${id}`)).body, {
      clientAddress: null,
      connectionType: 'Unknown',
    })
    t.equal((await post('wireguard/unregister', token, place)).status, 404)
  })

  t.test('B-093: packets travel both ways, in their order, each once', async t => {
    const { id, token } = await httpClient(server, randomUUID(), { targetNodeId: 'fra-1' })
    for (const mark of [1, 2, 3]) {
      const sent = await post('packets/from-client', token, { clientId: id, packet: wireguard(4, mark) })
      t.match(sent, { status: 200, body: { status: 'ok' } })
    }
    const arrived = await until('they arrive', async () => {
      const { packets } = (await look(node.token, '?wait=1000')).body
      return packets.length > 0 ? packets : null
    })
    const rest = (await look(node.token)).body.packets
    t.match(
      [...arrived, ...rest],
      [1, 2, 3].map(mark => ({ clientId: id, nodeId: 'fra-1', packet: wireguard(4, mark), receivedAt: ISO })),
    )
    t.same((await look(node.token)).body, { packets: [], dropped: 0, more: false })

    const waiting = look(token, '?wait=20000&max=1')
    const back = { clientId: id, nodeId: 'fra-1', sessionId: randomUUID(), timestamp: Date.now() }
    t.equal((await post('packets', node.token, { ...back, packet: wireguard(2, 9) })).status, 200)
    t.match((await waiting).body.packets, [{ clientId: id, nodeId: 'fra-1', packet: wireguard(2, 9) }])
  })

  t.test('B-092, B-093: only WireGuard is carried, and no more than a packet', async t => {
    const { id, token } = await httpClient(server, randomUUID(), { targetNodeId: 'fra-1' })
    const bad = [
      '',
      'not base64',
      Buffer.from('GET / HTTP/1.1').toString('base64'),
      wireguard(5, 0),
      wireguard(0, 0),
    ]
    const large = Buffer.alloc(9_001)
    large[0] = 4
    for (const packet of [...bad, large.toString('base64'), 7])
      t.equal(
        (await post('packets/from-client', token, { clientId: id, packet })).status,
        400,
        String(packet).slice(0, 20),
      )
  })

  t.test('B-095: a packet goes into the sender’s own link and nowhere else', async t => {
    const one = await httpClient(server, randomUUID(), { targetNodeId: 'fra-1' })
    const other = await httpClient(server, randomUUID(), { targetNodeId: 'fra-1' })
    const elsewhere = await httpNode(server, 'ams-1')
    const packet = wireguard(4, 1)
    const from = (token: string | null, body: object) =>
      post('packets/from-client', token, { packet, ...body })
    t.equal((await from(null, { clientId: one.id })).status, 401)
    t.equal((await from(other.token, { clientId: one.id })).status, 403, 'nobody speaks for another')
    t.equal(
      (await ask('POST', '/api/v1/packets/from-client', { body: { clientId: one.id, packet } })).status,
      403,
      'operators neither',
    )
    t.equal(
      (await from(one.token, { clientId: one.id, nodeId: 'ams-1' })).status,
      409,
      'no route leads there',
    )
    t.equal((await from(one.token, { clientId: one.id, nodeId: 'nowhere' })).status, 404)
    t.equal((await from(node.token, { clientId: 'fra-1' })).status, 403, 'that is for clients')
    t.equal((await post('packets', elsewhere.token, { clientId: one.id, packet })).status, 409)
    t.equal(
      (await post('packets', elsewhere.token, { clientId: one.id, nodeId: 'fra-1', packet })).status,
      403,
    )
    t.equal((await post('packets', one.token, { clientId: other.id, packet })).status, 403)
    t.equal((await post('packets', node.token, { clientId: randomUUID(), packet })).status, 404)
    t.equal((await look(null)).status, 401)
    t.equal((await ask('GET', '/api/v1/packets')).status, 403, 'what came for an agent is its own')
    for (const token of [one.token, other.token, elsewhere.token])
      t.same((await look(token)).body.packets, [])
  })

  t.test('B-095: who does not look loses the oldest packets, and is told', async t => {
    const { id, token } = await httpClient(server, randomUUID(), { targetNodeId: 'fra-1' })
    const large = Buffer.alloc(8_000)
    large[0] = 4
    const body = { clientId: id, packet: large.toString('base64') }
    for (let i = 0; i < 20; i++) t.equal((await post('packets/from-client', token, body)).status, 200)
    const seen = { kept: 0, dropped: 0 }
    await until('all are accounted for', async () => {
      const { packets, dropped } = (await look(node.token)).body
      seen.kept += packets.length
      seen.dropped += dropped
      return seen.kept + seen.dropped === 20
    })
    t.ok(seen.dropped >= 4, `${seen.dropped} of 20 were dropped`)
  })

  t.test('B-094: clients are listed with what they asked for', async t => {
    const requirements = { minBandwidth: 1, preferredCountry: 'US' }
    const { id, token, routeId } = await httpClient(server, randomUUID(), { requirements })
    const row = {
      clientId: id,
      nodeId: /./,
      routeId,
      status: 'active',
      createdAt: ISO,
      expiresAt: ISO,
      clientAddress: null,
      clientPort: null,
      connectionType: 'Unknown',
      networkInfo: { ipv4: '192.168.1.2', natType: 'Symmetric', stunMappedAddress: null },
      requirements,
    }
    const { clients, count } = (await ask('GET', '/api/v1/clients')).body
    t.equal(count, clients.length)
    t.match(
      clients.find((one: { id: string }) => one.id === id),
      { ...row, sessionId: String(mesh.client(id)?.sessionId), overlay4: /^10\.77\./ },
      'beside what the mesh tells of every client',
    )
    t.match((await ask('GET', `/api/v1/clients/${id}`, { token })).body, { ...row, state: 'online' })
    await online(t, server.url.replace('http', 'ws'), 'anna', await server.enrolmentKey('client'), 'client')
    t.match((await ask('GET', '/api/v1/clients/anna')).body, { connectionType: 'WebSocket', expiresAt: null })
    t.equal((await ask('GET', `/api/v1/clients/${randomUUID()}`)).status, 404)
    t.equal((await ask('GET', '/api/v1/clients/anna', { token })).status, 403)
    t.equal((await ask('GET', '/api/v1/clients', { token })).status, 403, 'the list is for operators')
  })

  t.test('a client that leaves gives its place back', async t => {
    const { id, token } = await httpClient(server, randomUUID())
    t.equal((await ask('DELETE', `/api/v1/clients/${id}`, { token })).status, 204)
    await until('it is gone', () => mesh.client(id) === null)
    t.match((await ask('GET', `/api/v1/clients/${id}`)).body, { status: 'closed', routeId: null })
    t.equal((await post('routing/request', token, routeRequest(id))).status, 200, 'and may come again')
  })

  t.test('B-105, B-107: ICE servers come with credentials that name the session', async t => {
    const { iceServers } = (await ask('GET', '/api/v1/turn/ice', { token: node.token })).body
    const stun = iceServers.filter((one: { username?: string }) => one.username === undefined)
    const [turn] = iceServers.filter((one: { username?: string }) => one.username !== undefined)
    t.match(stun, [{ urls: /^stun:127\.0\.0\.1:\d+$/ }])
    t.match(turn, { urls: [/^turn:127\.0\.0\.1:\d+\?transport=udp$/, /^turn:/], username: /^\d{10}:fra-1$/ })
    const password = createHmac('sha1', TURN_SECRET).update(turn.username).digest('base64')
    t.equal(turn.credential, password, 'as coturn’s static secret makes them')
  })

  t.test('B-106: TURN and STUN servers by host and port', async t => {
    const { servers } = (await ask('GET', '/api/v1/turn/servers', { token: node.token })).body
    t.match(servers, [
      { host: '127.0.0.1', port: Number, realm: 'bosonserver', username: /:fra-1$/, password: /=$/ },
    ])
    t.ok(servers[0].ttl > 0 && servers[0].ttl <= 3_600, `${servers[0].ttl} s`)
    const stun = (await ask('GET', '/api/v1/turn/stun', { token: node.token })).body.servers
    t.match(stun, [{ host: '127.0.0.1', port: Number }])
  })

  t.test('B-109: credentials are for who has a session, and are not made anew for each question', async t => {
    for (const page of ['ice', 'servers', 'stun']) {
      t.equal((await ask('GET', `/api/v1/turn/${page}`, { token: null })).status, 401, page)
      t.equal((await ask('GET', `/api/v1/turn/${page}`, { token: 'x' })).status, 401, page)
    }
    const gone = await httpNode(server, 'gone')
    await ask('DELETE', '/api/v1/nodes/gone', { token: gone.token })
    await until('it is gone', () => mesh.node('gone') === null)
    t.equal((await ask('GET', '/api/v1/turn/ice', { token: gone.token })).status, 409)
    t.equal((await ask('GET', '/api/v1/turn/ice')).status, 400, 'operators name whom they are for')
    t.match(await ask('GET', '/api/v1/turn/ice?for=fra-1'), { status: 200, body: { iceServers: [{}] } })
    const names = new Set<string>()
    for (let i = 0; i < 5; i++)
      for (const { username } of (await ask('GET', '/api/v1/turn/servers', { token: node.token })).body
        .servers)
        names.add(username)
    t.ok(names.size <= 2, 'one a minute')
  })
})
