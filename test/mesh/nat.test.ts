import fc from 'fast-check'
import t from 'tap'
import { type Behaviour, canPunch, type Nat, type Punch, UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { natInWords, natName } from '../../src/mesh/nat-words.js'
import { type NamedEnd, PATH_REASONS, reasonInWords } from '../../src/mesh/path-reason.js'

const NATS = {
  none: natOf('endpoint_independent', 'endpoint_independent', { nat: false }),
  full: natOf('endpoint_independent', 'endpoint_independent'),
  addr: natOf('endpoint_independent', 'address_dependent'),
  port: natOf('endpoint_independent', 'address_and_port_dependent'),
  sym: natOf('address_and_port_dependent', 'address_and_port_dependent'),
  block: { ...UNKNOWN_NAT, udp: 'blocked', ipv6: false },
} satisfies Record<string, Nat>
type Kind = keyof typeof NATS

/** What real NATs in namespaces did, row by column. */
const MEASURED: readonly (readonly [Kind, ...string[]])[] = [
  //        none     full     addr     port     sym      block
  ['none', 'yes', 'yes', 'yes', 'yes', 'learnt', 'udp_blocked'],
  ['full', 'yes', 'yes', 'yes', 'yes', 'learnt', 'udp_blocked'],
  ['addr', 'yes', 'yes', 'yes', 'yes', 'learnt', 'udp_blocked'],
  ['port', 'yes', 'yes', 'yes', 'yes', 'symmetric_restricted', 'udp_blocked'],
  ['sym', 'learnt', 'learnt', 'learnt', 'symmetric_restricted', 'symmetric_both', 'udp_blocked'],
  ['block', ...Array<string>(6).fill('udp_blocked')],
]

for (const [row, ...cells] of MEASURED) {
  for (const [i, column] of (Object.keys(NATS) as Kind[]).entries()) {
    t.test(`${row} × ${column}: ${cells[i]}`, async t => {
      t.same(canPunch(NATS[row], elsewhere(NATS[column])), expected(cells[i] ?? ''))
    })
  }
}

const OTHER_CASES: readonly { name: string; a: Nat; b: Nat; is: Punch }[] = [
  {
    name: 'two symmetric NATs with IPv6 on both sides',
    a: { ...NATS.sym, ipv6: true },
    b: elsewhere({ ...NATS.sym, ipv6: true }),
    is: { verdict: 'yes', reason: 'ipv6' },
  },
  {
    name: 'two symmetric NATs that may have IPv6, which nobody asked',
    a: { ...NATS.sym, ipv6: true },
    b: elsewhere({ ...NATS.sym, ipv6: null }),
    is: { verdict: 'maybe', reason: 'unknown' },
  },
  {
    name: 'two ends behind one NAT',
    a: NATS.port,
    b: NATS.port,
    is: { verdict: 'maybe', reason: 'same_nat' },
  },
  {
    name: 'two ends behind one NAT that hairpins',
    a: { ...NATS.port, hairpin: true },
    b: { ...NATS.port, hairpin: true },
    is: { verdict: 'yes', reason: 'hairpin' },
  },
  {
    name: 'two ends behind one symmetric NAT',
    a: NATS.sym,
    b: NATS.sym,
    is: { verdict: 'maybe', reason: 'same_nat' },
  },
  {
    name: 'nobody was asked',
    a: UNKNOWN_NAT,
    b: UNKNOWN_NAT,
    is: { verdict: 'maybe', reason: 'unknown' },
  },
  {
    name: 'unknown against blocked',
    a: UNKNOWN_NAT,
    b: NATS.block,
    is: { verdict: 'no', reason: 'udp_blocked' },
  },
  {
    name: 'a mapping known not to depend on the port, against a strict filter',
    a: natOf('port_independent', 'port_independent'),
    b: elsewhere(NATS.port),
    is: { verdict: 'maybe', reason: 'unknown' },
  },
  {
    name: 'a filter known not to look at the port, against a symmetric NAT',
    a: natOf('endpoint_independent', 'port_independent'),
    b: elsewhere(NATS.sym),
    is: { verdict: 'yes', reason: 'learnt' },
  },
  {
    name: 'one that maps by address with an open filter, against one that maps by destination',
    a: natOf('address_dependent', 'endpoint_independent'),
    b: elsewhere(NATS.sym),
    is: { verdict: 'maybe', reason: 'unusual' },
  },
]

for (const { name, a, b, is } of OTHER_CASES) {
  t.test(`${name}: ${is.verdict}, ${is.reason}`, async t => t.same(canPunch(a, b), is))
}

const BEHAVIOURS: readonly Behaviour[] = [
  'endpoint_independent',
  'address_dependent',
  'address_and_port_dependent',
  'port_independent',
  'unknown',
]
const nats = fc
  .tuple(fc.constantFrom(...BEHAVIOURS), fc.constantFrom(...BEHAVIOURS), fc.boolean())
  .map(([mapping, filtering, hairpin]) => natOf(mapping, filtering, { hairpin }))

t.test('the order of a pair does not matter', async () => {
  fc.assert(fc.property(nats, nats, (a, b) => canPunch(a, b).verdict === canPunch(b, a).verdict))
})

t.test('to know less of a NAT never turns a no into a yes, nor a yes into a no', async () => {
  fc.assert(
    fc.property(nats, nats, (a, there) => {
      const b = elsewhere(there)
      const known = canPunch(a, b).verdict
      const less = canPunch({ ...a, filtering: 'unknown', mapping: 'unknown' }, b).verdict
      return less === known || less === 'maybe'
    }),
  )
})

t.test('every reason has words, and those of a barrier say what to do', async t => {
  const a: NamedEnd = { id: 'laptop', nat: NATS.sym }
  const b: NamedEnd = { id: 'fra-1', nat: NATS.port }
  for (const reason of PATH_REASONS) t.match(reasonInWords(reason, a, b), /^[^;]{15,}; .{15,}$/, reason)
  t.equal(
    reasonInWords('symmetric_both', a, a),
    'both NATs map per destination; open UDP 51820 on one side and start its agent with --port 51820, or give both sides IPv6',
  )
  const strict =
    'the NAT of laptop maps per destination and that of fra-1 lets in only ports it has sent to; open UDP 51820 on fra-1 and start its agent with --port 51820'
  t.equal(reasonInWords('symmetric_restricted', a, b), strict)
  t.equal(reasonInWords('symmetric_restricted', b, a), strict)
  t.match(
    reasonInWords('udp_blocked', { id: 'hotel', nat: NATS.block }, b),
    /^UDP does not get out at hotel;/,
  )
  t.match(reasonInWords('punch_timeout', a, { id: 'x', nat: UNKNOWN_NAT }), /NAT of x .*boson netcheck/)
  t.match(reasonInWords('punch_timeout', b, b), /behind one NAT/)
  const cannot = (mine: NamedEnd['can'] & object, theirs: NamedEnd['can'] & object) =>
    reasonInWords('cannot', { ...a, can: mine }, { ...b, can: theirs })
  t.match(cannot(['probe'], ['udp']), /^the agent of laptop offers no way/)
  t.match(cannot([], []), /^neither laptop nor fra-1 offers/)
  t.match(cannot(['udp', 'wireguard'], ['ice']), /^laptop leaves the relay by udp only and fra-1 by ice;/)
  t.match(reasonInWords('peer_away', { ...a, isAway: true }, b), /^laptop is not connected;/)
  t.match(reasonInWords('peer_away', { ...a, isAway: true }, { ...b, isAway: true }), /^neither laptop nor/)
})

t.test('a NAT in a few words', async t => {
  t.equal(natInWords(UNKNOWN_NAT), 'not known')
  t.equal(natInWords({ ...UNKNOWN_NAT, udp: 'blocked' }), 'UDP does not get out')
  t.equal(natInWords({ ...NATS.none, nat: false }), 'no NAT, lets in anyone')
  t.equal(natInWords(NATS.sym), 'maps per destination, lets in ports it sent to')
  t.equal(natInWords({ ...NATS.port, filtering: 'unknown' }), 'one mapping for all, filter not known')
})

t.test('a NAT has the name that people use, where it has one', async t => {
  t.equal(natName(UNKNOWN_NAT), null)
  t.equal(natName({ ...UNKNOWN_NAT, udp: 'blocked' }), 'UDP blocked')
  t.equal(natName({ ...NATS.none, nat: false }), 'none')
  t.equal(natName({ ...NATS.port, nat: false }), 'none, firewall')
  t.equal(natName(NATS.sym), 'symmetric')
  t.equal(natName(NATS.port), 'port restricted')
  t.equal(natName({ ...NATS.port, filtering: 'unknown' }), 'cone')
})

function natOf(mapping: Behaviour, filtering: Behaviour, more: Partial<Nat> = {}): Nat {
  return {
    ...UNKNOWN_NAT,
    udp: 'open',
    mapping,
    filtering,
    nat: true,
    hairpin: false,
    ipv6: false,
    mapped4: { address: '198.51.100.11', port: 51_820 },
    ...more,
  }
}

function elsewhere(nat: Nat): Nat {
  return nat.mapped4 === null ? nat : { ...nat, mapped4: { ...nat.mapped4, address: '198.51.100.12' } }
}

function expected(cell: string): Punch {
  switch (cell) {
    case 'yes':
      return { verdict: 'yes', reason: 'mappings_hold' }
    case 'learnt':
      return { verdict: 'yes', reason: 'learnt' }
    default:
      return { verdict: 'no', reason: cell as 'udp_blocked' } // the table names barriers
  }
}
