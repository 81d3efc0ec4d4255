/**
 * The pair that carries a link: sends on it, watches it, and moves on when the peer is heard from elsewhere. Time comes
 * by `tick`, which says what became of it.
 */
import { isTooSlow, slowSince } from '../../mesh/tier.js'
import type { Account } from './account.js'
import type { Pair } from './pair.js'
import type { Pairs } from './pairs.js'
import { Watch } from './watch.js'

export interface CarryingOptions {
  readonly pairs: Pairs
  readonly pair: Pair
  /** Checks without traffic are this far apart, ms. */
  readonly idleMs: number
  readonly nowMs: number
}

/** `moved`: it goes on with another pair. The others are ends: no answer with or without traffic, slower than the relay. */
export type Fate = 'same' | 'moved' | 'silent' | 'forgotten' | 'slower'

/** An answer this young shows that a pair is alive, ms. */
const FRESH_MS = 2_000

export class Carrying {
  readonly pairs: Pairs
  /** What this end said of it last, to say it again. */
  account: Account | null = null
  readonly #watch: Watch
  #pair: Pair
  #slowSinceMs: number | null = null

  constructor({ pairs, pair, idleMs, nowMs }: CarryingOptions) {
    this.pairs = pairs
    this.#pair = pair
    this.#watch = new Watch(nowMs, idleMs)
  }

  get pair(): Pair {
    return this.#pair
  }

  isInDoubt(nowMs: number): boolean {
    return this.#watch.isInDoubt(this.#pair, nowMs)
  }

  send(packet: Uint8Array, nowMs: number): void {
    this.#watch.sent(nowMs)
    this.#pair.base.socket.send(packet, this.#pair.remote)
  }

  /** A packet of the peer arrived. */
  heard(nowMs: number): void {
    this.#watch.heard(nowMs)
  }

  /** Looks at once whether the peer is there. */
  look(): void {
    this.pairs.check(this.#pair)
  }

  tick(nowMs: number, relayedRttMs: number | null): Fate {
    this.pairs.sweep()
    const moved = this.isInDoubt(nowMs) && this.#moveOn(nowMs)
    if (this.#watch.isLost(this.#pair, nowMs)) return this.#watch.isBusy(nowMs) ? 'silent' : 'forgotten'
    const trips = { own: this.#pair.rttMs, relayed: relayedRttMs }
    this.#slowSinceMs = slowSince(this.#slowSinceMs, trips, nowMs)
    if (isTooSlow(this.#slowSinceMs, nowMs)) return 'slower'
    if (this.#watch.isCheckDue(this.#pair, nowMs)) this.look()
    return moved ? 'moved' : 'same'
  }

  /** The peer's NAT gave it another address: what it has checked from there, and we have checked back, carries on. */
  #moveOn(nowMs: number): boolean {
    let newest: Pair | null = null
    for (const pair of this.pairs.all) {
      const { lastAnswerMs, unanswered } = pair
      if (pair === this.#pair || unanswered > 0 || lastAnswerMs === null) continue
      if (nowMs - lastAnswerMs < FRESH_MS && lastAnswerMs > (newest?.lastAnswerMs ?? 0)) newest = pair
    }
    if (newest === null) return false
    this.#pair = newest
    return true
  }
}
