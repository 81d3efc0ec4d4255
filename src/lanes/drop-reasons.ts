/** Why a relayed packet was not delivered. Dropped packets are not errors: they are counted, one reason each. */
export const DROP_REASONS = [
  'no_such_link',
  'not_your_link',
  'not_open',
  'not_wireguard',
  'over_rate',
  'throttled',
  'peer_away',
  'queue_full',
  'queue_age',
  'socket_refused',
] as const
export type DropReason = (typeof DROP_REASONS)[number]
