/**
 * The pairs of one attempt, and the checks on them: what RFC 8445 calls the check list. It lives on after the attempt,
 * for as long as its pair carries.
 *
 *   check(pair) ──▶ request ─────▶ peer
 *                   answer  ◀─────        → the pair is valid, and its round trip known
 *   peer ──▶ request, from anywhere       → answered; a new address is a new pair, and checked at once
 */
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { TokenBucket } from '../../kit/token-bucket.js'
import { type Endpoint, endpointText } from '../../protocol/address.js'
import type { StunMessage } from '../../turn/codec.js'
import { Checks, type Disbelief } from './checks.js'
import { type Base, type CandidateType, Pair, pairKey } from './pair.js'

export interface PairsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly link: number
  readonly attempt: number
  readonly key: Uint8Array
  readonly controlling: boolean
  /** Whether a peer can be there at all. */
  readonly reachable: (endpoint: Endpoint) => boolean
  /** A packet of the peer; the bytes are only lent. */
  readonly received: (packet: Uint8Array, tier: Pair['tier']) => void
  readonly doubted: (why: Disbelief | 'unexpected') => void
}

/** What a message of the peer made known about a pair. */
export interface News {
  readonly pair: Pair
  readonly what: 'checked' | 'answered'
  /** The check said that this pair is the one, or our check that said so was answered. */
  readonly nominated: boolean
}

/** Requests of one link, and answers of one link, each at most: 1/s, and at once. */
const PER_SECOND = 50
const BURST = 20
/** More pairs than the peer's 16 candidates on two bases, and some that were never named. */
const MOST_PAIRS = 40
/** A check without an answer is lost after this long, ms. */
const LOST_MS = 1_000

interface Sent {
  readonly pair: Pair
  readonly atMs: number
  readonly nominates: boolean
}

export class Pairs {
  readonly #options: PairsOptions
  readonly #checks: Checks
  readonly #pairs = new Map<string, Pair>()
  readonly #sent = new Map<string, Sent>()
  readonly #ears: (() => void)[] = []
  readonly #requests: TokenBucket
  readonly #answers: TokenBucket

  constructor(options: PairsOptions) {
    this.#options = options
    this.#checks = new Checks(options)
    const nowMs = options.clock.now()
    this.#requests = new TokenBucket(PER_SECOND, BURST, nowMs)
    this.#answers = new TokenBucket(PER_SECOND, BURST, nowMs)
  }

  get attempt(): number {
    return this.#options.attempt
  }

  /** Whether the message answers a check of these. */
  awaits({ transactionId }: StunMessage): boolean {
    return this.#sent.has(transactionId.toString('hex'))
  }

  get all(): readonly Pair[] {
    return [...this.#pairs.values()]
  }

  /** Adds a pair when it is new and can be; returns it, or null. */
  add(base: Base, remote: Endpoint, type: CandidateType): Pair | null {
    const key = pairKey(base, remote)
    const known = this.#pairs.get(key)
    if (known !== undefined) return known
    if (this.#pairs.size >= MOST_PAIRS || !this.#options.reachable(remote)) return null
    const pair = new Pair(base, { address: remote.address, port: remote.port }, type)
    this.#pairs.set(key, pair)
    return pair
  }

  /** Sends a check; returns false when there were too many of late. */
  check(pair: Pair, nominates = false): boolean {
    const nowMs = this.#options.clock.now()
    if (!this.#requests.take(1, nowMs)) return false
    const { id, bytes } = this.#checks.request(nominates)
    this.#sent.set(id, { pair, atMs: nowMs, nominates })
    pair.checked(nowMs)
    pair.base.socket.send(bytes, pair.remote)
    return true
  }

  /** Takes a check or an answer; returns what it made known, or null when it was nothing. */
  hear(message: StunMessage, from: Endpoint, base: Base): News | null {
    return message.class === 'request'
      ? this.#request(message, from, base)
      : this.#answer(message, from, base)
  }

  /** Counts checks that have waited too long. */
  sweep(): void {
    const untilMs = this.#options.clock.now() - LOST_MS
    for (const [id, { pair, atMs }] of this.#sent) {
      if (atMs > untilMs) return // in the order they were sent
      this.#sent.delete(id)
      pair.missed()
    }
  }

  /** Takes no packets any more. */
  close(): void {
    for (const deafen of this.#ears) deafen()
    this.#ears.length = 0
  }

  #request(request: StunMessage, from: Endpoint, base: Base): News | null {
    const { clock, doubted } = this.#options
    const said = this.#checks.read(request)
    if (typeof said === 'string') {
      doubted(said)
      return null
    }
    if (!this.#answers.take(1, clock.now())) return null
    const pair = this.add(base, from, 'srflx')
    if (pair === null) return null
    base.socket.send(this.#checks.answer(request, from), from)
    // Anyone can write anything as its own address. Until the peer has answered from there, another link's stays that.
    if (pair.valid || !base.socket.hasPeer(pair.remote)) this.#prove(pair)
    // What just came from there shows that the way is open now (RFC 8445 §7.3.1.4).
    if (!pair.valid) this.check(pair)
    return { pair, what: 'checked', nominated: said.nominates }
  }

  #answer(answer: StunMessage, from: Endpoint, base: Base): News | null {
    const { clock, doubted } = this.#options
    const id = answer.transactionId.toString('hex')
    const sent = this.#sent.get(id)
    const isFromThere = sent?.pair.base === base && endpointText(sent.pair.remote) === endpointText(from)
    const mapped = isFromThere && answer.class === 'success' ? this.#checks.readAnswer(answer) : null
    if (sent === undefined || mapped === null) {
      doubted('unexpected')
      return null
    }
    this.#sent.delete(id)
    sent.pair.answered(sent.atMs, clock.now(), mapped)
    this.#prove(sent.pair)
    return { pair: sent.pair, what: 'answered', nominated: sent.nominates }
  }

  #prove(pair: Pair): void {
    if (pair.proven) return
    pair.proven = true
    const { received } = this.#options
    this.#ears.push(pair.base.socket.onPeer(pair.remote, packet => received(packet, pair.tier)))
  }
}
