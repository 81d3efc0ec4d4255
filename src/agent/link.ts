/** One link as its end on this machine sees it: a record whose figures are written in place. */
import type { Clock } from '../kit/clock.js'
import type { WireOf } from '../protocol/messages.js'
import { LinkWays } from './link-ways.js'
import type { Peer } from './ports.js'

/** How packets travel, when they do. */
export type Tier = Exclude<WireOf<'path.settled'>['tier'], 'waiting'>

/**
 *   opening → relayed ⇄ turned ⇄ direct → closed       (waiting, where the policy forbids the relay)
 *
 * `opening` until both ends are set up; then as the coordinator settles it.
 */
export type LinkState = 'opening' | 'waiting' | Tier | 'closed'

/** What a tunnel knows of one link. */
export interface TunnelMetrics {
  /** Round trip to the peer, ms; null when unknown. */
  readonly rttMs: number | null
  readonly sentBytes: number
  readonly receivedBytes: number
  /** How long ago the last packet arrived, ms; null when none did. */
  readonly lastReceivedMs: number | null
}

/** Figures of one link, as its end sees them. */
export interface LinkMetrics extends TunnelMetrics {
  /** Of `sentBytes` and `receivedBytes`: what travelled off the relay, bytes. */
  readonly turnedSentBytes: number
  readonly turnedReceivedBytes: number
  readonly directSentBytes: number
  readonly directReceivedBytes: number
  /** Checks of the way in use without an answer, %; null on the relay. */
  readonly lossPct: number | null
}

interface Carried {
  sentBytes: number
  receivedBytes: number
}

export class Link {
  peer: Peer
  state: LinkState = 'opening'
  /** By which socket it is settled, and why not directly; null when the coordinator has not said. */
  via: WireOf<'path.settled'>['via'] | null = null
  reason: string | null = null
  /** This end is set up: packets can be delivered. */
  ready = false
  /** Its policy lets it use the relay. */
  mayRelay = true
  readonly ways = new LinkWays()
  readonly carried: Readonly<Record<Tier, Carried>> = {
    relayed: { sentBytes: 0, receivedBytes: 0 },
    turned: { sentBytes: 0, receivedBytes: 0 },
    direct: { sentBytes: 0, receivedBytes: 0 },
  }
  lastReceivedAtMs: number | null = null
  /** The last round trip that the tunnel saw while the relay carried, ms. */
  relayedRttMs: number | null = null
  /** Traffic since the last heartbeat; and what was carried past this process up to then, bytes. */
  active = false
  activeUnseen = 0
  /** Set-up and taking down, one after the other in the order they were asked for. */
  work: Promise<void> = Promise.resolve()

  constructor(peer: Peer) {
    this.peer = peer
  }

  /** The coordinator has said how packets travel: both ends are set up. */
  get settled(): boolean {
    return this.state !== 'opening' && this.state !== 'closed'
  }

  /** How packets leave this end now; null while they do not. */
  get tier(): Tier | null {
    return this.ready ? (this.ways.carrier?.tier ?? (this.mayRelay ? 'relayed' : null)) : null
  }

  /** `seen` is what the tunnel knows. Its totals count, as it knows of packets that were dropped on the way. */
  metrics(clock: Clock, seen: TunnelMetrics | null): LinkMetrics {
    const { relayed, turned, direct } = this.carried
    const { measured, unseen } = this.ways
    const age = (atMs: number | null) => (atMs === null ? null : clock.now() - atMs)
    const sum = (of: keyof Carried) => relayed[of] + turned[of] + direct[of]
    return {
      rttMs: measured.rttMs ?? seen?.rttMs ?? null,
      sentBytes: (seen?.sentBytes ?? sum('sentBytes')) + unseen.sentBytes,
      receivedBytes: (seen?.receivedBytes ?? sum('receivedBytes')) + unseen.receivedBytes,
      lastReceivedMs: younger(
        seen === null ? age(this.lastReceivedAtMs) : seen.lastReceivedMs,
        age(unseen.lastReceivedAtMs),
      ),
      turnedSentBytes: turned.sentBytes,
      turnedReceivedBytes: turned.receivedBytes,
      directSentBytes: direct.sentBytes + unseen.sentBytes,
      directReceivedBytes: direct.receivedBytes + unseen.receivedBytes,
      lossPct: measured.lossPct,
    }
  }
}

/** Returns the smaller of two ages; null is none. */
const younger = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b)
