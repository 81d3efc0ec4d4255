/**
 * Whether a node carries well, judged once a beat by what others measure of it. It has to look ill several times in a
 * row to be degraded, and well as often to be so no more, by easier limits: figures waver, and moving its routes away
 * makes it look better.
 *
 *   loss     between its clients and it, as the clients measure it
 *   rtt      to the coordinator, beside what is usual for it
 *   uplink   what goes through it beside what it has: its own word, which can only cost it routes
 */
export type Ailment = 'loss' | 'rtt' | 'uplink'

/** What is known of a node at one look. Null is unknown, and never an ailment. */
export interface Signs {
  /** Packets lost, %. */
  readonly lossPct: number | null
  /** Clients that say so: one alone may have a bad network itself. */
  readonly witnesses: number
  readonly rttMs: number | null
  readonly usualRttMs: number | null
  /** Bandwidth in use beside what it has, 0 to 1. */
  readonly uplink: number | null
  /** Its own word: a hint, for a round trip that has grown. */
  readonly cpuPct: number | null
}

export interface Condition {
  /** null: it carries well. */
  readonly ailment: Ailment | null
  /** Looks in a row that said otherwise. */
  readonly doubts: number
}

export const WELL: Condition = { ailment: null, doubts: 0 }

/** Looks in a row that it takes: with a beat each, half a minute. */
const LOOKS = 3
const WITNESSES_LEAST = 3
/** From where on a node is ill, and below what it is well again. Voice suffers from 5 % on, and people notice. */
const LOSS_PCT = { ill: 5, well: 2 }
/** Round trip by what is usual, and how many ms above it at least: half a long way across a continent. */
const RTT = { ill: 2, hinted: 1.5, well: 1.5, leastMs: 50 }
const CPU_HINT_PCT = 95
/** Of the uplink: above this its queue grows. */
const UPLINK = { ill: 0.95, well: 0.8 }

/** Returns the condition after one more look. */
export function judge(before: Condition, signs: Signs): Condition {
  const ailment = before.ailment === null ? illBy(signs) : isWell(signs) ? null : before.ailment
  if (ailment === before.ailment) return before.doubts === 0 ? before : { ...before, doubts: 0 }
  const doubts = before.doubts + 1
  return doubts < LOOKS ? { ...before, doubts } : { ailment, doubts: 0 }
}

function illBy({ lossPct, witnesses, rttMs, usualRttMs, uplink, cpuPct }: Signs): Ailment | null {
  if (lossPct !== null && witnesses >= WITNESSES_LEAST && lossPct >= LOSS_PCT.ill) return 'loss'
  const factor = (cpuPct ?? 0) >= CPU_HINT_PCT ? RTT.hinted : RTT.ill
  if (hasGrown(rttMs, usualRttMs, factor)) return 'rtt'
  return uplink !== null && uplink >= UPLINK.ill ? 'uplink' : null
}

const isWell = ({ lossPct, rttMs, usualRttMs, uplink }: Signs): boolean =>
  (lossPct ?? 0) < LOSS_PCT.well && !hasGrown(rttMs, usualRttMs, RTT.well) && (uplink ?? 0) < UPLINK.well

const hasGrown = (rttMs: number | null, usualMs: number | null, factor: number): boolean =>
  rttMs !== null && usualMs !== null && rttMs >= Math.max(usualMs * factor, usualMs + RTT.leastMs)

/** How fast what is usual follows a round trip that is shorter, and one that is longer: a quarter of an hour at a look each 10 s. */
const USUAL = { shorter: 0.5, longer: 0.01 }

/** Returns what round trip is usual after one more look. */
export function usualRtt(usualMs: number | null, rttMs: number | null): number | null {
  if (usualMs === null || rttMs === null) return usualMs ?? rttMs
  return usualMs + (rttMs - usualMs) * (rttMs < usualMs ? USUAL.shorter : USUAL.longer)
}

/** Returns what most of these say at least: the lower one in the middle, so that one with a bad network does not count. */
export function lowerMedian(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[(sorted.length - 1) >> 1] ?? null
}
