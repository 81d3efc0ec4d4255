import t from 'tap'
import { asDuration, asMs, columns } from '../../src/app/columns.js'
import type { ClientView, DrainView, NodeView, RouteView } from '../../src/actors/ports.js'
import type { Status } from '../../src/app/api/status.js'
import { statusPage } from '../../src/app/commands/status.js'
import { readConfig } from '../../src/app/config.js'
import { timingOf } from '../../src/app/timing.js'
import { UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { UNKNOWN_PROFILE } from '../support/unknown-profile.js'

const COMMON = { sessionId: 's', generation: 1, overlay6: 'fd77::2', nat: UNKNOWN_NAT }
const CLIENT: ClientView = {
  ...COMMON,
  id: 'alice',
  state: 'online',
  overlay4: '10.77.0.4',
  silentMs: 900,
  rttMs: 8.4,
  nodeId: 'fra-1',
  link: 65_536,
}
const NODE: NodeView = {
  ...COMMON,
  id: 'fra-1',
  state: 'online',
  overlay4: '10.77.0.2',
  profile: { ...UNKNOWN_PROFILE, agent: 'test', country: 'DE' },
  links: 1,
  reserved: 0,
  places: null,
  ailment: null,
  lossPct: null,
  flaps: 0,
  silentMs: 2_000,
  rttMs: 12,
  gauges: { cpuTotalPct: 31 },
}
const DRAIN: DrainView = {
  nodeId: 'fra-1',
  state: 'moving',
  by: 'operator',
  startedAtMs: 0,
  left: 1,
  moved: 0,
  waiting: 0,
  ended: 0,
  remainingMs: null,
  estimateMs: null,
}
const ROUTE: RouteView = {
  routeId: 'r',
  link: 65_536,
  clientId: 'alice',
  nodeId: 'fra-1',
  tier: 'relayed',
  via: 'websocket',
  reason: 'starting',
  sinceMs: 0,
  explanation: { considered: 0, qualified: 0, excluded: {}, compared: [] },
}
const STATUS: Status = {
  version: '0.1.0',
  serverId: 'eu-1',
  state: 'serving',
  uptimeS: 273_600,
  store: {
    kind: 'embedded (pglite)',
    status: 'unhealthy',
    latencyMs: null,
    snapshot: 'backingOff',
    dirty: 3,
  },
  nodes: { online: 1, total: 2 },
  clients: { online: 1204, total: 1300 },
  connections: { open: 1205, greeting: 0 },
  routes: { active: 1, assigned: 1, refused: 0, switched: 0 },
  paths: { relayed: 1, direct: 1_200 },
  reasons: [{ tier: 'relayed', reason: 'udp_blocked', count: 1 }],
  relay: { links: 1, packets: 9, bytes: 900, mbps: 38.2, dropped: 0, queueP99Ms: 0.5 },
  turn: { mode: 'embedded', state: 'up', allocations: 2 },
  loopP99Ms: 3,
  faults: 0,
  timing: timingOf(readConfig({ flags: {}, env: {} })),
}

t.test(
  'words stand to the left, numbers and amounts to the right, and what is unknown is a dash',
  async t => {
    const table = columns(
      ['NODE', 'CLIENTS', 'RTT'],
      [
        ['fra-1', 7, '12 ms'],
        ['a-long-name', 1200, null],
      ],
    )
    t.same(table.split('\n'), [
      'NODE         CLIENTS    RTT',
      'fra-1              7  12 ms',
      'a-long-name     1200      -',
    ])
  },
)

t.test('durations as people say them', async t => {
  const table: readonly (readonly [number, string])[] = [
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3_600, '1 h 0 min'],
    [12_000, '3 h 20 min'],
    [273_600, '3 d 4 h'],
  ]
  for (const [seconds, text] of table) t.equal(asDuration(seconds), text)
  t.equal(asMs(0.42), '0.4 ms')
  t.equal(asMs(41.6), '42 ms')
  t.equal(asMs(null), null)
})

t.test('the status page: the coordinator, its nodes, its clients and how they are connected', async t => {
  const page = statusPage({
    status: STATUS,
    nodes: [
      NODE,
      {
        ...NODE,
        id: 'hel-2',
        state: 'suspended',
        overlay4: '10.77.0.3',
        profile: { ...NODE.profile, country: null },
        links: 0,
        places: 40,
        silentMs: null,
        rttMs: null,
        gauges: {},
      },
    ],
    clients: [CLIENT],
    routes: [ROUTE],
    drains: [],
  })
  t.same(page.split('\n'), [
    'BosonServer 0.1.0   up 3 d 4 h   nodes 1/2 online   clients 1,204   relay 38 Mbit/s   store embedded (pglite) (away: sessions go on from memory)',
    'sockets 1,205   routes 1   direct 1,200   relayed 1   moved 0   relay queue p99 0.5 ms   loop lag p99 3.0 ms   dropped 0   turn up, 2 open',
    '',
    'NODE   IP         COUNTRY  STATE      CLIENTS    RTT   CPU  SEEN',
    'fra-1  10.77.0.2  DE       online           1  12 ms  31 %  2 s ago',
    'hel-2  10.77.0.3  -        suspended  0 of 40      -     -  -',
    '',
    'CLIENT  IP         NODE   PATH     WHY       STATE      RTT  SEEN',
    'alice   10.77.0.4  fra-1  relayed  starting  online  8.4 ms  0 s ago',
  ])
})

t.test('the status page says which nodes carry badly, and why', async t => {
  const nodes = [{ ...NODE, ailment: 'uplink' }]
  const page = statusPage({ status: STATUS, nodes, clients: [], routes: [], drains: [] })
  t.match(page, /fra-1 .* degraded \(uplink\) /)
})

t.test('nodes that are to go are told from the others', async t => {
  const page = statusPage({
    status: STATUS,
    nodes: ['online', 'online', 'suspended'].map((state, i) => ({ ...NODE, id: `n${i}`, state })),
    clients: [],
    routes: [],
    drains: ['moving', 'empty', 'waiting'].map(
      (state, i) => ({ ...DRAIN, nodeId: `n${i}`, state }) as DrainView,
    ),
  })
  t.match(page, /n0 .* draining  /)
  t.match(page, /n1 .* drained  /)
  t.match(page, /n2 .* suspended, draining  /)
})

t.test('each way to travel is told, and why a path is not direct', async t => {
  const way = (
    link: number,
    tier: RouteView['tier'],
    via: RouteView['via'],
    reason: RouteView['reason'],
  ) => ({
    client: { ...CLIENT, id: `c${link}`, link },
    route: { ...ROUTE, link, tier, via, reason },
  })
  const ways = [
    way(1, 'direct', 'udp', null),
    way(2, 'turned', 'udp', 'symmetric_both'),
    way(3, 'waiting', null, 'policy_direct_only'),
    way(4, 'direct', 'wireguard', null),
  ]
  const page = statusPage({
    status: STATUS,
    nodes: [],
    clients: ways.map(one => one.client),
    routes: ways.map(one => one.route),
    drains: [],
  })
  for (const line of [
    'direct (udp)        -',
    'turned (udp)        symmetric_both',
    'waiting             policy_direct_only',
    'direct (wireguard)  -',
  ])
    t.match(page, line)
})
