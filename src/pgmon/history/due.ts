/** When servers are visited: by a grid in time, each server at its own place in it, so that they do not all come at once. */

/** Of ids that follow each other, multiples of the golden ratio are spread most evenly. */
const SPREAD = 0.618_033_988_749_895

/**
 * Returns the first moment after `afterMs` at which a server is visited by what comes every `everyMs`. Whatever comes more
 * rarely, by a multiple, comes at moments at which the others come too: `staggerMs` is the same for all.
 */
export function nextDueMs(serverId: number, everyMs: number, staggerMs: number, afterMs: number): number {
  const place = (serverId * SPREAD) % 1
  const offsetMs = Math.floor((place * staggerMs) / 1_000) * 1_000
  return (Math.floor((afterMs - offsetMs) / everyMs) + 1) * everyMs + offsetMs
}

/** A visit that comes later than this is not told to be of the moment at which it was due, ms. */
const LATE_MS = 60_000

/** Returns the moment that a visit’s samples are of: when it was due, or now when it was late. */
export const sampleAtMs = (dueAtMs: number, nowMs: number): number =>
  nowMs - dueAtMs <= LATE_MS ? dueAtMs : Math.floor(nowMs / 1_000) * 1_000
