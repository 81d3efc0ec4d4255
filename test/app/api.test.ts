/** The operator's HTTP interface, over a real mesh with a store in memory. */
import t from 'tap'
import type { Store } from '../../src/actors/ports.js'
import { VERSION } from '../../src/app/version.js'
import { coordinator, memoryStore, online } from '../support/coordinator.js'

t.test(
  'B-030, B-031, B-032: a coordinator whose parts are all there is healthy, ready and alive',
  async t => {
    const { get } = await coordinator(t, { redis: async () => 0.25 })
    const { status, body } = await get('/health')
    t.equal(status, 200)
    t.match(body, {
      status: 'healthy',
      timestamp: /^\d{4}-\d\d-\d\dT/,
      uptime: Number,
      services: {
        database: { status: 'healthy', latency: Number },
        redis: { status: 'healthy', latency: 0.3 },
        turn: { status: 'disabled', state: 'off' },
        relay: { status: 'healthy', connections: 0 },
      },
    })
    t.same(await get('/health/ready'), { status: 200, body: { status: 'ready' } })
    t.match(await get('/health/live'), { status: 200, body: { status: 'alive', uptime: Number } })
  },
)

t.test('Redis that nobody configured is disabled, not missing', async t => {
  const { get } = await coordinator(t)
  t.match((await get('/health')).body, {
    status: 'healthy',
    services: { redis: { status: 'disabled', latency: null } },
  })
})

t.test('B-033: a database that is away degrades the coordinator, which goes on serving', async t => {
  const { get } = await coordinator(t, { database: async () => Promise.reject(new Error('away')) })
  const { status, body } = await get('/health')
  t.equal(status, 200)
  t.match(body, { status: 'degraded', services: { database: { status: 'unhealthy', latency: null } } })
  t.same(await get('/health/ready'), {
    status: 200,
    body: { status: 'degraded-but-serving', unavailable: ['database'] },
  })
})

t.test('a database that never answers is away after two seconds', async t => {
  const { get } = await coordinator(t, { database: () => new Promise(() => {}) })
  const startedMs = performance.now()
  t.match((await get('/health')).body, { status: 'degraded' })
  t.ok(performance.now() - startedMs < 4_000)
})

t.test('B-030, B-031: a coordinator that has stopped is not ready', async t => {
  const { get, mesh } = await coordinator(t)
  await mesh.stop({ spreadMs: 0 })
  t.equal((await get('/health')).status, 503)
  t.same(await get('/health/ready'), { status: 503, body: { status: 'not ready' } })
  t.match(await get('/health/live'), { status: 200, body: { status: 'alive' } })
})

t.test('everything but health and metrics needs the token', async t => {
  const { get, ask } = await coordinator(t)
  for (const page of [
    'status',
    'nodes',
    'clients',
    'routes',
    'audit',
    'enrolment-keys',
    'paths',
    'paths/65536',
    'why',
    'identities/fra-1/steering',
    'routes/alice/explanation',
  ])
    t.equal((await get(`/api/v1/${page}`)).status, 401, page)
  t.equal((await ask('POST', '/api/v1/enrolment-keys', {}, {})).status, 401)
  t.equal((await ask('DELETE', '/api/v1/enrolment-keys/x', undefined, {})).status, 401)
  t.equal((await ask('POST', '/api/v1/routes', { clientId: 'alice' }, {})).status, 401)
  t.equal((await ask('PATCH', '/api/v1/identities/alice/steering', {}, {})).status, 401)
})

t.test('an enrolment key is made, enrols a node, is listed without its secret, and is revoked', async t => {
  const { ask, url } = await coordinator(t)
  const made = await ask('POST', '/api/v1/enrolment-keys', { role: 'node', uses: 2, note: 'for fra-1' })
  t.equal(made.status, 201)
  const { keyId, secret } = made.body as { keyId: string; secret: string }
  const node = await online(t, url, 'fra-1', secret)
  t.match((await ask('GET', '/api/v1/nodes')).body, {
    nodes: [{ id: 'fra-1', state: 'online', overlay4: String }],
  })
  const { keys } = (await ask('GET', '/api/v1/enrolment-keys')).body as { keys: { keyId: string }[] }
  t.match(keys, [{ keyId, role: 'node', usesLeft: 1, note: 'for fra-1', revokedAt: null }])
  t.notMatch(JSON.stringify(keys), secret)
  t.match(await ask('DELETE', `/api/v1/enrolment-keys/${keyId}`), { status: 200, body: { revoked: true } })
  t.match(await ask('DELETE', '/api/v1/enrolment-keys/nothing'), { status: 404 })
  await node.stop()
})

t.test('what a wish for an enrolment key may not say', async t => {
  const { ask } = await coordinator(t)
  const table: readonly (readonly [object, RegExp])[] = [
    [{ role: 'king' }, /role/],
    [{ uses: 0 }, /uses/],
    [{ uses: 1.5 }, /uses/],
    [{ ttlMs: 1 }, /ttlMs/],
    [{ note: 'x'.repeat(257) }, /note/],
    [{ user: 'me' }, /user/],
  ]
  for (const [wish, message] of table) {
    const { status, body } = await ask('POST', '/api/v1/enrolment-keys', wish)
    t.equal(status, 400)
    t.match((body as { error: { message: string } }).error.message, message)
  }
})

t.test(
  'keys cannot be changed while the database is away, and the caller is told when to come back',
  async t => {
    const { ask } = await coordinator(t, { store: awayStore() })
    const { status, body } = await ask('GET', '/api/v1/enrolment-keys')
    t.equal(status, 503)
    t.match((body as { error: { message: string } }).error.message, 'the database is away')
  },
)

t.test('the status says what the command prints', async t => {
  const { ask, url, secretOf } = await coordinator(t)
  await online(t, url, 'fra-1', await secretOf())
  t.match((await ask('GET', '/api/v1/status')).body, {
    version: VERSION,
    serverId: 'test',
    state: 'serving',
    store: { kind: 'memory', status: 'healthy' },
    nodes: { online: 1, total: 1 },
    clients: { online: 0, total: 0 },
    relay: { links: 0, mbps: 0 },
  })
})

t.test('lists are bounded', async t => {
  const { ask } = await coordinator(t)
  t.same((await ask('GET', '/api/v1/routes?limit=5')).body, { routes: [], count: 0, total: 0, next: null })
  for (const limit of ['0', '-1', 'all', '10001'])
    t.equal((await ask('GET', `/api/v1/nodes?limit=${limit}`)).status, 400)
})

t.test('paths are asked for by what matters, one by its link, and a pair by its two ids', async t => {
  const { ask, url, secretOf } = await coordinator(t)
  const secret = await secretOf()
  for (const id of ['fra-1', 'ams-1']) await online(t, url, id, secret)
  t.match(
    await ask(
      'GET',
      '/api/v1/paths?tier=relayed&reason=symmetric_both&client=alice&node=fra-1&sort=-sinceMs',
    ),
    {
      status: 200,
      body: { nowMs: Number, paths: [], total: 0, next: null },
    },
  )
  t.match(await ask('GET', '/api/v1/why?a=fra-1&b=ams-1'), {
    status: 200,
    body: { words: /both nodes/, paths: [], complete: true },
  })
  const table: readonly (readonly [path: string, status: number, says: RegExp])[] = [
    ['paths?tier=fast', 400, /tier: wanted one of opening, relayed/],
    ['paths?reason=bad_luck', 400, /reason: wanted one of .*symmetric_both/],
    ['paths?client=not%20an%20id', 400, /client: wanted 1 to 64/],
    ['paths?after=1e3', 400, /after: wanted `next`/],
    ['paths?limit=0', 400, /limit/],
    ['paths/next', 400, /link: wanted a link id/],
    ['paths/65536', 404, /no live path with link 65536/],
    ['why?a=fra-1', 400, /b: wanted 1 to 64/],
    ['why?a=fra-1&b=fra-1', 400, /two different ids/],
    ['why?a=fra-1&b=nobody', 404, /nobody has enrolled as nobody/],
  ]
  for (const [path, wanted, says] of table) {
    const { status, body } = await ask('GET', `/api/v1/${path}`)
    t.equal(status, wanted, path)
    t.match((body as { error: { message: string } }).error.message, says)
  }
})

t.test('the metrics page has the names that dashboards know, and ours in base units', async t => {
  const { url, secretOf, port } = await coordinator(t)
  await online(t, url, 'fra-1', await secretOf())
  for (const path of ['/metrics', '/api/v1/metrics/prometheus']) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    t.equal(response.status, 200)
    t.match(response.headers.get('content-type'), 'text/plain')
    const page = await response.text()
    for (const line of [
      'bosonserver_active_nodes{status="online",app="bosonserver"} 1',
      'bosonserver_active_connections{app="bosonserver"} 1',
      'bosonserver_node_latency_ms_bucket{le="10",app="bosonserver"}',
      'bosonserver_relay_bandwidth_bytes{direction="in",app="bosonserver"} 0',
      '# TYPE bosonserver_node_cpu_usage_percent gauge',
      '# TYPE bosonserver_node_memory_usage_percent gauge',
      'boson_sessions{role="node",state="online",app="bosonserver"} 1',
      'boson_route_switch_seconds_bucket{cause="node_lost",le="+Inf",app="bosonserver"} 0',
      'boson_node_links{node_id="fra-1",app="bosonserver"} 0',
      'boson_event_loop_delay_seconds{quantile="0.99",app="bosonserver"}',
      'process_resident_memory_bytes',
    ])
      t.ok(page.includes(line), line)
  }
  const again = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  t.ok(
    again.includes(
      'bosonserver_api_requests_total{method="GET",endpoint="/metrics",status="200",app="bosonserver"} 1',
    ),
  )
})

t.test('someone who opens the mesh in a browser is told what it is', async t => {
  const { get, port } = await coordinator(t)
  const root = async (accept: string) =>
    await (await fetch(`http://127.0.0.1:${port}/`, { headers: { accept } })).text()
  t.match(await root('text/html,application/xhtml+xml,*/*;q=0.8'), 'agents connect at /mesh')
  for (const accept of ['*/*', 'application/json'])
    t.equal(await root(accept), '{"msg":"VPN API is running"}', `V-11: ${accept}`)
  t.match(await get('/mesh'), { status: 426, body: { error: { message: /where agents connect/ } } })
})

/** A store in memory whose database has gone. */
function awayStore(): Store {
  const away = Object.assign(new Error('no route to host 10.0.0.5'), { code: 'STORE_UNAVAILABLE' })
  return Object.assign(memoryStore(), { enrolmentKeys: () => Promise.reject(away) })
}
