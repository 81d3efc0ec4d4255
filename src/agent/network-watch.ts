/**
 * Notices that this machine got another network: an address came or went. The agent then looks after its
 * connection at once instead of waiting for silence or for its next attempt.
 */
import { networkInterfaces } from 'node:os'
import { type Clock, every, systemClock } from '../kit/clock.js'

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

/** Returns the addresses that lead out of this machine. */
function readAddresses(): string {
  return Object.entries(networkInterfaces())
    .flatMap(([name, addresses = []]) =>
      addresses.filter(each => !each.internal).map(({ address }) => `${name} ${address}`),
    )
    .sort()
    .join('\n')
}
