/**
 * The connections to one database of a server: lent to one caller at a time, kept while they are wanted. Who finds none
 * waits a bounded time in a bounded queue.
 */
import type { Clock, Timer } from '../../kit/clock.js'
import type { Asking } from '../ports.js'
import { ServerFault } from './errors.js'
import type { Line } from './line.js'

export interface PoolOptions {
  readonly clock: Clock
  /** Connections that stay open once they were wanted, and the most there are. */
  readonly min: number
  readonly max: number
  /** How long a caller waits for a connection, ms. */
  readonly waitMs: number
  /** Returns why no connection can be made now, as far as is known; null: one may be. */
  readonly refusal: () => ServerFault | null
  /** Resolves with one more connection; rejects with a `ServerFault`. */
  readonly open: () => Promise<Line>
}

/** The most callers that wait for a connection, beside those for whom one is being made. */
const WAITING_MAX = 20
/** How long a connection that nobody wants stays open, ms. */
const IDLE_MS = 30_000
/** How long any connection is used, ms: a name that leads elsewhere by now, or a right that was given, is seen after that. */
const LIFE_MS = 1_800_000

interface Waiter {
  readonly resolve: (line: Line) => void
  readonly reject: (fault: unknown) => void
  readonly timer: Timer
}

export class Pool {
  readonly #options: PoolOptions
  /** The one that was used last is at the end. */
  #idle: { readonly line: Line; readonly sinceMs: number }[] = []
  readonly #lent = new Set<Line>()
  readonly #madeAtMs = new WeakMap<Line, number>()
  #opening = 0
  #waiting: Waiter[] = []
  #ended: ServerFault | null = null
  usedAtMs: number

  constructor(options: PoolOptions) {
    this.#options = options
    this.usedAtMs = options.clock.now()
  }

  get total(): number {
    return this.idle + this.#lent.size
  }

  get idle(): number {
    return this.#idle.filter(({ line }) => !line.isBroken).length
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Whether somebody has one of its connections, or waits for one. */
  get isBusy(): boolean {
    return this.#lent.size + this.#opening + this.#waiting.length > 0
  }

  async use<T>(work: (db: Asking) => Promise<T>): Promise<T> {
    const line = await this.#take()
    this.usedAtMs = this.#options.clock.now()
    try {
      return await work(line)
    } finally {
      this.#lent.delete(line)
      this.#offer(line)
    }
  }

  /** Closes the connections that nobody wants; returns whether none is left. */
  tidy(): boolean {
    const { clock, min } = this.#options
    const oldestMs = clock.now() - IDLE_MS
    let over = this.total - min
    this.#idle = this.#idle.filter(({ line, sinceMs }) => {
      if (line.isBroken) return false
      if (over <= 0 || sinceMs > oldestMs) return true
      over--
      line.close()
      return false
    })
    return this.#idle.length === 0 && !this.isBusy
  }

  /** Closes what nobody uses, and refuses who waits: the server does not answer. */
  drop(fault: ServerFault): void {
    for (const { line } of this.#idle.splice(0)) line.close()
    for (const { reject, timer } of this.#waiting.splice(0)) {
      this.#options.clock.clearTimeout(timer)
      reject(fault)
    }
  }

  /** Lends nothing any more; what is lent is closed when it comes back. */
  end(fault: ServerFault): void {
    this.#ended = fault
    this.drop(fault)
  }

  async #take(): Promise<Line> {
    if (this.#ended !== null) throw this.#ended
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop())
      if (!last.line.isBroken) return this.#lend(last.line)
    const { clock, max, waitMs, refusal } = this.#options
    const refused = this.#lent.size === 0 ? refusal() : null
    if (refused !== null) throw refused
    if (this.#waiting.length - this.#opening >= WAITING_MAX)
      throw busy(`${WAITING_MAX} others wait already for one of ${max} connections to it`)
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject, timer: clock.setTimeout(() => this.#tooLate(waiter), waitMs) }
      this.#waiting.push(waiter)
      this.#openMore()
    })
  }

  #lend(line: Line): Line {
    this.#lent.add(line)
    return line
  }

  #tooLate(waiter: Waiter): void {
    this.#waiting = this.#waiting.filter(other => other !== waiter)
    const { max, waitMs } = this.#options
    waiter.reject(
      this.#lent.size > 0
        ? busy(`none of ${max} connections to it became free within ${waitMs / 1_000} s`)
        : new ServerFault('SERVER_AWAY', `it did not let us in within ${waitMs / 1_000} s`),
    )
  }

  #openMore(): void {
    while (this.#opening < this.#waiting.length && this.#opening + this.#lent.size < this.#options.max)
      void this.#open()
  }

  async #open(): Promise<void> {
    this.#opening++
    try {
      const line = await this.#options.open()
      this.#opening--
      this.#madeAtMs.set(line, this.#options.clock.now())
      this.#offer(line)
    } catch (fault) {
      this.#opening--
      this.#failed(fault)
    }
  }

  /** Gives a connection to who waits longest, or keeps it. */
  #offer(line: Line): void {
    const nowMs = this.#options.clock.now()
    if (this.#ended !== null || nowMs - (this.#madeAtMs.get(line) ?? nowMs) > LIFE_MS) line.close()
    if (line.isBroken) this.#openMore()
    else {
      const first = this.#waiting.shift()
      if (first === undefined) this.#idle.push({ line, sinceMs: nowMs })
      else {
        this.#options.clock.clearTimeout(first.timer)
        first.resolve(this.#lend(line))
      }
    }
  }

  /** Those who wait get what comes back, if anything will. */
  #failed(fault: unknown): void {
    if (this.#lent.size > 0 || this.#opening > 0) return
    for (const { reject, timer } of this.#waiting.splice(0)) {
      this.#options.clock.clearTimeout(timer)
      reject(fault)
    }
  }
}

const busy = (message: string): ServerFault =>
  new ServerFault('SERVER_BUSY', message, { retryAfterMs: 1_000 })
