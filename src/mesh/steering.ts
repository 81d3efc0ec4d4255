import type { Steering } from '../actors/ports.js'

/** What holds for whom the operator has laid nothing down. */
export const NO_STEERING: Steering = {
  groups: [],
  tags: [],
  costWeight: null,
  maxSessions: null,
  drained: false,
  drainedUntilMs: null,
  pin: null,
  prefer: [],
  avoid: [],
  group: null,
  weights: {},
}
