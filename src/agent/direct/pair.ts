/** A pair of addresses that a link may use: one of our bases, and where the peer may be. Written in place. */
import { Ewma } from '../../kit/ewma.js'
import { type Endpoint, endpointText } from '../../protocol/address.js'
import type { DirectSocket } from './direct-socket.js'

/** Types of RFC 8445 §5.1.1, as `path.signal` spells them; what a check came from unannounced is `srflx`. */
export type CandidateType = 'host' | 'srflx' | 'relay'

/** Where we send from: the socket itself, or an address that a TURN server relays. */
export interface Base {
  readonly type: 'socket' | 'relay'
  readonly socket: DirectSocket
}

/** Share of the newest sample in the smoothed round trip (RFC 6298 §2). */
const RTT_WEIGHT = 1 / 8
/** How many checks the loss is told from. */
const REMEMBERED = 32

export class Pair {
  readonly base: Base
  readonly remote: Endpoint
  readonly type: CandidateType
  readonly tier: 'direct' | 'turned'
  /** How the peer sees this end. */
  mapped: Endpoint | null = null
  /** The peer has been there: its packets are taken. */
  proven = false
  sent = 0
  lastSentMs = Number.NEGATIVE_INFINITY
  lastAnswerMs: number | null = null
  /** Checks since the last answer, and when the first of them left. */
  unanswered = 0
  unansweredSinceMs = 0
  /** The quickest answer, ms: what the path can do when neither machine is busy. Null before the first. */
  bestRttMs: number | null = null
  readonly #rtt = new Ewma(RTT_WEIGHT)
  /** What became of the newest checks, one bit each: 1 is an answer. */
  #fates = 0
  #known = 0

  constructor(base: Base, remote: Endpoint, type: CandidateType) {
    this.base = base
    this.remote = remote
    this.type = type
    this.tier = base.type === 'relay' || type === 'relay' ? 'turned' : 'direct'
  }

  /** A check of ours was answered: packets can be sent. */
  get valid(): boolean {
    return this.lastAnswerMs !== null
  }

  /** Smoothed, ms; null before the first answer. */
  get rttMs(): number | null {
    return this.#rtt.value
  }

  /** Of the newest checks, those without an answer, %; null before there are any. */
  get lossPct(): number | null {
    if (this.#known === 0) return null
    return 100 * (1 - ones(this.#fates) / this.#known)
  }

  checked(nowMs: number): void {
    if (this.unanswered === 0) this.unansweredSinceMs = nowMs
    this.unanswered++
    this.sent++
    this.lastSentMs = nowMs
  }

  answered(sentMs: number, nowMs: number, mapped: Endpoint): void {
    this.#rtt.add(nowMs - sentMs)
    this.bestRttMs = Math.min(this.bestRttMs ?? Number.POSITIVE_INFINITY, nowMs - sentMs)
    this.#fated(1)
    this.lastAnswerMs = nowMs
    this.unanswered = 0
    this.mapped = mapped
  }

  /** A check has waited too long for its answer. */
  missed(): void {
    this.#fated(0)
  }

  #fated(fate: 0 | 1): void {
    this.#fates = ((this.#fates << 1) | fate) >>> 0
    this.#known = Math.min(this.#known + 1, REMEMBERED)
  }
}

export const pairKey = (base: Base, remote: Endpoint): string => `${base.type} ${endpointText(remote)}`

function ones(bits: number): number {
  let count = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++
  return count
}
