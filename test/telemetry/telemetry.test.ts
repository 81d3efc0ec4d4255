import { Writable } from 'node:stream'
import t from 'tap'
import { SwitchFigures } from '../../src/actors/coordinator/switch-figures.js'
import type { MeshApi, MeshStats, NodeView } from '../../src/actors/ports.js'
import { Histogram } from '../../src/kit/histogram.js'
import { HealthReport } from '../../src/telemetry/health.js'
import { createLog } from '../../src/telemetry/log.js'
import { LoopDelay } from '../../src/telemetry/loop-delay.js'
import { NODES_NAMED } from '../../src/telemetry/mesh-figures.js'
import { Metrics } from '../../src/telemetry/metrics.js'
import { Rate } from '../../src/telemetry/rate.js'
import { UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { UNKNOWN_PROFILE } from '../support/unknown-profile.js'

const noOutcomes = { direct: 0, turned: 0, failed: 0, lost: 0 }

t.test('however many nodes there are, only the busiest are named', async t => {
  const nodes = Array.from({ length: 500 }, (_, i) => nodeView({ id: `node-${i}`, links: i }))
  const page = await metricsOf({ busiest: limit => nodes.slice(-limit).reverse() }).page()
  const named = [...page.body.matchAll(/^boson_node_links\{node_id="([^"]+)"/gm)].map(([, id]) => id)
  t.equal(named.length, NODES_NAMED)
  t.equal(named[0], 'node-499')
})

t.test('what a node does not know has no figure', async t => {
  const page = await metricsOf({ busiest: () => [nodeView({ rttMs: null })] }).page()
  for (const name of [
    'bosonserver_node_cpu_usage_percent',
    'bosonserver_node_memory_usage_percent',
    'boson_node_rtt_seconds',
  ])
    t.notMatch(page.body, new RegExp(`^${name}\\{`, 'm'))
})

t.test('figures of nodes', async t => {
  const gauges = { cpuTotalPct: 12.5, memTotalMb: 1_000, memFreeMb: 250 }
  const { body } = await metricsOf({ busiest: () => [nodeView({ gauges, rttMs: 20 })] }).page()
  t.match(body, 'bosonserver_node_cpu_usage_percent{node_id="fra-1",app="bosonserver"} 12.5')
  t.match(body, 'bosonserver_node_memory_usage_percent{node_id="fra-1",app="bosonserver"} 75')
  t.match(body, 'boson_node_rtt_seconds{node_id="fra-1",app="bosonserver"} 0.02')
})

t.test('a round trip is counted once for each time that the node was heard', async t => {
  const clock = new SimulatedClock()
  const asked: number[] = []
  const roundTrips = (heardWithinMs: number) => {
    asked.push(heardWithinMs)
    return [30]
  }
  const metrics = metricsOf({ roundTrips }, clock)
  const counted = async () =>
    /^bosonserver_node_latency_ms_count\S* (\d+)$/m.exec((await metrics.page()).body)?.[1]
  clock.advance(15_000)
  t.equal(await counted(), '1')
  clock.advance(20_000)
  t.equal(await counted(), '2')
  t.same(asked, [15_000, 20_000], 'silence since the look before is no latency')
})

t.test(
  'paths are counted by tier and reason, attempts by outcome, bytes by the tier that carried them',
  async t => {
    const paths: MeshStats['paths'] = {
      live: [
        { tier: 'relayed', reason: 'symmetric_both', count: 3 },
        { tier: 'direct', reason: null, count: 40 },
      ],
      attempts: { udp: { ...noOutcomes, direct: 41, lost: 1 }, wireguard: noOutcomes, ice: noOutcomes },
      bytes: { relayed: 900, turned: 0, direct: 90_000 },
    }
    const { body } = await metricsOf({ stats: () => stats({ paths }) }).page()
    for (const line of [
      'boson_paths{tier="relayed",reason="symmetric_both",app="bosonserver"} 3',
      'boson_paths{tier="direct",reason="none",app="bosonserver"} 40',
      'boson_path_attempts_total{via="udp",outcome="direct",app="bosonserver"} 41',
      'boson_path_attempts_total{via="udp",outcome="lost",app="bosonserver"} 1',
      'boson_path_attempts_total{via="ice",outcome="failed",app="bosonserver"} 0',
      'boson_path_bytes_total{tier="direct",app="bosonserver"} 90000',
    ])
      t.match(body, line)
  },
)

t.test('histograms are cumulative and in base units', async t => {
  const figures = new SwitchFigures()
  for (const ms of [50, 700, 800, 5_000]) figures.tookMs.node_lost.observe(ms)
  const routes = { ...stats({}).routes, switchMs: figures.tookMs }
  const { body } = await metricsOf({ stats: () => stats({ routes }) }).page()
  const lines = body.split('\n').filter(line => /^boson_route_switch_seconds.*node_lost/.test(line))
  const buckets = [
    ['0.05', 1],
    ['0.1', 1],
    ['0.25', 1],
    ['0.5', 1],
    ['0.75', 2],
    ['1', 3],
    ['1.5', 3],
    ['2.5', 3],
    ['5', 4],
    ['10', 4],
    ['30', 4],
    ['60', 4],
    ['300', 4],
    ['+Inf', 4],
  ].map(
    ([le, count]) =>
      `boson_route_switch_seconds_bucket{cause="node_lost",le="${le}",app="bosonserver"} ${count}`,
  )
  t.same(lines, [
    ...buckets,
    'boson_route_switch_seconds_sum{cause="node_lost",app="bosonserver"} 6.55',
    'boson_route_switch_seconds_count{cause="node_lost",app="bosonserver"} 4',
  ])
})

t.test('requests are counted by pattern, and faults by reason', async t => {
  const metrics = metricsOf({})
  const request = { method: 'GET', endpoint: '/api/v1/nodes', durationMs: 3 }
  metrics.served({ ...request, status: 200, fault: null })
  metrics.served({ ...request, status: 401, fault: 'unauthorised' })
  const { body } = await metrics.page()
  t.match(
    body,
    'bosonserver_api_requests_total{method="GET",endpoint="/api/v1/nodes",status="200",app="bosonserver"} 1',
  )
  t.match(
    body,
    'bosonserver_api_errors_total{method="GET",endpoint="/api/v1/nodes",error_type="unauthorised",app="bosonserver"} 1',
  )
})

t.test('a dependency is asked at most once a second, however many ask us', async t => {
  const clock = new SimulatedClock()
  let asked = 0
  const database = async () => ++asked
  const report = new HealthReport({ clock, mesh: mesh({}), database, redis: null, turn: null })
  await Promise.all(Array.from({ length: 50 }, () => report.health()))
  t.equal(asked, 1)
  clock.advance(1_000)
  await report.readiness()
  t.equal(asked, 2)
})

t.test('the rate is over the last interval', async t => {
  const clock = new SimulatedClock()
  let total = 100
  const rate = new Rate(clock, () => total)
  t.equal(rate.perSecond, 0)
  total = 5_100
  clock.advance(5_000)
  t.equal(rate.perSecond, 1_000)
  clock.advance(5_000)
  t.equal(rate.perSecond, 0)
  rate.stop()
  t.equal(clock.waiting, 0)
})

t.test('secrets do not reach the log, wherever someone puts them', async t => {
  const lines: string[] = []
  const log = createLog({ level: 'info', pretty: false, to: { write: line => lines.push(line) } })
  log.info(
    { token: 'S1', user: { password: 'S2' }, config: { tls: { privateKey: 'S3' } }, authorization: 'S4' },
    'hello',
  )
  t.match(JSON.parse(lines[0] ?? ''), { level: 'info', msg: 'hello', token: '[secret]' })
  t.notMatch(lines[0], /S\d/)
})

t.test('on a terminal a line is text', async t => {
  const lines: string[] = []
  const to = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const log = createLog({ level: 'info', pretty: true, to })
  log.info({ port: 3000 }, 'listening')
  log.debug({}, 'unsaid')
  t.match(lines.join(''), 'listening')
  t.notMatch(lines.join(''), 'unsaid')
})

function metricsOf(parts: Partial<MeshApi>, clock = new SimulatedClock()): Metrics {
  return new Metrics({
    clock,
    mesh: mesh(parts),
    loop: new LoopDelay(),
    turn: null,
    startedAtMs: clock.wallMs(),
  })
}

function mesh(parts: Partial<MeshApi>): MeshApi {
  return {
    serverId: 'test',
    onFact: () => () => {},
    onAudit: () => () => {},
    onTraffic: () => () => {},
    trafficNow: () => [],
    endedTraffic: async () => [],
    takeReports: () => () => {},
    actors: async () => ({ actors: [], total: 0, kinds: {}, next: null }),
    actor: () => null,
    watchActor: () => null,
    statecharts: () => ({}),
    identity: () => null,
    identities: () => [],
    audit: () => {},
    challenge: () => ({ serverId: 'test', publicKey: new Uint8Array(32), nonce: new Uint8Array(32) }),
    enter: () => null,
    state: () => 'serving',
    stats: () => stats({}),
    nodes: () => [],
    node: () => null,
    eachNode: () => [],
    busiest: () => [],
    roundTrips: () => [],
    clients: () => [],
    client: () => null,
    routes: () => [],
    paths: () => ({ paths: [], total: 0, next: null }),
    path: () => null,
    why: async () => ({ unknown: [] }),
    picture: async () => ({ nowMs: 0, nodes: [], totalNodes: 0, links: [], totalPaths: 0, totalClients: 0 }),
    steering: () => null,
    steer: () => null,
    drains: () => [],
    drain: () => null,
    cancelDrain: () => 'not_drained',
    deliberate: () => null,
    assign: () => null,
    explain: () => null,
    onJobWord: () => () => {},
    offerJob: () => false,
    kick: () => null,
    revoke: () => null,
    reprobe: () => null,
    guard: () => () => {},
    termsChanged: () => {},
    enrol: () => Promise.reject(new Error('not of this test')),
    createEnrolmentKey: () => Promise.reject(new Error('not of this test')),
    revokeEnrolmentKey: async () => false,
    ...parts,
  }
}

function stats(parts: Partial<MeshStats>): MeshStats {
  const none = { registering: 0, online: 0, lapsed: 0, suspended: 0 }
  return {
    sessions: { node: none, client: none },
    connections: { open: 0, greeting: 0 },
    routes: {
      active: 0,
      assigned: 0,
      refused: 0,
      switched: 0,
      switchMs: new SwitchFigures().tookMs,
      suppressed: {},
      handingOver: 0,
      handovers: { carried: 0, failed: 0, undone: 0, dropped: 0 },
      waiting: 0,
      degradedNodes: { loss: 0, rtt: 0, uplink: 0 },
    },
    relay: { links: 0, packets: 0, bytes: 0, drops: {}, queueMs: new Histogram([1]) },
    nats: [],
    paths: {
      live: [],
      attempts: { udp: noOutcomes, wireguard: noOutcomes, ice: noOutcomes },
      bytes: { relayed: 0, turned: 0, direct: 0 },
    },
    heartbeats: 0,
    denied: {},
    admissions: {
      admitted: { resume: 0, register: 0, first_contact: 0 },
      waiting: { node: 0, client: 0, register: 0 },
    },
    faults: 0,
    resumed: 0,
    registered: 0,
    replaced: 0,
    snapshot: { state: 'idle', dirty: 0, written: 0, failures: 0, lost: 0, lastWriteMs: null },
    ...parts,
  }
}

function nodeView(parts: Partial<NodeView>): NodeView {
  return {
    id: 'fra-1',
    sessionId: 's',
    state: 'online',
    generation: 1,
    overlay4: '10.77.0.2',
    overlay6: 'fd77::2',
    nat: UNKNOWN_NAT,
    profile: { ...UNKNOWN_PROFILE, agent: 'test', country: 'DE' },
    links: 0,
    reserved: 0,
    places: null,
    ailment: null,
    lossPct: null,
    flaps: 0,
    silentMs: 0,
    rttMs: 20,
    gauges: {},
    ...parts,
  }
}
