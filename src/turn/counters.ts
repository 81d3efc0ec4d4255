/** What was refused or dropped, counted by reason. The lists are closed: peers choose none of the names. */

/** Why a request was refused, or left without an answer. */
export const REFUSALS = [
  'malformed',
  'unknown_method',
  'over_rate',
  'too_big_an_answer',
  'challenged',
  'stale_nonce',
  'bad_credentials',
  'expired',
  'no_session',
  'bad_request',
  'not_understood',
  'mismatch',
  'other_user',
  'transport',
  'family',
  'peer_family',
  'peer',
  'user_quota',
  'address_quota',
  'capacity',
  'draining',
] as const
export type Refusal = (typeof REFUSALS)[number]

/** Why a relayed packet went nowhere. */
export const LOSSES = [
  'no_allocation',
  'no_permission',
  'no_channel',
  'peer',
  'not_ours',
  'send_failed',
  'full',
] as const
export type Loss = (typeof LOSSES)[number]

export class Counters {
  readonly refused = zeros(REFUSALS)
  readonly lost = zeros(LOSSES)
  /** Binding requests answered. */
  bindings = 0
  /** Datagrams handed on that were neither STUN nor TURN. */
  strays = 0
  /** Relayed from clients to peers, and back. */
  readonly toPeers = { packets: 0, bytes: 0 }
  readonly toClients = { packets: 0, bytes: 0 }
}

export type Tally<K extends string> = Record<K, number>

const zeros = <K extends string>(names: readonly K[]) =>
  Object.fromEntries(names.map(name => [name, 0])) as Tally<K> // one for each name
