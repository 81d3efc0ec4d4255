/** What happens to a route in words, for tables and sentences. A code that is not here is shown as it is. */

/** Why a node is out, after its id. */
const OUT: Readonly<Record<string, string>> = {
  'not accepting': 'is away, or its heartbeat is',
  draining: 'is being drained',
  full: 'has no place left',
  target: 'is not the node that is asked for',
  pin: 'is not the node that the operator pinned',
  excluded: 'is excluded by the request',
  country: 'is in another country, or does not say',
  region: 'is in another region, or does not say',
  tags: 'lacks a tag',
  group: 'is not in the group',
  terms: 'is in none of the groups that the client may use',
  exit: 'does not forward to the internet',
  policy: 'has a path policy that does not go with the client’s',
  bandwidth: 'has too little bandwidth left',
  'bandwidth unknown': 'does not say what its uplink carries',
  latency: 'is too far away',
  'latency unknown': 'has no measured round trip yet',
}

/** Why a route stayed that had a reason to move. */
const STAYED: Readonly<Record<string, string>> = {
  no_candidate: 'no other node qualified',
  no_clear_gain: 'no other was clearly cheaper',
  too_soon: 'it had moved a moment before',
  client_away: 'the client was away',
  flapping: 'the node that it would rather have comes and goes',
}

/** Why a route moved, about the node that it left. */
const MOVED: Readonly<Record<string, string>> = {
  node_lost: 'the node lost its connection',
  node_left: 'the node left',
  node_lapsed: 'the node was silent for too long',
  node_drained: 'the node is being drained',
  operator: 'an operator decided so',
  node_degraded: 'the node carries badly',
  capacity_cut: 'the node has fewer places than before',
  better: 'another node is clearly better',
}

export const outWords = (reason: string): string => OUT[reason] ?? reason
export const stayedWords = (reason: string): string => STAYED[reason] ?? reason
export const movedWords = (cause: string): string => MOVED[cause] ?? cause
