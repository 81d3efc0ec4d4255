/** The first heartbeat server, H-01 to H-12, and what agents of its kind send. */
import t from 'tap'
import type { Plugin } from '../../src/app/plugin.js'
import { PLUGINS } from '../../src/app/plugins.js'
import { onEachDatabase, restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'
import { httpClient, httpNode } from './agents.js'

/** As its documentation shows it. */
const EXAMPLE = {
  server_id: 'server-001',
  generated_at: '2024-01-15T10:30:00Z',
  ready_at: '2024-01-15T10:30:01Z',
  iface: 'eth0',
  ping_target: '1.1.1.1',
  uptime_s: 86400,
  load1: '0.75',
  mem_total_mb: 2048,
  mem_free_mb: 1024,
  cpu_total_pct: 25.5,
  softirq_pct: 5.2,
  bw_rx_mbps: 100.5,
  bw_tx_mbps: 50.2,
  bw_total_mbps: 150.7,
  pps_rx: 1500,
  pps_tx: 800,
  pps_total: 2300,
  conn_est_rate_s: 50,
  active_conns: 1200,
  conntrack_usage_pct: 15.5,
  rx_dropped: 0,
  tx_dropped: 0,
  latency_p50_ms: 25.5,
  latency_p95_ms: 45.2,
  packet_loss_pct: 0.1,
}

await onEachDatabase(t, async (t, start) => {
  const server = await start({ env: { BOSON_BEAT_EVERY_MS: '200' } })
  const { ask } = server
  const beat = (change: object = {}) => ask('POST', '/heartbeat', { body: { ...EXAMPLE, ...change } })

  await t.test('H-01, H-06, H-11: the documented heartbeat is taken, all 25 fields of it', async t => {
    const { status, body } = await beat()
    t.equal(status, 200)
    t.match(body, { success: true, message: 'Heartbeat received', heartbeat_id: Number })
    const { heartbeats } = (await ask('GET', '/servers/server-001/heartbeats')).body
    t.match(heartbeats, [
      {
        ...EXAMPLE,
        id: body.heartbeat_id,
        generated_at: '2024-01-15T10:30:00.000Z',
        ready_at: '2024-01-15T10:30:01.000Z',
      },
    ])
    t.equal(Object.keys(EXAMPLE).length, 25)
  })

  await t.test('H-06: the load may be a number, and what an agent cannot measure is left out', async t => {
    t.match(await beat({ server_id: 'h-06', load1: 0.75 }), { status: 200 })
    t.match(await beat({ server_id: 'h-06', cpu_total_pct: null, iface: null }), { status: 200 })
    const least = { server_id: 'h-06', generated_at: '2024-01-15T10:30:00.123456' }
    t.match(await ask('POST', '/heartbeat', { body: least }), { status: 200 })
    const { heartbeats } = (await ask('GET', '/servers/h-06/heartbeats')).body
    t.match(heartbeats, [
      { generated_at: '2024-01-15T10:30:00.123Z', load1: null, ready_at: null },
      { cpu_total_pct: null, iface: null },
      { load1: '0.75' },
    ])
  })

  await t.test('H-02, H-07, H-08: the first heartbeat registers a server, the last one dates it', async t => {
    const before = Date.now()
    await beat({ server_id: 'h-07' })
    const find = async (query = '') =>
      (await ask('GET', `/servers?${query}`)).body.servers.filter(
        (one: { server_id: string }) => one.server_id === 'h-07',
      )
    const [first] = await find()
    t.match(first, { name: 'h-07', description: '', is_active: true, is_online: true })
    t.ok(Date.parse(first.created_at) >= before - 1)
    await beat({ server_id: 'h-07' })
    const [second] = await find()
    t.equal(second.created_at, first.created_at)
    t.ok(Date.parse(second.last_heartbeat_at) > Date.parse(first.last_heartbeat_at))
    const registered = await until('it is audited', async () => {
      const { audit } = (await ask('GET', '/api/v1/audit')).body
      return audit.find(
        ({ kind, subject }: { kind: string; subject: string }) =>
          kind === 'server.registered' && subject === 'h-07',
      )
    })
    t.match(registered, { actor: 'operator' })
    t.equal((await find('is_online=false')).length, 0)
    t.match(await ask('GET', '/servers?limit=1'), { body: { count: 1, next: String } })
  })

  await t.test('H-12: an operator names, describes and retires a server', async t => {
    await beat({ server_id: 'h-12' })
    const change = { name: 'Frankfurt', description: 'the old one', is_active: false }
    t.match(await ask('PATCH', '/servers/h-12', { body: change }), { status: 200, body: change })
    t.match(await ask('PATCH', '/servers/h-12', { body: {} }), { status: 200, body: change })
    t.match(await ask('GET', '/servers?is_active=false'), {
      body: { total: 1, servers: [{ server_id: 'h-12' }] },
    })
    t.match(await ask('PATCH', '/servers/nobody', { body: change }), { status: 404 })
    t.match(await ask('PATCH', '/servers/h-12', { body: { is_active: 'no' } }), { status: 400 })
  })

  await t.test('H-03: the last day of a server', async t => {
    t.match((await ask('GET', '/servers/h-03/stats')).body, {
      server_id: 'h-03',
      is_registered: false,
      last_heartbeat: null,
      heartbeat_count: 0,
      avg_cpu_pct: null,
    })
    await beat({ server_id: 'h-03', cpu_total_pct: 20, mem_free_mb: 1_024, latency_p50_ms: 10 })
    await beat({ server_id: 'h-03', cpu_total_pct: 40, mem_free_mb: 512, latency_p50_ms: null })
    t.match((await ask('GET', '/servers/h-03/stats')).body, {
      server_id: 'h-03',
      is_registered: true,
      last_heartbeat: String,
      heartbeat_count: 2,
      avg_cpu_pct: 30,
      avg_mem_usage_pct: 62.5,
      avg_latency_ms: 10,
    })
  })

  await t.test('H-04: heartbeats by limit and offset, the newest first', async t => {
    for (const uptime_s of [1, 2, 3, 4, 5]) await beat({ server_id: 'h-04', uptime_s })
    const uptimes = async (query: string) => {
      const { body } = await ask('GET', `/servers/h-04/heartbeats?${query}`)
      return [body.total, body.heartbeats.map(({ uptime_s }: { uptime_s: number }) => uptime_s)]
    }
    t.same(await uptimes(''), [5, [5, 4, 3, 2, 1]])
    t.same(await uptimes('limit=2'), [5, [5, 4]])
    t.same(await uptimes('limit=2&offset=3'), [5, [2, 1]])
    t.same(await uptimes('offset=9'), [5, []])
    t.match(await ask('GET', '/servers/h-04/heartbeats?limit=0'), { status: 400 })
    t.match(await ask('GET', '/servers/nobody/heartbeats'), { status: 404 })
  })

  await t.test('H-05: the root is open, everything else wants the token', async t => {
    const nobody = { token: null }
    t.match(await ask('GET', '/', nobody), { status: 200 })
    for (const path of ['/servers', '/servers/a/stats', '/servers/a/heartbeats'])
      t.match(await ask('GET', path, nobody), { status: 401 })
    t.match(await ask('POST', '/heartbeat', { body: EXAMPLE, token: null }), { status: 401 })
    const literal = { body: EXAMPLE, token: 'your-secret-token-here' }
    t.match(await ask('POST', '/heartbeat', literal), { status: 401, body: { error: { statusCode: 401 } } })
  })

  await t.test('H-11: what is wrong with a heartbeat is a 400 that names it', async t => {
    const table: readonly (readonly [change: object, says: RegExp])[] = [
      [{ generated_at: 'yesterday' }, /^generated_at: wanted a time/],
      [{ generated_at: '2024-13-15T10:30:00Z' }, /^generated_at/],
      [{ generated_at: undefined }, /^generated_at/],
      [{ ready_at: 'soon' }, /^ready_at: wanted a time/],
      [{ server_id: '' }, /^server_id/],
      [{ cpu_total_pct: 'much' }, /^cpu_total_pct: wanted a number/],
      [{ uptime_s: -1 }, /^uptime_s/],
      [{ load1: {} }, /^load1: wanted a load/],
    ]
    for (const [change, says] of table)
      t.match(await beat(change), { status: 400, body: { error: { message: says } } })
    t.match(await ask('POST', '/heartbeat', { body: '{' }), { status: 400 })
    t.match(await ask('POST', '/heartbeat', { body: '[]' }), { status: 400 })
  })

  await t.test('H-15: the figures of a server that is a node count for it', async t => {
    const { id, token } = await httpNode(server, 'h-15-node')
    const body = { ...EXAMPLE, server_id: id }
    t.match(await ask('POST', '/heartbeat', { body, token }), { status: 200 }, 'with its own token')
    t.match(await ask('POST', '/heartbeat', { body: EXAMPLE, token }), { status: 403 }, 'of itself only')
    t.match(await ask('GET', `/servers/${id}/stats`, { token }), { body: { heartbeat_count: 1 } })
    t.match(await ask('GET', '/servers', { token }), { status: 403 })
    const gauges = await until('its session has them', () => {
      const gauges = server.mesh.node(id)?.gauges
      return gauges?.cpuTotalPct === 25.5 && gauges
    })
    t.match(gauges, {
      load1: 0.75,
      latencyP50Ms: 25.5,
      latencyP95Ms: 45.2,
      packetLossPct: 0.1,
      conntrackUsagePct: 15.5,
      softirqPct: 5.2,
      connEstRateS: 50,
      rxDropped: 0,
    })
  })

  await t.test('H-15: a node with a full table is dearer than one with an idle one', async () => {
    const [full, idle] = [await httpNode(server, 'h-15-full'), await httpNode(server, 'h-15-idle')]
    await httpClient(server, 'h-15-client')
    for (const [{ id, token }, conntrack_usage_pct] of [
      [full, 99],
      [idle, 1],
    ] as const)
      await ask('POST', '/heartbeat', { body: { ...EXAMPLE, server_id: id, conntrack_usage_pct }, token })
    await until('that is what a choice goes by', () => {
      const all = server.mesh.deliberate('h-15-client', {}, 100)?.explanation.compared ?? []
      const reported = (id: string) => all.find(({ nodeId }) => nodeId === id)?.terms.reported ?? 0
      return reported(full.id) > reported(idle.id)
    })
  })

  await t.test(
    'H-15: a burst of heartbeats is a few transactions, and each has an id of its own',
    async t => {
      const ids = await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          const { body } = await beat({ server_id: `burst-${i % 7}`, uptime_s: i })
          return [body.heartbeat_id, i]
        }),
      )
      t.equal(new Set(ids.map(([id]) => id)).size, 300)
      const { heartbeats } = (await ask('GET', '/servers/burst-3/heartbeats')).body
      const sent = new Map(ids as [number, number][])
      t.ok(heartbeats.every((one: { id: number; uptime_s: number }) => sent.get(one.id) === one.uptime_s))
      t.equal(heartbeats.length, 43)
    },
  )

  await t.test('H-15: heartbeats are added up by minute, hour and day', async t => {
    for (const cpu_total_pct of [10, 20, 60]) await beat({ server_id: 'h-15', cpu_total_pct })
    const { body } = await ask('GET', '/api/v1/metrics/h-15/aggregated')
    t.match(body, { samples: 3, avgCpuUsage: 30 })
  })
})

t.test('H-09: heartbeats and servers are in the tables that they always were in', async t => {
  const tables: string[] = []
  const look: Plugin = {
    name: 'look',
    async start(_, { room: open }) {
      const room = await open<Record<'server_heartbeats' | 'vpn_servers', object>>()
      for (const table of ['server_heartbeats', 'vpn_servers'] as const) {
        const rows = await room.ask(db => db.selectFrom(table).selectAll().execute())
        tables.push(`${table}: ${rows.length}`)
      }
      return { routes: [], stop: async () => {} }
    },
  }
  const dataDir = t.testdir()
  const before = await restServer(t, { dataDir })
  for (let i = 0; i < 2; i++) await before.ask('POST', '/heartbeat', { body: EXAMPLE })
  await before.stop()
  await restServer(t, { dataDir, plugins: [...PLUGINS, look] })
  t.same(tables, ['server_heartbeats: 2', 'vpn_servers: 1'])
})

t.test('H-10: what was acknowledged is there after a restart', async t => {
  const dataDir = t.testdir()
  const before = await restServer(t, { dataDir })
  const { body } = await before.ask('POST', '/heartbeat', { body: EXAMPLE })
  await before.stop()
  const after = await restServer(t, { dataDir })
  t.match((await after.ask('GET', '/servers/server-001/heartbeats')).body, {
    total: 1,
    heartbeats: [{ id: body.heartbeat_id }],
  })
})
