/**
 * One ICE connection from the first description to its end. It counts as proved when a check of ours was
 * answered, and as lost when checks are not answered any more.
 */
import type { Clock, Timer } from '../../kit/clock.js'
import { Ewma } from '../../kit/ewma.js'
import type { WireOf } from '../../protocol/messages.js'
import type { IceServers } from '../ports.js'
import type { IcePair, IcePeer, OpenIce } from './peer.js'

export type IceOutcome = 'direct' | 'turned'

export interface IceAttemptOptions {
  readonly clock: Clock
  readonly openIce: OpenIce
  readonly iceServers: () => IceServers
  readonly attempt: number
  readonly offers: boolean
  readonly startInMs: number
  readonly tryForMs: number
  readonly described: (sdp: string) => void
  /** The bytes are only lent. */
  readonly packet: (packet: Uint8Array, tier: IceOutcome) => void
  readonly proved: () => void
  /** ICE has found a better pair, or a worse one, by itself. */
  readonly moved: (outcome: IceOutcome) => void
  readonly over: (cause: NonNullable<WireOf<'path.attempt'>['cause']>) => void
}

/** Between two checks while packets travel and while they do not, ms. The idle one keeps mappings alive (RFC 8445 §11). */
const CHECK_MS = 1_000
const IDLE_CHECK_MS = 15_000
/** Traffic this long ago still counts, ms. */
const BUSY_MS = 2_000
/** So many checks in a row without an answer, and nothing else heard meanwhile: the path is dead. */
const UNANSWERED_MAX = 2
/** Weight of the newest round trip, and of the newest loss. */
const RTT_WEIGHT = 0.125
const LOSS_WEIGHT = 0.05

/** A check is five bytes: what it is, and its number. */
const ASK = 0
const ANSWER = 1
const CHECK_BYTES = 5

export class IceAttempt {
  readonly #options: IceAttemptOptions
  readonly #rtt = new Ewma(RTT_WEIGHT)
  readonly #loss = new Ewma(LOSS_WEIGHT)
  #peer: IcePeer | null = null
  /** The last description that came before there was a peer. */
  #early: string | null = null
  #tier: IceOutcome | null = null
  #pair: IcePair | null = null
  #number = 0
  #askedMs = 0
  #answered = true
  #unanswered = 0
  #heardMs = Number.NEGATIVE_INFINITY
  #sentMs = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #deadline: Timer | undefined
  #closed = false
  #dropped = 0

  constructor(options: IceAttemptOptions) {
    this.#options = options
    const { clock, startInMs, tryForMs } = options
    this.#timer = clock.setTimeout(() => this.#start(), options.offers ? startInMs : 0)
    this.#deadline = clock.setTimeout(() => this.#end('no_answer'), startInMs + tryForMs)
  }

  get attempt(): number {
    return this.#options.attempt
  }

  /** Null until it is proved. */
  get tier(): IceOutcome | null {
    return this.#tier
  }

  get pair(): IcePair | null {
    return this.#pair
  }

  get rttMs(): number | null {
    return this.#rtt.value
  }

  /** Checks without an answer, %. */
  get lossPct(): number | null {
    return this.#loss.value
  }

  /** What was tried, for people. */
  get tried(): readonly string[] {
    const { local, remote } = this.#pair ?? {}
    const what = local && remote ? `${local} → ${remote}` : 'no pair of candidates connected'
    return [this.#dropped === 0 ? what : `${what}; ${this.#dropped} packets did not fit into the channel`]
  }

  hear(sdp: string): void {
    if (this.#peer === null) this.#early = sdp
    else this.#take(this.#peer, sdp)
  }

  send(packet: Uint8Array): void {
    this.#sentMs = this.#options.clock.now()
    if (this.#peer?.send(packet) === false) this.#dropped++
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.clock.clearTimeout(this.#timer)
    this.#options.clock.clearTimeout(this.#deadline)
    this.#peer?.close()
  }

  #start(): void {
    const { openIce, iceServers, offers, described } = this.#options
    this.#peer = openIce({
      iceServers: iceServers(),
      offers,
      events: {
        described: sdp => this.#closed || described(sdp),
        opened: () => this.#closed || this.#ask(),
        packet: packet => this.#packet(packet),
        check: bytes => this.#checked(bytes),
        closed: () => this.#end(this.#tier === null ? 'no_answer' : 'silent'),
      },
    })
    if (this.#early !== null) this.#take(this.#peer, this.#early)
    this.#early = null
  }

  /** A description that the library does not understand is no description: the deadline ends the attempt. */
  #take(peer: IcePeer, sdp: string): void {
    try {
      peer.hear(sdp)
    } catch {
      this.#end('no_candidates')
    }
  }

  #packet(packet: Uint8Array): void {
    if (this.#closed) return
    this.#heardMs = this.#options.clock.now()
    this.#options.packet(packet, this.#tier ?? 'direct')
  }

  #ask(): void {
    const { clock } = this.#options
    // Until the first answer the other end may not be there yet: its silence says nothing about the path.
    if (!this.#answered && this.#askedMs > this.#heardMs && this.#tier !== null) {
      this.#loss.add(100)
      if (++this.#unanswered >= UNANSWERED_MAX) return this.#end('silent')
    }
    this.#number = (this.#number + 1) >>> 0
    this.#askedMs = clock.now()
    this.#answered = false
    this.#peer?.check(check(ASK, this.#number))
    this.#look()
  }

  /** Waits for the next check: soon while packets travel or an answer is missing. */
  #look(): void {
    const { clock } = this.#options
    clock.clearTimeout(this.#timer)
    this.#timer = clock.setTimeout(() => {
      const idleMs = clock.now() - this.#askedMs
      if (this.#tier === null || !this.#answered || this.#busy || idleMs >= IDLE_CHECK_MS) this.#ask()
      else this.#look()
    }, CHECK_MS)
  }

  get #busy(): boolean {
    return this.#options.clock.now() - Math.max(this.#sentMs, this.#heardMs) < BUSY_MS
  }

  #checked(bytes: Uint8Array): void {
    if (this.#closed || bytes.length !== CHECK_BYTES) return
    const number = Buffer.from(bytes).readUInt32BE(1)
    if (bytes[0] === ASK) this.#peer?.check(check(ANSWER, number))
    else if (bytes[0] === ANSWER && number === this.#number && !this.#answered) this.#answer()
  }

  #answer(): void {
    this.#answered = true
    this.#unanswered = 0
    this.#rtt.add(this.#options.clock.now() - this.#askedMs)
    this.#loss.add(0)
    this.#pair = this.#peer?.pair() ?? this.#pair
    const tier = this.#pair?.relayed === true ? 'turned' : 'direct'
    const before = this.#tier
    this.#tier = tier
    if (before === null) {
      this.#options.clock.clearTimeout(this.#deadline)
      this.#options.proved()
    } else if (before !== tier) this.#options.moved(tier)
  }

  #end(cause: Parameters<IceAttemptOptions['over']>[0]): void {
    if (this.#closed) return
    this.close()
    this.#options.over(cause)
  }
}

function check(what: number, number: number): Uint8Array {
  const bytes = Buffer.alloc(CHECK_BYTES)
  bytes[0] = what
  bytes.writeUInt32BE(number, 1)
  return bytes
}
