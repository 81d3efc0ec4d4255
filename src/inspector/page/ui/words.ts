/** Codes of the wire in words, and how serious they are. */
import type { PathTier } from '../../../actors/ports.js'
import type { PathReason } from '../../../mesh/path-reason.js'
import type { Tone } from './parts.js'

/** Why a path is not direct. */
export const REASON_WORDS: Readonly<Record<PathReason, string>> = {
  udp_blocked: 'UDP is blocked',
  symmetric_both: 'Both are behind symmetric NATs',
  symmetric_restricted: 'Symmetric NAT against a restricted one',
  starting: 'A direct way is about to be tried',
  policy_relay_only: 'The policy says relay only',
  policy_direct_only: 'The policy allows only a direct way',
  throttled: 'An end is held to a lower rate',
  no_candidates: 'An end has not said where it can be reached',
  no_stun: 'STUN does not answer',
  cannot: 'An agent cannot leave the relay',
  punch_timeout: 'Hole punching timed out',
  direct_lost: 'The direct way was lost',
  slower: 'The direct way was slower',
  peer_away: 'An end is away',
}

export const reasonWords = (reason: string | null): string =>
  reason === null ? '' : (REASON_WORDS[reason as PathReason] ?? reason) // a newer coordinator may have others

const VIAS: Readonly<Record<string, string>> = {
  websocket: 'WebSocket',
  udp: 'UDP',
  wireguard: 'WireGuard',
  ice: 'ICE',
}

/** By which socket packets travel. */
export const viaWords = (via: string): string => VIAS[via] ?? via

/** Tiers in the order of how good they are, and the colour each is drawn in. */
export const TIERS: readonly { readonly tier: PathTier; readonly label: string; readonly colour: string }[] =
  [
    { tier: 'direct', label: 'Direct', colour: 'direct' },
    { tier: 'turned', label: 'TURN', colour: 'turned' },
    { tier: 'relayed', label: 'Relay', colour: 'relayed' },
    { tier: 'opening', label: 'Opening', colour: 'waiting' },
    { tier: 'waiting', label: 'Waiting', colour: 'waiting' },
    { tier: 'closed', label: 'Closed', colour: 'waiting' },
  ]

export const tierLabel = (tier: PathTier): string => TIERS.find(each => each.tier === tier)?.label ?? tier

/** How serious a state of an actor is: what lapsed or drains is worth a look, what is closed is over. */
export function toneOfState(state: string): Tone {
  if (/lapsed|suspended|degraded|draining|waiting|failing|unreachable/.test(state)) return 'warn'
  if (/closed|failed|stopped|revoked/.test(state)) return 'bad'
  return /online|serving|direct|idle|up|active/.test(state) ? 'good' : 'plain'
}
