/** Something that somebody hears of as it happens: gathered for a moment, told in one message, bounded. */
import type { Clock, Timer } from '../../kit/clock.js'
import { OPERATOR_ANSWER_MAX, operatorCodec } from '../../protocol/operator.js'
import type { Value } from '../../protocol/value.js'
import { asValue } from './value-of.js'

export interface FollowOptions {
  readonly watchId: number
  readonly clock: Clock
  readonly isBehind: () => boolean
  readonly send: (bytes: Uint8Array) => void
  /** Events had no room. */
  readonly dropped: (count: number) => void
}

/** What happens within this is told together, ms: a page shows it no sooner. */
const GATHER_MS = 100
/** Events that wait; of more the oldest are dropped: whoever looks wants to see now. */
const WAITING_MAX = 500

export class Follow {
  readonly #options: FollowOptions
  #waiting: unknown[] = []
  #dropped = 0
  #timer: Timer | undefined
  #hasEnded = false
  /** Ends the hearing. */
  #stop: () => void = () => undefined

  constructor(options: FollowOptions) {
    this.#options = options
  }

  /** `stop` ends what calls `hear`. */
  hears(stop: () => void): void {
    this.#stop = stop
  }

  hear(event: unknown): void {
    if (this.#hasEnded) return
    this.#waiting.push(event)
    if (this.#waiting.length > WAITING_MAX) {
      this.#waiting.shift()
      this.#drop(1)
    }
    this.#timer ??= this.#options.clock.setTimeout(() => this.#tell(), GATHER_MS)
  }

  /** Tells what waits, for there is no more to come; not to whoever is behind. */
  tellRest(): void {
    if (this.#waiting.length === 0 || this.#options.isBehind()) return
    this.#options.clock.clearTimeout(this.#timer)
    this.#tell()
  }

  end(): void {
    this.#hasEnded = true
    this.#stop()
    this.#options.clock.clearTimeout(this.#timer)
    this.#waiting = []
  }

  #tell(): void {
    const { watchId, clock, isBehind, send } = this.#options
    this.#timer = undefined
    if (isBehind()) {
      this.#timer = clock.setTimeout(() => this.#tell(), GATHER_MS)
      return
    }
    let events = this.#waiting.map(asValue)
    this.#waiting = []
    let bytes = this.#encoded(watchId, events)
    while (bytes.length > OPERATOR_ANSWER_MAX) {
      const older = Math.ceil(events.length / 2)
      this.#drop(older)
      events = events.slice(older)
      bytes = this.#encoded(watchId, events)
    }
    this.#dropped = 0
    send(bytes)
  }

  #encoded(watchId: number, events: readonly Value[]): Uint8Array {
    return operatorCodec.encode({ type: 'operator.events', watchId, events, dropped: this.#dropped })
  }

  #drop(count: number): void {
    this.#dropped += count
    this.#options.dropped(count)
  }
}
