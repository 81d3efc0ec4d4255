/**
 * What waits to be written, the newest value of each key. What is alive is bounded by itself; what is over
 * (ended sessions, routes and paths, audit events) is history, and of that only so much waits for an absent store.
 */
import type { Change } from '../ports.js'

/** History that waits at most; the oldest goes first, and is counted. */
export const HISTORY_MAX = 20_000

export class Dirty {
  /** History that was given up. */
  lost = 0
  readonly #live = new Map<string, Change>()
  readonly #history = new Map<string, Change>()

  get size(): number {
    return this.#live.size + this.#history.size
  }

  add(change: Change): void {
    const key = `${change.kind} ${change.key}`
    if (!isHistory(change)) {
      this.#live.set(key, change)
      return
    }
    this.#live.delete(key)
    this.#history.set(key, change)
    if (this.#history.size <= HISTORY_MAX) return
    const [oldest] = this.#history.keys()
    if (oldest !== undefined) this.#history.delete(oldest)
    this.lost++
  }

  /** Returns everything, history first, so that what is over is written before what took its place. */
  changes(): Change[] {
    return [...this.#history.values(), ...this.#live.values()]
  }
}

function isHistory(change: Change): boolean {
  switch (change.kind) {
    case 'audit':
      return true
    case 'session':
      return change.value.state === 'closed'
    case 'route':
      return change.value.state === 'ended'
    case 'path':
      return change.value.closedAtMs !== null
    case 'identity':
    case 'steering':
      return false
  }
}
