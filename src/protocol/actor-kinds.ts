/** The kinds of actors there are, in the order that pages list them. */
export const ACTOR_KINDS = [
  'server',
  'cluster',
  'coordinator',
  'snapshot',
  'relay',
  'node',
  'client',
  'nat-probe',
  'path',
  'drain',
] as const

export type ActorKind = (typeof ACTOR_KINDS)[number]
