/**
 * Notices that this machine got another network: an address came or went. The agent then looks after its
 * connection at once instead of waiting for silence or for its next attempt.
 */
import { type Clock, every, systemClock } from '../kit/clock.js'
import { localAddresses } from './direct/local-addresses.js'

/** How often the addresses are read, ms. Reading them takes some 0.1 ms. */
const LOOK_EVERY_MS = 2_000

export interface NetworkWatchOptions {
  readonly changed: () => void
  readonly clock?: Clock
  /** Reads all addresses of this machine as one text. */
  readonly read?: () => string
}

/** Calls `changed` whenever the addresses differ from the last look; returns what ends the watch. */
export function watchNetwork({
  changed,
  clock = systemClock,
  read = readAddresses,
}: NetworkWatchOptions): () => void {
  let known = read()
  return every(clock, LOOK_EVERY_MS, () => {
    const now = read()
    if (now === known) return
    known = now
    changed()
  })
}

/** Tunnels are no network: ours come and go. */
const readAddresses = (): string => [...localAddresses()].sort().join()
