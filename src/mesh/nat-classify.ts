/**
 * Makes a classification out of what an agent reports and what the coordinator saw itself (RFC 5780 §4.3–4.6).
 *
 *   report   test, transaction id, mapped address or nothing
 *   seen     transaction id → where its requests came from, at our own listeners
 *
 * What was seen elsewhere than claimed counts for nothing. What was claimed and not seen (a STUN server of
 * somebody else answered, or nobody did) counts, unconfirmed: whoever lies about its NAT only spoils its own paths.
 */
import { type Endpoint, endpointText, readEndpoint } from '../protocol/address.js'
import type { WireOf } from '../protocol/messages.js'
import { type Behaviour, type Nat, UNKNOWN_NAT } from './nat.js'

export interface Evidence {
  readonly tests: WireOf<'probe.report'>['tests']
  /** Where the agent's socket is bound. */
  readonly local: readonly string[]
  /** Transaction id as hex, and the endpoints that requests with it came from. */
  readonly seen: ReadonlyMap<string, ReadonlySet<string>>
}

/** Returns what the tests prove, and unknown for all that they do not. */
export function classify({ tests, local, seen }: Evidence): Nat {
  const all = tests.map(test => weigh(test, seen))
  const good = all.filter(test => !test.contradicted)
  const mapped = MAPPING.flatMap(kind => answersTo(good, kind))
  const mapped4 = mapped.find(at => !isV6(at)) ?? null
  const mapped6 = mapped.find(isV6) ?? null
  // IPv4 is where NATs are: IPv6 tells of a NAT only where there is nothing else.
  const family = mapped4 === null ? 6 : 4
  const bound = local.flatMap(text => readEndpoint(text) ?? [])
  const here = bound.filter(at => isV6(at) === (family === 6))
  const outside = mapped4 ?? mapped6
  const nat =
    outside === null || here.length === 0
      ? null
      : !(here.some(at => isSame(at, outside)) || isLoopback(outside))
  return {
    ...UNKNOWN_NAT,
    udp: udpOf(all, mapped.length > 0),
    mapping: nat === false ? 'endpoint_independent' : mappingOf(good, family),
    filtering: filteringOf(good, mapped.length > 0),
    nat,
    hairpin: wasAnswered(good, 'hairpin'),
    portPreservation:
      outside === null || here.length === 0 ? null : here.some(({ port }) => port === outside.port),
    ipv6: mapped6 !== null ? true : bound.some(isGlobalV6) ? null : bound.length > 0 ? false : null,
    mappingLifetimeS: lifetimeOf(good),
    mapped4,
    mapped6,
    confirmed: mapped.length > 0 && all.every(test => test.answer === null || test.confirmed),
  }
}

/** Returns the longest idle time, s, that a mapping outlived in these tests; null when none was tried. */
export function lifetimeIn(tests: WireOf<'probe.report'>['tests']): number | null {
  return lifetimeOf(tests.map(test => weigh(test, new Map())))
}

const MAPPING = ['mapping', 'mapping_other_port', 'mapping_other_address'] as const
type Kind = WireOf<'probe.report'>['tests'][number][0]

interface Test {
  readonly kind: Kind
  readonly answer: Endpoint | null
  readonly figure: number | null
  /** A request of it arrived here. */
  readonly arrived: boolean
  /** Requests arrived at all, of whatever test: we would have seen this one. */
  readonly watched: boolean
  readonly confirmed: boolean
  readonly contradicted: boolean
}

function weigh(
  [kind, id, at, figure]: WireOf<'probe.report'>['tests'][number],
  seen: Evidence['seen'],
): Test {
  const answer = at === null ? null : readEndpoint(at)
  const sources = seen.get(Buffer.from(id).toString('hex'))
  const isOurs = kind !== 'hairpin' && kind !== 'lifetime'
  const agrees = answer !== null && sources?.has(endpointText(answer)) === true
  return {
    kind,
    answer,
    figure,
    arrived: sources !== undefined,
    watched: seen.size > 0,
    confirmed: !isOurs || agrees,
    contradicted: isOurs && answer !== null && sources !== undefined && !agrees,
  }
}

function udpOf(all: readonly Test[], open: boolean): Nat['udp'] {
  if (open) return 'open'
  const tried = all.filter(({ kind }) => MAPPING.some(one => one === kind))
  // What arrived here left there: then the answers got lost, or the report is wrong.
  return tried.length === 0 || tried.some(test => test.arrived || test.answer !== null)
    ? 'unknown'
    : 'blocked'
}

function mappingOf(tests: readonly Test[], family: 4 | 6): Behaviour {
  const of = (kind: Kind) => answersTo(tests, kind).filter(at => isV6(at) === (family === 6))
  const [first] = of('mapping')
  if (first === undefined) return 'unknown'
  const otherPort = of('mapping_other_port')
  const otherAddress = of('mapping_other_address')
  if (otherPort.some(at => !isSame(at, first))) return 'address_and_port_dependent'
  if (otherAddress.length === 0) return otherPort.length === 0 ? 'unknown' : 'port_independent'
  if (otherAddress.every(at => isSame(at, first))) return 'endpoint_independent'
  return otherPort.length === 0 ? 'unknown' : 'address_dependent'
}

function filteringOf(tests: readonly Test[], open: boolean): Behaviour {
  // Silence proves a filter only when the question got through.
  const asked = tests.filter(test => test.answer !== null || (open && (test.arrived || !test.watched)))
  const address = wasAnswered(asked, 'filtering_other_address')
  const port = wasAnswered(asked, 'filtering_other_port')
  if (address === true) return 'endpoint_independent'
  if (port === false) return 'address_and_port_dependent'
  if (port === null) return 'unknown'
  return address === false ? 'address_dependent' : 'port_independent'
}

function lifetimeOf(tests: readonly Test[]): number | null {
  const tried = tests.filter(({ kind }) => kind === 'lifetime')
  const lived = tried.map(({ answer, figure }) => (answer === null ? 0 : Math.floor(figure ?? 0)))
  return tried.length === 0 ? null : Math.max(...lived)
}

/** Null when it was not tried. */
function wasAnswered(tests: readonly Test[], kind: Kind): boolean | null {
  const tried = tests.filter(test => test.kind === kind)
  return tried.length === 0 ? null : tried.some(({ answer }) => answer !== null)
}

const answersTo = (tests: readonly Test[], kind: Kind): Endpoint[] =>
  tests.flatMap(test => (test.kind === kind && test.answer !== null ? [test.answer] : []))

const isSame = (a: Endpoint, b: Endpoint): boolean => a.address === b.address && a.port === b.port
const isV6 = ({ address }: Endpoint): boolean => address.includes(':')
/** Whom a server on this machine sees. */
const isLoopback = ({ address }: Endpoint): boolean => address.startsWith('127.') || address === '::1'
/** 2000::/3: what the internet routes. */
const isGlobalV6 = ({ address }: Endpoint): boolean => /^[23][0-9a-f]{3}:/.test(address)
