/**
 * What a NAT does, in the words of RFC 4787 and RFC 5780, and whether two ends behind such NATs can meet by
 * punching. Unknown stays unknown: then a pair may be tried, and nobody claims to know how it ends.
 */
import type { Endpoint } from '../protocol/address.js'
import type { WireOf } from '../protocol/messages.js'
import type { NatKind } from './nat-kind.js'

/**
 * On what a mapping, or a filter, depends. `port_independent` is what can be told with a single server address:
 * not the port; whether the address counts is not known.
 */
export type Behaviour = WireOf<'nat.classified'>['mapping']

export interface Nat {
  /** Whether UDP leaves and comes back. */
  readonly udp: 'open' | 'blocked' | 'unknown'
  readonly mapping: Behaviour
  readonly filtering: Behaviour
  /** Whether addresses are translated at all. */
  readonly nat: boolean | null
  /** Whether the NAT brings back what is sent to its own outside. */
  readonly hairpin: boolean | null
  /** Whether the mapped port is the local one. */
  readonly portPreservation: boolean | null
  /** True: IPv6 was answered. False: there is no global IPv6 address. */
  readonly ipv6: boolean | null
  /** An idle mapping lived at least this long, s. */
  readonly mappingLifetimeS: number | null
  /** As the world sees it; null when it was not seen. */
  readonly mapped4: Endpoint | null
  readonly mapped6: Endpoint | null
  /** The coordinator saw the same requests itself. */
  readonly confirmed: boolean
}

export const UNKNOWN_NAT: Nat = {
  udp: 'unknown',
  mapping: 'unknown',
  filtering: 'unknown',
  nat: null,
  hairpin: null,
  portPreservation: null,
  ipv6: null,
  mappingLifetimeS: null,
  mapped4: null,
  mapped6: null,
  confirmed: false,
}

/** What stands in the way of punching; reason codes of the ledger. */
export type Barrier = 'udp_blocked' | 'symmetric_both' | 'symmetric_restricted'

export type Punch =
  /** `learnt`: one end has to move its target to the source that it sees. */
  | { readonly verdict: 'yes'; readonly reason: 'mappings_hold' | 'learnt' | 'hairpin' | 'ipv6' }
  /** `same_nat`: only their addresses inside can tell, or whether it hairpins. */
  | { readonly verdict: 'maybe'; readonly reason: 'unknown' | 'same_nat' | 'unusual' }
  | { readonly verdict: 'no'; readonly reason: Barrier }

/** Returns whether a pair behind these NATs can leave the relay by punching; the same for either order. */
export const canPunch = (a: Nat, b: Nat): Punch => canKindsPunch(a, b, isBehindSame(a, b))

/** Returns the same of two kinds of NAT, which may be one and the same NAT. */
export function canKindsPunch(a: NatKind, b: NatKind, areSame: boolean): Punch {
  if (a.udp === 'blocked' || b.udp === 'blocked') return { verdict: 'no', reason: 'udp_blocked' }
  if (a.ipv6 === true && b.ipv6 === true) return { verdict: 'yes', reason: 'ipv6' }
  if (areSame) return behindSame(a, b)
  const across = acrossNats(a, b)
  // Where each may have IPv6, though nobody asked it, translation of IPv4 decides nothing.
  return across.verdict === 'no' && a.ipv6 !== false && b.ipv6 !== false ? UNKNOWN : across
}

/** Returns whether the world sees both at one address, which a NAT before them has. */
export const isBehindSame = (a: Nat, b: Nat): boolean =>
  a.mapped4 !== null && a.mapped4.address === b.mapped4?.address && a.nat !== false && b.nat !== false

const UNKNOWN = { verdict: 'maybe', reason: 'unknown' } as const

/** By their addresses inside they may meet, whatever the NAT; by the address outside when it hairpins. */
const behindSame = (a: NatKind, b: NatKind): Punch =>
  a.hairpin === true && b.hairpin === true && holds(a) && holds(b)
    ? { verdict: 'yes', reason: 'hairpin' }
    : { verdict: 'maybe', reason: 'same_nat' }

const holds = (nat: NatKind): boolean => nat.mapping === 'endpoint_independent'

function acrossNats(a: NatKind, b: NatKind): Punch {
  const found = meetingOf(a, b)
  return found.verdict === 'yes' && (a.udp === 'unknown' || b.udp === 'unknown') ? UNKNOWN : found
}

/** What two kinds of NAT make of each other, by their numbers: asked for each node that a choice compares. */
const MEETINGS: Punch[] = []

function meetingOf(a: NatKind, b: NatKind): Punch {
  const pair = numberOf(a) * KINDS + numberOf(b)
  return (MEETINGS[pair] ??= weigh(a, b))
}

/** Weighs everything that the two can still be: certain is only what holds for all of it. */
function weigh(a: NatKind, b: NatKind): Punch {
  const found: Punch[] = []
  for (const here of possible(a)) for (const there of possible(b)) found.push(meeting(here, there))
  const [first] = found
  return first === undefined || found.some(one => one.verdict !== first.verdict) ? UNKNOWN : first
}

const NUMBER: Readonly<Record<Behaviour, number>> = {
  endpoint_independent: 0,
  address_dependent: 1,
  address_and_port_dependent: 2,
  port_independent: 3,
  unknown: 4,
}
const KINDS = Object.keys(NUMBER).length ** 2
const numberOf = ({ mapping, filtering }: NatKind): number => NUMBER[mapping] * 5 + NUMBER[filtering]

type Dependence = 'none' | 'address' | 'port'

interface Translation {
  readonly mapping: Dependence
  readonly filtering: Dependence
}

const CAN_BE: Readonly<Record<Behaviour, readonly Dependence[]>> = {
  endpoint_independent: ['none'],
  address_dependent: ['address'],
  address_and_port_dependent: ['port'],
  port_independent: ['none', 'address'],
  unknown: ['none', 'address', 'port'],
}

const possible = (nat: NatKind): Translation[] =>
  CAN_BE[nat.mapping].flatMap(mapping => CAN_BE[nat.filtering].map(filtering => ({ mapping, filtering })))

function meeting(a: Translation, b: Translation): Punch {
  const moving = [a, b].filter(one => one.mapping !== 'none').length
  if (moving === 0) return { verdict: 'yes', reason: 'mappings_hold' }
  if (moving === 1) {
    // The one that holds hears the other from a port that it never sent to.
    const steady = a.mapping === 'none' ? a : b
    return steady.filtering === 'port'
      ? { verdict: 'no', reason: 'symmetric_restricted' }
      : { verdict: 'yes', reason: 'learnt' }
  }
  // Neither knows where the other will come from: without an open filter no first packet gets in, and when
  // both move with the port too, no answer comes from where the question went.
  const isOpen = a.filtering === 'none' || b.filtering === 'none'
  const bothMove = a.mapping === 'port' && b.mapping === 'port'
  return isOpen && !bothMove
    ? { verdict: 'maybe', reason: 'unusual' }
    : { verdict: 'no', reason: 'symmetric_both' }
}
