/**
 * One attempt to leave the relay, from its start to the pair that is chosen: which pairs are checked when, and which
 * one the controlling end nominates (RFC 8445 §8.1.1). Time comes by `tick`, news by `heard`; it sends by `pairs` only.
 *
 *   waiting ── startMs ──▶ checking ── a pair is nominated and valid here ──▶ won
 *                             └────── untilMs ──▶ over
 */
import type { Pair } from './pair.js'
import type { News, Pairs } from './pairs.js'

export interface PunchOptions {
  readonly pairs: Pairs
  /** Whether this end chooses. */
  readonly controlling: boolean
  readonly startMs: number
  readonly untilMs: number
}

/** `stuck`: it is time for a TURN server. */
export type PunchState = 'waiting' | 'checking' | 'stuck' | 'won' | 'over'

/** Rounds of checks are this far apart, ms. */
export const ROUND_MS = 100
/** Checks of one round: with the answers to the peer's, some 50 packets/s in each direction. */
const ROUND_CHECKS = 5
/** Without a pair that works after this long, a TURN server is asked, ms: most holes are there after 100 to 300 ms. */
const STUCK_MS = 1_000
/** A better pair may still turn up for this long after the first one, ms. */
export const SETTLE_MS = { direct: 50, turned: 400 } as const

export class Punch {
  readonly #options: PunchOptions
  #firstMs: Readonly<Record<Pair['tier'], number | null>> = { direct: null, turned: null }
  /** What was chosen: by this end, or by the peer. */
  #nominated: Pair | null = null
  #nominatedMs = Number.NEGATIVE_INFINITY
  #won: Pair | null = null

  constructor(options: PunchOptions) {
    this.#options = options
  }

  /** The pair that both ends use from now on. */
  get won(): Pair | null {
    return this.#won
  }

  stateAt(nowMs: number): PunchState {
    const { controlling, startMs, untilMs } = this.#options
    if (this.#won !== null) return 'won'
    if (nowMs < startMs) return 'waiting'
    if (nowMs >= untilMs) return 'over'
    const nothing = this.#firstMs.direct === null && this.#firstMs.turned === null
    return controlling && nothing && nowMs - startMs >= STUCK_MS ? 'stuck' : 'checking'
  }

  /** Sends the checks that are due. */
  tick(nowMs: number): void {
    const state = this.stateAt(nowMs)
    if (state !== 'checking' && state !== 'stuck') return
    if (this.#options.controlling) this.#nominated ??= this.#choice(nowMs)
    if (this.#nominated !== null && this.#options.controlling) return this.#nominate(this.#nominated, nowMs)
    for (const pair of this.#due(nowMs)) this.#options.pairs.check(pair)
  }

  heard({ pair, what, nominated }: News, nowMs: number): void {
    if (what === 'answered' && this.#firstMs[pair.tier] === null)
      this.#firstMs = { ...this.#firstMs, [pair.tier]: nowMs }
    if (this.#options.controlling) {
      if (what === 'answered' && nominated) this.#won ??= pair
      return
    }
    if (what === 'checked' && nominated) this.#nominated = pair
    if (this.#nominated?.valid === true) this.#won ??= this.#nominated
  }

  #nominate(pair: Pair, nowMs: number): void {
    if (nowMs - this.#nominatedMs < ROUND_MS - 1) return
    this.#nominatedMs = nowMs
    this.#options.pairs.check(pair, true)
  }

  /** The best pair that works, once no better one is to be expected. */
  #choice(nowMs: number): Pair | null {
    for (const tier of ['direct', 'turned'] as const) {
      const firstMs = this.#firstMs[tier]
      if (firstMs !== null && nowMs - firstMs >= SETTLE_MS[tier]) return best(this.#options.pairs.all, tier)
    }
    return null
  }

  /** The pairs that have waited longest; those that were never checked come first, in the order they were named. */
  #due(nowMs: number): readonly Pair[] {
    return this.#options.pairs.all
      .filter(pair => nowMs - pair.lastSentMs >= ROUND_MS - 1)
      .sort((one, other) => one.lastSentMs - other.lastSentMs || 0)
      .slice(0, ROUND_CHECKS)
  }
}

/** Returns the valid pair of the tier with the shortest round trip. */
export function best(pairs: readonly Pair[], tier: Pair['tier']): Pair | null {
  let found: Pair | null = null
  for (const pair of pairs) {
    if (pair.tier !== tier || pair.rttMs === null) continue
    if (found === null || pair.rttMs < (found.rttMs ?? 0)) found = pair
  }
  return found
}
