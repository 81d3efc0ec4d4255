/** Metrics over HTTP, B-100 to B-103 and B-110: told by nodes, sampled from their sessions, asked by interval. */
import t, { type Test } from 'tap'
import { online } from '../support/coordinator.js'
import { onEachDatabase, type RestServer, restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'
import { httpNode } from './agents.js'

const METRICS = {
  network: { latency: 20, jitter: 2, packetLoss: 0.5, bandwidth: { up: 50, down: 100 } },
  system: { cpuUsage: 25, memoryUsage: 40, diskUsage: 60, loadAverage: 0.5 },
  wireguard: { packets: { sent: 10, received: 20, errors: 0 }, bytes: { sent: 1_000, received: 2_000 } },
  connections: { active: 5, total: 9, failed: 1 },
}
const MINUTE_MS = 60_000

await onEachDatabase(t, async (t, start) => {
  const server = await start({ env: { BOSON_HISTORY_EVERY_MS: '200', BOSON_BEAT_EVERY_MS: '100' } })
  const { ask } = server
  const enrolled = async (t: Test, id: string) => {
    await online(t, `ws://127.0.0.1:${server.port}`, id, await server.enrolmentKey('node'))
    return id
  }
  const post = (nodeId: string, more: object = {}) =>
    ask('POST', '/api/v1/metrics', { body: { nodeId, metrics: METRICS, ...more } })

  await t.test('B-100: a node posts its metrics, and 201 says that they are kept', async t => {
    const id = await enrolled(t, 'n-100')
    t.match(await post(id), { status: 201, body: { status: 'ok', nodeId: id } })
    const { token, id: own } = await httpNode(server, 'n-100-http')
    const mine = { nodeId: own, timestamp: Date.now() - 1_000, metrics: { system: { cpuUsage: 3 } } }
    t.match(await ask('POST', '/api/v1/metrics', { body: mine, token }), { status: 201 })
    const other = { body: { ...mine, nodeId: id }, token }
    t.match(await ask('POST', '/api/v1/metrics', other), { status: 403 }, 'only of itself')
    t.match(await ask('POST', '/api/v1/metrics', { body: mine, token: null }), { status: 401 })
    t.match(await post('nobody'), { status: 404 })
  })

  await t.test('B-100: what it may not say is named', async t => {
    const id = await enrolled(t, 'n-100-bad')
    const table: readonly (readonly [body: object, says: RegExp])[] = [
      [{ nodeId: id }, /^metrics/],
      [{ nodeId: id, metrics: {} }, /at least one figure/],
      [{ nodeId: id, metrics: { network: { packetLoss: 101 } } }, /^metrics.network.packetLoss: .*100/],
      [{ nodeId: id, metrics: { system: { cpuUsage: '3' } } }, /^metrics.system.cpuUsage: wanted a number/],
      [{ nodeId: id, timestamp: 'yesterday', metrics: METRICS }, /^timestamp/],
      [{ nodeId: id, timestamp: Date.now() + 86_400_000, metrics: METRICS }, /^timestamp/],
      [{ nodeId: id, timestamp: '2020-01-01T00:00:00Z', metrics: METRICS }, /^timestamp/],
    ]
    for (const [body, says] of table) {
      const answer = await ask('POST', '/api/v1/metrics', { body })
      t.match(answer, { status: 400, body: { error: { message: says, statusCode: 400 } } })
    }
  })

  await t.test('B-101: the latest is what was posted, and what the session tells', async t => {
    const id = await enrolled(t, 'n-101')
    t.match(await ask('GET', '/api/v1/metrics/nobody/latest'), { status: 404 })
    await post(id)
    const { body } = await ask('GET', `/api/v1/metrics/${id}/latest`)
    t.match(body, {
      nodeId: id,
      metrics: { wireguard: METRICS.wireguard, system: { diskUsage: 60 }, connections: { total: 9 } },
      figures: { jitterMs: 2 },
    })
    const sampled = await until('its session is sampled', async () => {
      const latest = (await ask('GET', `/api/v1/metrics/${id}/latest`)).body
      return latest.sources.some(({ source }: { source: string }) => source === 'session') && latest
    })
    t.type(sampled.figures.links, 'number')
    t.equal(sampled.figures.jitterMs, 2, 'what only the node knows stays')
  })

  await t.test('B-101: a node that speaks HTTP is sampled like any other', async t => {
    const { id, token } = await httpNode(server, 'n-101-http')
    const metrics = { cpuUsage: 33, memoryUsage: 44, latency: 55 }
    t.match(await ask('POST', `/api/v1/nodes/${id}/heartbeat`, { body: { metrics }, token }), { status: 200 })
    await until('its figures are in the history', async () => {
      const { body } = await ask('GET', `/api/v1/metrics/${id}/latest`, { token })
      return body.metrics?.system.cpuUsage === 33 && body.metrics.system.memoryUsage === 44
    })
    t.match(await ask('GET', '/api/v1/metrics/n-100/latest', { token }), { status: 403 }, 'only its own')
  })

  await t.test('B-102: the interval is honoured', async t => {
    const id = await enrolled(t, 'n-102')
    const beganMs = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 2 * 3_600_000
    for (const [minutes, cpuUsage] of [
      [0, 10],
      [0.5, 30],
      [59, 50],
      [60, 90],
    ] as const)
      await post(id, { timestamp: beganMs + minutes * MINUTE_MS, metrics: { system: { cpuUsage } } })
    const span = `startTime=${beganMs}&endTime=${new Date(beganMs + 2 * 3_600_000).toISOString()}`
    const history = async (more: string) =>
      (await ask('GET', `/api/v1/metrics/${id}/history?${span}&${more}`)).body
    const cpus = (body: { metrics: { timestamp: string; samples: number; metrics: Metrics }[] }) =>
      body.metrics.map(({ timestamp, samples, metrics }) => [
        (Date.parse(timestamp) - beganMs) / MINUTE_MS,
        samples,
        metrics.system.cpuUsage,
      ])
    const minutes = await history('interval=minute')
    t.match(minutes, { interval: 'minute', count: 3, total: 3, next: null })
    t.same(cpus(minutes), [
      [0, 2, 20],
      [59, 1, 50],
      [60, 1, 90],
    ])
    const hours = await history('interval=hour')
    t.same(cpus(hours), [
      [0, 3, 30],
      [60, 1, 90],
    ])
    t.match(hours.metrics[0].figures, { cpuTotalPct: { average: 30, min: 10, max: 50 } })
    t.equal((await history('interval=day')).metrics.at(0).samples >= 3, true)
    t.same(
      cpus(await history('interval=sample&sort=-timestamp')).map(([, , cpu]) => cpu),
      [90, 50, 30, 10],
    )
    t.equal((await history('')).interval, 'minute', 'the finest that fits')

    const first = await history('interval=sample&limit=3')
    t.match(first, { count: 3, total: 4 })
    const rest = await history(`interval=sample&limit=3&after=${first.next}`)
    t.same(cpus(rest), [[60, 1, 90]])

    t.match(await ask('GET', `/api/v1/metrics/${id}/history?interval=week`), { status: 400 })
    t.match(await ask('GET', `/api/v1/metrics/${id}/history?startTime=2&endTime=1`), { status: 400 })
    t.match(await ask('GET', `/api/v1/metrics/nobody/history`), { status: 404 })
  })

  await t.test('B-103: a time in one row: averages of samples, and what counters grew by', async t => {
    const id = await enrolled(t, 'n-103')
    const beganMs = Date.now() - 3 * 3_600_000
    const told = [
      { latency: 10, cpuUsage: 20, sent: 1_000 },
      { latency: 20, cpuUsage: 40, sent: 1_500 },
      { latency: 60, cpuUsage: null, sent: 100 }, // the interface began anew
    ]
    for (const [i, { latency, cpuUsage, sent }] of told.entries())
      await post(id, {
        timestamp: beganMs + i * 70 * MINUTE_MS,
        metrics: { network: { latency }, system: { cpuUsage }, wireguard: { bytes: { sent } } },
      })
    const { body } = await ask(
      'GET',
      `/api/v1/metrics/${id}/aggregated?startTime=${beganMs}&endTime=${Date.now() - 20 * MINUTE_MS}`,
    )
    t.match(body, {
      nodeId: id,
      samples: 3,
      avgLatency: 30,
      avgJitter: null,
      avgPacketLoss: null,
      avgCpuUsage: 30,
      avgMemoryUsage: null,
      totalBytesSent: 600,
      totalBytesReceived: null,
    })
    t.match(await ask('GET', '/api/v1/metrics/nobody/aggregated'), { status: 404 })
  })

  await t.test('B-110: a sample that is sent again counts once', async t => {
    const id = await enrolled(t, 'n-110')
    const timestamp = Date.now() - 30_000
    await Promise.all([1, 2, 3].map(() => post(id, { timestamp, metrics: { network: { jitter: 7 } } })))
    await post(id, { timestamp, metrics: { network: { jitter: 7 } } })
    const { body } = await ask('GET', `/api/v1/metrics/${id}/history?interval=hour`)
    const jitter = body.metrics.filter(({ figures }: { figures: object }) => 'jitterMs' in figures)
    t.equal(jitter.length, 1)
    const samples = await ask('GET', `/api/v1/metrics/${id}/history?interval=sample`)
    t.equal(
      samples.body.metrics.filter(({ figures }: { figures: object }) => 'jitterMs' in figures).length,
      1,
    )
  })
})

t.test('B-110: the history is there again after a restart', async t => {
  const dataDir = t.testdir()
  const before = await restServer(t, { dataDir })
  const credential = await before.enrolmentKey('node')
  await online(t, `ws://127.0.0.1:${before.port}`, 'fra-1', credential)
  const post = (server: RestServer, sent: number) =>
    server.ask('POST', '/api/v1/metrics', {
      body: { nodeId: 'fra-1', metrics: { wireguard: { bytes: { sent } } } },
    })
  t.match(await post(before, 1_000), { status: 201 })
  await before.stop()
  const after = await restServer(t, { dataDir })
  t.match(await post(after, 1_250), { status: 201 })
  const { body } = await after.ask('GET', '/api/v1/metrics/fra-1/aggregated')
  t.equal(body.totalBytesSent, 250, 'counters go on from where they were')
})

interface Metrics {
  readonly system: { readonly cpuUsage: number }
}
