/** The agent's own clockwork; what both ends share is in `protocol/timing.ts`. */
import { TIMING } from '../protocol/timing.js'

export const AGENT_TIMING = {
  /** Patience for a connection, its TLS handshake and its upgrade, ms. */
  dialMs: 10_000,
  /** Patience for `welcome` and for the answer to `register` or `resume`, ms. Longer than the coordinator's own. */
  greetingMs: 2 * TIMING.greetingMs,
  /** Patience for a sign of life after the network has changed, ms: two lost packets on a slow path. */
  probeMs: 4_000,
  /** First and longest ceiling of the reconnect back-off, ms. */
  reconnectFirstMs: TIMING.reconnectFirstMs,
  reconnectMaxMs: TIMING.reconnectMaxMs,
  /** Longest ceiling while a restarting coordinator is expected back, ms. */
  restartMaxMs: 2_000,
  /** The longest wait that a coordinator may ask for, ms: its mistake must not strand the agent. */
  askedWaitMaxMs: 3_600_000,
  /** A session that stood for this long resets the back-off, ms. */
  stableAfterMs: TIMING.stableAfterMs,
  /** A ticket is renewed this often, ms. */
  renewEveryMs: TIMING.renewEveryMs,
  /** Patience for the answer to `route.request` and for its link to carry, ms. */
  routeMs: 10_000,
  /** How long a client whose link closed waits for the coordinator to say what comes instead, ms. */
  doubtMs: 500,
  /** Heartbeats between two `path.report` of one link. */
  reportEveryBeats: 3,
} as const

export type AgentTiming = { readonly [K in keyof typeof AGENT_TIMING]: number }
