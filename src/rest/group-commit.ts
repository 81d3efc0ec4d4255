/**
 * One transaction for all that arrive together: each caller hears when its own is durable, and the database is asked
 * a few times a second however many there are.
 *
 *   put ─┐
 *   put ─┼─ gather a moment, or until the one before is written ─→ write ─→ each caller
 *   put ─┘
 */
import { unavailable } from '../http/faults.js'
import type { Clock } from '../kit/clock.js'

export interface GroupCommitOptions<T, R> {
  readonly clock: Clock
  /** Writes all or none; resolves with a result for each. */
  readonly write: (items: readonly T[]) => Promise<readonly R[]>
  /** Items of one write. */
  readonly itemsMax: number
}

/** The first one waits this long for others: nobody notices it, and a burst becomes one transaction, ms. */
const GATHER_MS = 5
/** Writes that may be waiting; what comes then is told to come back, s. */
const WAITING_WRITES_MAX = 10
const RETRY_AFTER_S = 5

interface Waiting<T, R> {
  readonly item: T
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
}

export class GroupCommit<T, R> {
  readonly #options: GroupCommitOptions<T, R>
  #waiting: Waiting<T, R>[] = []
  #writing: Promise<void> | null = null

  constructor(options: GroupCommitOptions<T, R>) {
    this.#options = options
  }

  /** Resolves when the item is durable; rejects when it is not, or when too many wait. */
  put(item: T): Promise<R> {
    if (this.#waiting.length >= WAITING_WRITES_MAX * this.#options.itemsMax)
      return Promise.reject(unavailable('the database does not keep up', RETRY_AFTER_S))
    const done = new Promise<R>((resolve, reject) => this.#waiting.push({ item, resolve, reject }))
    this.#writing ??= this.#gathered().then(() => this.#writeAll())
    return done
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing
  }

  #gathered(): Promise<void> {
    return new Promise(resolve => void this.#options.clock.setTimeout(resolve, GATHER_MS))
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0, this.#options.itemsMax))
    this.#writing = null
  }

  async #write(group: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.#options.write(group.map(({ item }) => item))
      for (const [i, { resolve }] of group.entries()) resolve(results[i] as R) // one for each
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}
