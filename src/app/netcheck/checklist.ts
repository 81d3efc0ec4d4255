/** What `boson netcheck` says: each finding, what to expect of peers, and what would help. */
import { type Behaviour, canPunch, type Nat, UNKNOWN_NAT } from '../../mesh/nat.js'
import { endpointText } from '../../protocol/address.js'

export interface Check {
  readonly name: string
  /** `help`: it works, and could be better. `unknown`: it could not be told. */
  readonly state: 'good' | 'help' | 'bad' | 'unknown'
  readonly found: string
}

export interface Expectation {
  readonly peer: string
  readonly tier: 'direct' | 'perhaps direct' | 'relayed'
}

export interface Checklist {
  readonly checks: readonly Check[]
  readonly expectations: readonly Expectation[]
  readonly advice: readonly string[]
}

/** Returns what a person should know of this NAT. `rttMs` is the round trip to the STUN server; null when it is silent. */
export function checklist(nat: Nat, rttMs: number | null): Checklist {
  return {
    checks: nat.udp === 'open' ? all(nat, rttMs) : [udp(nat, rttMs), ipv6(nat)],
    expectations: PEERS.map(({ peer, nat: there }) => ({ peer, tier: TIERS[canPunch(nat, there).verdict] })),
    advice: advice(nat),
  }
}
/** Returns the page for a terminal. */
export function checklistPage({ checks, expectations, advice }: Checklist): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const list = checks.map(({ name, state, found }) => `  ${MARKS[state]}  ${name.padEnd(width)}  ${found}`)
  const expected = expectations.map(({ peer, tier }) => `  ${tier.padEnd('perhaps direct'.length)}  ${peer}`)
  return [
    list.join('\n'),
    `To a peer …\n${expected.join('\n')}`,
    advice.length === 0
      ? 'Nothing needs to be done.'
      : `What would help\n${advice.map(one => `  - ${one}`).join('\n')}`,
  ].join('\n\n')
}

const MARKS = { good: '✓', help: '!', bad: '✗', unknown: '?' } as const
const TIERS = { yes: 'direct', maybe: 'perhaps direct', no: 'relayed' } as const

const PEERS: readonly { readonly peer: string; readonly nat: Nat }[] = [
  {
    peer: 'in the open, or whose UDP port is open',
    nat: like('endpoint_independent', 'endpoint_independent'),
  },
  {
    peer: 'behind a NAT that keeps its port for everyone, as most homes have',
    nat: like('endpoint_independent', 'address_and_port_dependent'),
  },
  {
    peer: 'behind a NAT with a port for each destination, as mobile networks have',
    nat: like('address_and_port_dependent', 'address_and_port_dependent'),
  },
  { peer: 'whose network lets no UDP out', nat: { ...UNKNOWN_NAT, udp: 'blocked', ipv6: false } },
]

function like(mapping: Behaviour, filtering: Behaviour): Nat {
  return { ...UNKNOWN_NAT, udp: 'open', mapping, filtering, ipv6: false }
}

function all(nat: Nat, rttMs: number | null): Check[] {
  return [
    udp(nat, rttMs),
    address(nat),
    mapping(nat.mapping),
    filtering(nat.filtering),
    {
      name: 'hairpin',
      state: nat.hairpin === null ? 'unknown' : 'good',
      found: yesNo(nat.hairpin, {
        yes: 'machines behind this NAT reach each other by its outside',
        no: 'machines behind this NAT meet by their addresses inside only',
      }),
    },
    {
      name: 'port kept',
      state: nat.portPreservation === null ? 'unknown' : 'good',
      found: yesNo(nat.portPreservation, {
        yes: 'outside is the same port as inside',
        no: 'outside is another port than inside',
      }),
    },
    ipv6(nat),
  ]
}

function udp({ udp }: Nat, rttMs: number | null): Check {
  if (udp === 'open') {
    const after = rttMs === null ? '' : ` after ${rttMs < 10 ? rttMs.toFixed(1) : Math.round(rttMs)} ms`
    return { name: 'UDP', state: 'good', found: `gets out, and an answer back${after}` }
  }
  return udp === 'blocked'
    ? { name: 'UDP', state: 'bad', found: 'no answer: it is blocked here, or no STUN server listens there' }
    : { name: 'UDP', state: 'unknown', found: 'nobody could be asked' }
}

function address({ nat, mapped4, mapped6 }: Nat): Check {
  const seen = [mapped4, mapped6].flatMap(at => (at === null ? [] : [endpointText(at)])).join(' and ')
  if (seen === '') return { name: 'address', state: 'unknown', found: 'not seen from outside' }
  const how = nat === null ? '' : nat ? ', translated' : ', its own: there is no NAT'
  return { name: 'address', state: 'good', found: `seen as ${seen}${how}` }
}

const KNOWN_IN_PART = 'a STUN server with a second address would tell'

function mapping(behaviour: Behaviour): Check {
  const found: Record<Behaviour, [Check['state'], string]> = {
    endpoint_independent: ['good', 'endpoint independent: one port outside, for everyone'],
    address_dependent: ['help', 'address dependent: another port outside for each address'],
    address_and_port_dependent: [
      'help',
      'address and port dependent (symmetric): another port outside for each peer',
    ],
    port_independent: ['good', `the port does not count; whether the address does, ${KNOWN_IN_PART}`],
    unknown: ['unknown', `not known: ${KNOWN_IN_PART}`],
  }
  const [state, words] = found[behaviour]
  return { name: 'mapping', state, found: words }
}

function filtering(behaviour: Behaviour): Check {
  const found: Record<Behaviour, [Check['state'], string]> = {
    endpoint_independent: ['good', 'endpoint independent: anyone may answer'],
    address_dependent: ['good', 'address dependent: lets in addresses that were written to'],
    address_and_port_dependent: [
      'help',
      'address and port dependent: lets in only the ports that were written to',
    ],
    port_independent: ['good', `the port does not count; whether the address does, ${KNOWN_IN_PART}`],
    unknown: ['unknown', 'not known: the STUN server cannot answer from another port'],
  }
  const [state, words] = found[behaviour]
  return { name: 'filtering', state, found: words }
}

function ipv6({ ipv6, mapped6 }: Nat): Check {
  if (ipv6 === true) {
    const at = mapped6 === null ? '' : ` as ${mapped6.address}`
    return { name: 'IPv6', state: 'good', found: `gets out and back${at}` }
  }
  return ipv6 === false
    ? { name: 'IPv6', state: 'help', found: 'this machine has no address of it' }
    : { name: 'IPv6', state: 'unknown', found: 'there is an address, and no STUN server to ask' }
}

const yesNo = (value: boolean | null, words: { readonly yes: string; readonly no: string }): string =>
  value === null ? 'not known' : value ? `yes: ${words.yes}` : `no: ${words.no}`

function advice(nat: Nat): string[] {
  if (nat.udp === 'blocked')
    return [
      'let UDP out to any address and port; until then everything travels over the relay, which needs TCP only',
      'if other networks get no answer either, open the UDP port of the STUN server (3478)',
    ]
  if (nat.udp === 'unknown') return ['name a STUN server with --stun, or a coordinator with --server']
  const found: string[] = []
  if (nat.mapping === 'address_dependent' || nat.mapping === 'address_and_port_dependent') {
    found.push('if the router can keep one port for all destinations (“full cone”, “open NAT”), let it')
    found.push(
      'many routers do so for a port that is forwarded: forward one, and start the agent with --port',
    )
  } else if (nat.filtering === 'address_and_port_dependent')
    found.push(
      'most peers are reached directly as it is; for the others forward a UDP port, and start the agent with --port',
    )
  if (found.length > 0 && nat.ipv6 === false)
    found.push('IPv6 would do as well: where both sides have it, no translation is in the way')
  return found
}
