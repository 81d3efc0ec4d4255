/**
 * The clockwork of agents that speak HTTP, once: the heartbeat's answer, the lapse of whoever sends none, and the page
 * that tells it all read it here.
 *
 *   heartbeat ──── good for three intervals ────→ silent ─→ offline ──── time to come back ────→ gone
 */
import { TIMING } from '../../protocol/timing.js'

export interface HttpTiming {
  /** A node that is well is asked to be heard this often, s, and one that is degraded this often. */
  readonly heartbeatEveryS: number
  readonly degradedHeartbeatEveryS: number
  /** A heartbeat speaks for its node this long, s. */
  readonly heartbeatGoodForS: number
  /** A node is offline when it was not heard for this long, s, and its routes have moved by then. */
  readonly offlineAfterS: number
  /** Its session is over when it was not heard for this long, s. What is known of it stays. */
  readonly goneAfterS: number
  /** A client keeps its session and its route this long after its last request, s. */
  readonly clientKeptS: number
}

/** How long a request may wait for something to happen, ms: less than proxies wait for an answer. */
export const WAIT_MAX_MS = 25_000
/** Heartbeats that may be lost in a row. */
const HEARTBEATS = 3
/** A degraded node is heard this many times as often. */
const WATCHED_TIMES = 3
/** Clients of the first BosonServer had their route for this long and said nothing more, s. */
const CLIENT_KEPT_S = 3_600

/** Returns what follows from the settings. */
export function httpTiming(config: {
  readonly httpBeatEveryS: number
  readonly beatEveryMs: number
  readonly resumeWindowMs: number
}): HttpTiming {
  const { httpBeatEveryS, beatEveryMs, resumeWindowMs } = config
  const heartbeatGoodForS = HEARTBEATS * httpBeatEveryS
  const offlineAfterS = heartbeatGoodForS + (TIMING.silenceBeats * beatEveryMs) / 1_000
  return {
    heartbeatEveryS: httpBeatEveryS,
    degradedHeartbeatEveryS: Math.max(1, Math.round(httpBeatEveryS / WATCHED_TIMES)),
    heartbeatGoodForS,
    offlineAfterS,
    goneAfterS: offlineAfterS + resumeWindowMs / 1_000,
    clientKeptS: CLIENT_KEPT_S,
  }
}
