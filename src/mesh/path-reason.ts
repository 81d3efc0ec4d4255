/** Why a path is not direct: one code for programs, and words that a person can act on. */
import type { WireOf } from '../protocol/messages.js'
import { type Barrier, isBehindSame, type Nat } from './nat.js'

export type PathReason = Barrier | (typeof OTHERS)[number]

const OTHERS = [
  'starting',
  'policy_relay_only',
  'policy_direct_only',
  'throttled',
  'no_candidates',
  'no_stun',
  'cannot',
  'punch_timeout',
  'direct_lost',
  'slower',
  'peer_away',
] as const

/** Every code, for tables and labels. */
export const PATH_REASONS: readonly PathReason[] = [
  'udp_blocked',
  'symmetric_both',
  'symmetric_restricted',
  ...OTHERS,
]

/** Returns the code when it is one of ours: a newer version may have stored others. */
export const asPathReason = (code: string | null): PathReason | null =>
  PATH_REASONS.find(reason => reason === code) ?? null

/** An end of a path, as the words name it. */
export interface NamedEnd {
  readonly id: string
  readonly nat: Nat
  /** What its agent can do about leaving the relay; absent: not known. */
  readonly can?: readonly Ability[]
  /** It has no connection to the coordinator now. */
  readonly isAway?: boolean
}

type Ability = NonNullable<WireOf<'register'>['can']>[number]

/** Returns what keeps the path from being direct, and after the semicolon what would change that. */
export function reasonInWords(reason: PathReason, a: NamedEnd, b: NamedEnd): string {
  switch (reason) {
    case 'starting':
      return 'the path is new; a direct one is tried as soon as both ends have said where they can be reached'
    case 'policy_relay_only':
      return 'the policy says relay-only; set it to auto, in BOSON_PATH_POLICY and at the agent that asks for it, to allow a direct path'
    case 'policy_direct_only':
      return 'the policy says direct-only and there is no direct path, so nothing is carried; set it to auto, in BOSON_PATH_POLICY and at the agent that asks for it, to allow the relay'
    case 'throttled':
      return 'an end is held to a lower rate for now, by what was bought for it, and only the relay can hold packets back; a direct path is tried again when that is over'
    case 'udp_blocked':
      return `${blocked(a, b)}; let UDP out to any port, or leave it on the relay, which needs TCP only`
    case 'symmetric_both':
      return `both NATs map per destination; ${open('one side')}, or give both sides IPv6`
    case 'symmetric_restricted':
      return symmetricRestricted(a, b)
    case 'no_candidates':
      return 'an end found no address to be reached at; look whether it has a network beside the one to the coordinator, and whether UDP may leave'
    case 'no_stun':
      return 'there is no STUN server, so no end knows its address outside; set BOSON_TURN_MODE to embedded and open its UDP port, or to external and name a server'
    case 'cannot':
      return cannot(a, b)
    case 'punch_timeout':
      return punchTimeout(a, b)
    case 'direct_lost':
      return 'the direct path went silent and the relay took over; it is tried again by itself, each time a little later'
    case 'slower':
      return 'a direct path works but is slower than this one; nothing needs to be done'
    case 'peer_away':
      return `${away(a, b)}; the path moves on when both are there`
  }
}

/** WireGuard's usual port: the one that operators know how to open. */
const PORT = 51_820

const open = (where: string): string => `open UDP ${PORT} on ${where} and start its agent with --port ${PORT}`

function blocked(a: NamedEnd, b: NamedEnd): string {
  const shut = [a, b].filter(end => end.nat.udp === 'blocked').map(end => end.id)
  if (shut.length === 2) return `UDP does not get out at ${shut[0]} nor at ${shut[1]}`
  return `UDP does not get out at ${shut[0] ?? 'one end'}`
}

function symmetricRestricted(a: NamedEnd, b: NamedEnd): string {
  const moving = [a, b].find(end => movesItsPort(end.nat))
  if (moving === undefined)
    return `one NAT maps per destination and the other filters by port; ${open('one side')}`
  const strict = moving === a ? b : a
  return `the NAT of ${moving.id} maps per destination and that of ${strict.id} lets in only ports it has sent to; ${open(strict.id)}`
}

/** It was tried, as far as anyone knew it could work: what is left is what nobody sees from outside. */
function punchTimeout(a: NamedEnd, b: NamedEnd): string {
  const unsure = [a, b].filter(({ nat }) => nat.mapping === 'unknown' || nat.filtering === 'unknown')
  const names = unsure.map(end => end.id).join(' and ')
  if (isBehindSame(a.nat, b.nat))
    return 'both ends are behind one NAT and did not reach each other; let hosts of that network talk to each other, or switch on hairpinning at its router'
  if (unsure.length > 0)
    return `no packet got through, and the NAT of ${names} is not known in full; run boson netcheck there, or ${open('one side')}`
  return `no packet got through although both NATs would allow it; look for a firewall that drops UDP, or ${open('one side')}`
}

function cannot(a: NamedEnd, b: NamedEnd): string {
  const [ways, theirs] = [waysOf(a), waysOf(b)]
  const unable = [...(ways?.length === 0 ? [a.id] : []), ...(theirs?.length === 0 ? [b.id] : [])]
  if (unable.length === 1)
    return `the agent of ${unable[0]} offers no way off the relay; update it, and see that it may open a UDP socket`
  if (unable.length === 2)
    return `neither ${a.id} nor ${b.id} offers a way off the relay; update both, and see that they may open a UDP socket`
  if (ways === undefined || theirs === undefined)
    return 'an agent offers no way off the relay; update both ends, and see that they may open a UDP socket'
  return `${a.id} leaves the relay by ${ways.join(' and ')} only and ${b.id} by ${theirs.join(' and ')}; carry WireGuard at both ends, or packets of a program at both`
}

const waysOf = ({ can }: NamedEnd): Ability[] | undefined =>
  can?.filter(ability => ability === 'udp' || ability === 'ice')

function away(a: NamedEnd, b: NamedEnd): string {
  const [one, other] = [a, b].filter(end => end.isAway === true)
  if (one !== undefined && other !== undefined) return `neither ${one.id} nor ${other.id} is connected`
  return `${one?.id ?? 'an end'} is not connected`
}

const movesItsPort = (nat: Nat): boolean =>
  nat.mapping === 'address_dependent' || nat.mapping === 'address_and_port_dependent'
