/** One link as its end on this machine sees it: a record whose figures are written in place. */
import type { Clock } from '../kit/clock.js'
import type { Peer } from './ports.js'

/**
 *   opening → relayed ⇄ turned ⇄ direct → closed
 *
 * `opening` until both ends are set up; then as the coordinator settles it.
 */
export type LinkState = 'opening' | 'relayed' | 'turned' | 'direct' | 'closed'

/** Figures of one link, as its end sees them. */
export interface LinkMetrics {
  /** Round trip to the peer, ms; null when unknown. */
  readonly rttMs: number | null
  readonly sentBytes: number
  readonly receivedBytes: number
  /** How long ago the last packet arrived, ms; null when none did. */
  readonly lastReceivedMs: number | null
}

export class Link {
  peer: Peer
  state: LinkState = 'opening'
  /** This end is set up: packets can be delivered. */
  ready = false
  sentBytes = 0
  receivedBytes = 0
  lastReceivedAtMs: number | null = null
  /** Traffic since the last heartbeat. */
  active = false
  /** Set-up and taking down, one after the other in the order they were asked for. */
  work: Promise<void> = Promise.resolve()

  constructor(peer: Peer) {
    this.peer = peer
  }

  /** The coordinator has said how packets travel: both ends are set up. */
  get settled(): boolean {
    return this.state !== 'opening' && this.state !== 'closed'
  }

  metrics(clock: Clock): LinkMetrics {
    const { sentBytes, receivedBytes, lastReceivedAtMs } = this
    return {
      rttMs: null,
      sentBytes,
      receivedBytes,
      lastReceivedMs: lastReceivedAtMs === null ? null : clock.now() - lastReceivedAtMs,
    }
  }
}
