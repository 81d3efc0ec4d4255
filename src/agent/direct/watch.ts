/**
 * Whether the pair that carries is alive. Checks go out about every second under traffic and now and then without;
 * silence while packets go out is suspicious and checked at once.
 *
 *   sure ── a check is late ──▶ in doubt ── three are late ──▶ lost
 *     ▲                            │
 *     └────────── answer ──────────┘
 *
 * Only answers count as life: packets of the peer prove its way to us, not ours to it.
 */
import type { Pair } from './pair.js'

/** Packets went out within this, ms: there is traffic. */
const TRAFFIC_MS = 1_000
/** Checks under traffic, ms. */
const BUSY_MS = 1_000
/** Checks without traffic, ms; they keep the NAT's mapping alive, whose life is 30 s in many routers. */
export const IDLE_MS = 15_000
/** Packets went out and none came in for this long, ms: that is checked, at most this often. */
const SILENT_MS = 200
const SILENT_AGAIN_MS = 300
/** An unanswered check is repeated after this, ms, under traffic and without. */
const REPEAT_MS = { busy: 200, idle: 1_000 } as const
/**
 * A way is lost after so many unanswered checks, the first of them so long ago, ms, or so many round trips: soon in
 * silence, later while packets of the peer still arrive, as then it is rather a few checks that were lost.
 */
const LOST = {
  silent: { checks: 3, afterMs: 500 },
  lossy: { checks: 8, afterMs: 1_500 },
  idle: { checks: 4, afterMs: 4_000 },
} as const
const LOST_TRIPS = 3
/** A check is late after this, ms, and so many round trips. */
const LATE_MS = 60
const LATE_TRIPS = 1.5

export class Watch {
  readonly #idleMs: number
  #sentMs = Number.NEGATIVE_INFINITY
  #heardMs: number

  /** `idleMs` apart are the checks while there is no traffic. */
  constructor(nowMs: number, idleMs: number) {
    this.#heardMs = nowMs
    this.#idleMs = idleMs
  }

  /** A packet for the peer left. */
  sent(nowMs: number): void {
    this.#sentMs = nowMs
  }

  /** A packet of the peer arrived. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs
  }

  isBusy(nowMs: number): boolean {
    return nowMs - this.#sentMs < TRAFFIC_MS
  }

  /** Whether packets should also take another way until the next answer. */
  isInDoubt(pair: Pair, nowMs: number): boolean {
    return pair.unanswered > 0 && nowMs - pair.unansweredSinceMs > LATE_MS + LATE_TRIPS * (pair.rttMs ?? 0)
  }

  isLost(pair: Pair, nowMs: number): boolean {
    const { checks, afterMs } = LOST[this.#circumstance(nowMs)]
    const waitedMs = nowMs - pair.unansweredSinceMs
    return pair.unanswered >= checks && waitedMs >= Math.max(afterMs, LOST_TRIPS * (pair.rttMs ?? 0))
  }

  isCheckDue(pair: Pair, nowMs: number): boolean {
    const sinceMs = nowMs - pair.lastSentMs
    const busy = this.isBusy(nowMs)
    if (pair.unanswered > 0) return sinceMs >= Math.max(REPEAT_MS[busy ? 'busy' : 'idle'], pair.rttMs ?? 0)
    if (busy && this.#isSilent(nowMs) && sinceMs >= SILENT_AGAIN_MS) return true
    return sinceMs >= (busy ? BUSY_MS : this.#idleMs)
  }

  #circumstance(nowMs: number): keyof typeof LOST {
    if (!this.isBusy(nowMs)) return 'idle'
    return nowMs - this.#heardMs < SILENT_MS ? 'lossy' : 'silent'
  }

  #isSilent(nowMs: number): boolean {
    return this.#sentMs > this.#heardMs && nowMs - this.#heardMs >= SILENT_MS
  }
}
