import t from 'tap'
import { seededRandom } from '../../src/kit/random.js'
import { type Nat, UNKNOWN_NAT } from '../../src/mesh/nat.js'
import {
  plan,
  reasonOfFailure,
  restMs,
  startsIn,
  type UpgradeEnd,
  type UpgradeView,
} from '../../src/mesh/upgrade.js'

const END: UpgradeEnd = {
  can: ['probe', 'udp'],
  nat: UNKNOWN_NAT,
  isPresent: true,
  candidates: 2,
  isForwarded: false,
}
const VIEW: UpgradeView = {
  policy: 'auto',
  isThrottled: false,
  tier: 'relayed',
  via: null,
  native: true,
  hasTurn: () => false,
  areTogether: false,
  ends: [END, END],
}
const WIREGUARD: Partial<UpgradeEnd> = { can: ['udp', 'wireguard'] }
const DIRECT: Partial<UpgradeView> = { tier: 'direct', via: 'udp' }
const nat = (mapping: Nat['mapping'], filtering: Nat['filtering'] = mapping): Nat => ({
  ...UNKNOWN_NAT,
  udp: 'open',
  nat: true,
  ipv6: false,
  mapping,
  filtering,
})
const symmetric = nat('address_and_port_dependent')
const blocked: Nat = { ...UNKNOWN_NAT, udp: 'blocked' }

const cases: readonly {
  name: string
  view?: Partial<UpgradeView>
  a?: Partial<UpgradeEnd>
  b?: Partial<UpgradeEnd>
  is: string | null
}[] = [
  { name: 'two ends of whom nothing is known', is: 'udp' },
  {
    name: 'two cones',
    a: { nat: nat('endpoint_independent') },
    b: { nat: nat('endpoint_independent') },
    is: 'udp',
  },
  { name: 'an end that has said nothing', a: { candidates: null }, is: 'starting' },
  { name: 'an end that is away', b: { isPresent: false }, is: 'peer_away' },
  { name: 'an end that cannot', a: { can: ['probe'] }, is: 'cannot' },
  { name: 'two ends that can ICE only', a: { can: ['ice'] }, b: { can: ['ice'] }, is: 'ice' },
  { name: 'ends with nothing in common', a: { can: ['ice'] }, is: 'cannot' },
  { name: 'two ends without an address', a: { candidates: 0 }, b: { candidates: 0 }, is: 'no_candidates' },
  { name: 'one end without an address', a: { candidates: 0 }, is: 'udp' },
  { name: 'relay-only', view: { policy: 'relay-only' }, is: 'policy_relay_only' },
  { name: 'throttled', view: { policy: 'relay-only', isThrottled: true }, is: 'throttled' },
  { name: 'two symmetric NATs', a: { nat: symmetric }, b: { nat: symmetric }, is: 'symmetric_both' },
  {
    name: 'two symmetric NATs, one of which may forward a port',
    a: { nat: symmetric },
    b: { nat: symmetric, isForwarded: true },
    is: 'udp',
  },
  {
    name: 'a forwarded port at one end, and UDP that does not get out at the other',
    a: { nat: { ...UNKNOWN_NAT, udp: 'blocked' } },
    b: { isForwarded: true },
    is: 'udp_blocked',
  },
  {
    name: 'two ends at one address that lets no UDP out',
    view: { areTogether: true },
    a: { nat: { ...UNKNOWN_NAT, udp: 'blocked' } },
    b: { nat: { ...UNKNOWN_NAT, udp: 'blocked' } },
    is: 'udp',
  },
  {
    name: 'two symmetric NATs and a TURN server',
    view: { hasTurn: () => true },
    a: { nat: symmetric },
    b: { nat: symmetric },
    is: 'udp',
  },
  {
    name: 'two symmetric NATs that a TURN server carries already',
    view: { hasTurn: () => true, tier: 'turned' },
    a: { nat: symmetric },
    b: { nat: symmetric },
    is: 'symmetric_both',
  },
  {
    name: 'two symmetric NATs, a TURN server, and direct-only',
    view: { hasTurn: () => true, policy: 'direct-only', tier: 'waiting' },
    a: { nat: symmetric },
    b: { nat: symmetric },
    is: 'symmetric_both',
  },
  {
    name: 'UDP blocked, whatever TURN server',
    view: { hasTurn: () => true },
    a: { nat: blocked },
    is: 'udp_blocked',
  },
  { name: 'a direct path', view: DIRECT, is: null },
  { name: 'a direct path between WireGuards', view: DIRECT, a: WIREGUARD, b: WIREGUARD, is: 'wireguard' },
  { name: 'a direct path with one WireGuard', view: DIRECT, a: WIREGUARD, is: null },
  {
    name: 'a direct path between WireGuards that cannot be found',
    view: { ...DIRECT, native: false },
    a: WIREGUARD,
    b: WIREGUARD,
    is: null,
  },
  {
    name: 'a direct path between WireGuards already',
    view: { ...DIRECT, via: 'wireguard' },
    a: WIREGUARD,
    b: WIREGUARD,
    is: null,
  },
  {
    name: 'a direct path to an end that is away',
    view: DIRECT,
    a: { ...WIREGUARD, isPresent: false },
    b: WIREGUARD,
    is: null,
  },
]
for (const { name, view, a, b, is } of cases) {
  t.test(`${name}: ${is ?? 'nothing better'}`, async t => {
    const { via, reason } = plan({
      ...VIEW,
      ...view,
      ends: [
        { ...END, ...a },
        { ...END, ...b },
      ],
    })
    t.equal(via ?? reason, is)
  })
}

t.test('each rest is longer than the one before, up to ten minutes, and no two paths rest alike', async t => {
  const random = seededRandom(1)
  let lastMs = 0
  for (let failures = 1; failures <= 7; failures++) {
    const ms = restMs(failures, random)
    t.ok(ms > lastMs && ms >= 2_500 * 2 ** (failures - 1) && ms <= 5_000 * 2 ** (failures - 1), `${ms} ms`)
    lastMs = ms
  }
  for (const failures of [8, 100, 10_000]) {
    const ms = restMs(failures, random)
    t.ok(ms >= 300_000 && ms <= 600_000, `${ms} ms`)
  }
})

t.test('the nearer end waits for as long as the message takes longer to the other', async t => {
  t.same(startsIn([20, 120]), [50, 0])
  t.same(startsIn([120, 20]), [0, 50])
  t.same(startsIn([null, 80]), [0, 0])
  t.same(startsIn([null, null]), [0, 0])
  t.same(startsIn([10, 60_000]), [995, 0], 'a round trip of a minute is no reason to wait for half of it')
})

t.test('a failure is named after its cause', async t => {
  t.equal(reasonOfFailure(['no_answer', 'no_answer'], true), 'punch_timeout')
  t.equal(reasonOfFailure([], true), 'punch_timeout')
  t.equal(reasonOfFailure(['slower'], true), 'slower')
  t.equal(reasonOfFailure(['no_candidates'], true), 'no_candidates')
  t.equal(reasonOfFailure(['no_candidates'], false), 'no_stun')
  t.equal(reasonOfFailure(['no_answer'], false), 'no_stun', 'addresses inside are all that was tried')
})
