/**
 * When a path tries to leave the relay, by which socket, and how long it rests after it did not work.
 *
 *   abilities, NATs, policy, what the ends have said ─→ plan ─→ try `via`, or rest for a reason
 */
import { backoffMs } from '../kit/backoff.js'
import type { Random } from '../kit/random.js'
import type { WireOf } from '../protocol/messages.js'
import { type Barrier, canPunch, type Nat } from './nat.js'
import type { PathPolicy } from './path-policy.js'
import type { PathReason } from './path-reason.js'

/** By which socket packets leave the relay. */
export type Via = WireOf<'path.punch'>['via']
/** How packets travel now; `waiting`: not at all, for the policy forbids the relay. */
export type Tier = WireOf<'path.settled'>['tier']

export interface UpgradeEnd {
  readonly can: readonly NonNullable<WireOf<'register'>['can']>[number][]
  readonly nat: Nat
  /** Has a socket to the coordinator, and is set up. */
  readonly isPresent: boolean
  /** How many addresses it may be reached at; null: it has not said yet. */
  readonly candidates: number | null
  /** A port of its router may be forwarded to it. */
  readonly isForwarded: boolean
}

export interface UpgradeView {
  readonly policy: PathPolicy
  /** An end is held to a rate of its own, which the relay alone can do. */
  readonly isThrottled: boolean
  readonly tier: Tier
  /** By which socket of the agents' it is direct or turned; null when it is not. */
  readonly via: Via | null
  /** Where the ends' WireGuards reach each other can be found out. */
  readonly native: boolean
  /** Returns whether an end may use a TURN server; asked only where that decides. */
  readonly hasTurn: () => boolean
  /** The coordinator sees both at one address: they may be in one network. */
  readonly areTogether: boolean
  readonly ends: readonly [UpgradeEnd, UpgradeEnd]
}

/** What to try now; or nothing until something changes, and why the path is not direct. */
export interface Plan {
  readonly via: Via | null
  readonly reason: PathReason | null
}

/** Returns the next way to try. The questions whose answers change least often come first. */
export function plan(view: UpgradeView): Plan {
  const { policy, tier, ends } = view
  const [a, b] = ends
  if (policy === 'relay-only') return rest(view.isThrottled ? 'throttled' : 'policy_relay_only')
  if (tier === 'direct') return canGoNative(view) ? { via: 'wireguard', reason: null } : rest(null)
  const via = commonWay(a, b)
  if (via === null) return rest('cannot')
  if (!a.isPresent || !b.isPresent) return rest('peer_away')
  if (a.candidates === null || b.candidates === null) return rest('starting')
  if (via === 'udp' && a.candidates + b.candidates === 0) return rest('no_candidates')
  const punch = canPunch(a.nat, b.nat)
  if (punch.verdict === 'no' && !canMeet(view, punch.reason) && !canBeTurned(view, punch.reason))
    return rest(punch.reason)
  return { via, reason: null }
}

/**
 * Whatever their NATs are like: a forwarded port lets in whoever comes, and within one network UDP may flow that
 * does not get out of it. Nobody knows but by trying.
 */
const canMeet = ({ areTogether, ends }: UpgradeView, barrier: Barrier): boolean =>
  barrier === 'udp_blocked' ? areTogether : ends.some(end => end.isForwarded)

/** A TURN server helps two NATs that cannot meet, once; it does not help an end whose UDP stays inside. */
const canBeTurned = ({ policy, tier, hasTurn }: UpgradeView, barrier: Barrier): boolean =>
  barrier !== 'udp_blocked' && policy === 'auto' && tier === 'relayed' && hasTurn()

/** WireGuard's own socket cannot be proved before it is used: only a pair that UDP has proved is tried. */
const canGoNative = ({ via, native, ends }: UpgradeView): boolean =>
  via === 'udp' && native && ends.every(end => end.isPresent && end.can.includes('wireguard'))

const rest = (reason: PathReason | null): Plan => ({ via: null, reason })

/** UDP first: it loses nothing and keeps the packets as they are. */
function commonWay(a: UpgradeEnd, b: UpgradeEnd): Via | null {
  for (const way of ['udp', 'ice'] as const) if (a.can.includes(way) && b.can.includes(way)) return way
  return null
}

/** What two ends need to open their NATs for WireGuard before both are steered, ms: one way to each other, and a command. */
export const OPEN_MS = 250

/** Ceilings of the first rest and of every rest, ms. */
const FIRST_REST_MS = 5_000
const LONGEST_REST_MS = 600_000

/**
 * Returns how long to rest after so many failures in a row, ms: doubling, and drawn from the upper half so that
 * each rest is longer than the one before, while paths that failed together do not come back together.
 */
export function restMs(failures: number, random: Random): number {
  const ceilingMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(failures - 1, 30))
  const half = { firstMs: FIRST_REST_MS / 2, maxMs: LONGEST_REST_MS / 2 }
  return ceilingMs / 2 + backoffMs(failures - 1, random, half)
}

/** Returns after how long each end begins, ms, so that both begin at the same moment although one hears it later. */
export function startsIn(rttsMs: readonly [number | null, number | null]): [number, number] {
  const [a, b] = rttsMs
  // An end whose round trip is not known yet is taken to be as far away as the other.
  const awayA = (a ?? b ?? 0) / 2
  const awayB = (b ?? a ?? 0) / 2
  const meetMs = Math.min(Math.max(awayA, awayB), LONGEST_WAIT_MS)
  return [Math.round(Math.max(0, meetMs - awayA)), Math.round(Math.max(0, meetMs - awayB))]
}

/** A round trip that is longer than twice this says nothing about the next message, ms. */
const LONGEST_WAIT_MS = 1_000

type Cause = NonNullable<WireOf<'path.attempt'>['cause']>

/** Returns the reason code of an attempt that failed for these causes. */
export function reasonOfFailure(causes: readonly Cause[], hasStun: boolean): PathReason {
  if (causes.includes('slower')) return 'slower'
  // Then the ends knew their addresses inside only, and tried those.
  if (!hasStun) return 'no_stun'
  return causes.includes('no_candidates') || causes.includes('no_socket') ? 'no_candidates' : 'punch_timeout'
}
