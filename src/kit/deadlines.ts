/**
 * Many deadlines on one timer: a binary heap by due time, at most one deadline per key.
 * Moving a deadline leaves the old heap entry behind; it is recognised and skipped when it comes up.
 */
import type { Clock, Timer } from './clock.js'

interface Entry<K> {
  readonly key: K
  readonly dueMs: number
}

export class Deadlines<K> {
  readonly #clock: Clock
  readonly #expire: (key: K) => void
  readonly #due = new Map<K, number>()
  #heap: Entry<K>[] = []
  #timer: Timer | undefined
  #timerDueMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock, expire: (key: K) => void) {
    this.#clock = clock
    this.#expire = expire
  }

  get size(): number {
    return this.#due.size
  }

  /** Heap entries, stale ones included: never more than 64 or four times `size`, whichever is more. */
  get held(): number {
    return this.#heap.length
  }

  /** Sets or moves the deadline of `key` to `inMs` from now. */
  set(key: K, inMs: number): void {
    const dueMs = this.#clock.now() + Math.max(0, inMs)
    this.#due.set(key, dueMs)
    this.#push({ key, dueMs })
    this.#tidy()
    this.#arm()
  }

  clear(key: K): void {
    this.#due.delete(key)
    if (this.#due.size === 0) this.stop()
    else this.#tidy()
  }

  has(key: K): boolean {
    return this.#due.has(key)
  }

  /** Returns when the deadline of `key` is, monotonic ms; null when it has none. */
  dueMs(key: K): number | null {
    return this.#due.get(key) ?? null
  }

  /** Forgets everything and stops the timer. */
  stop(): void {
    this.#due.clear()
    this.#heap = []
    this.#clock.clearTimeout(this.#timer)
    this.#timerDueMs = Number.POSITIVE_INFINITY
  }

  #arm(): void {
    const first = this.#heap[0]
    if (first === undefined || first.dueMs >= this.#timerDueMs) return
    this.#clock.clearTimeout(this.#timer)
    this.#timerDueMs = first.dueMs
    this.#timer = this.#clock.setTimeout(
      () => this.#run(),
      Math.max(0, Math.ceil(first.dueMs - this.#clock.now())),
    )
  }

  #run(): void {
    this.#timerDueMs = Number.POSITIVE_INFINITY
    const now = this.#clock.now()
    try {
      for (let first = this.#heap[0]; first !== undefined && first.dueMs <= now; first = this.#heap[0]) {
        this.#pop()
        if (this.#due.get(first.key) !== first.dueMs) continue
        this.#due.delete(first.key)
        this.#expire(first.key)
      }
    } finally {
      this.#arm()
    }
  }

  /** Rebuilds when far more entries are stale than live, so that the heap stays proportional to the keys. */
  #tidy(): void {
    if (this.#heap.length <= 64 || this.#heap.length <= 4 * this.#due.size) return
    this.#heap = []
    for (const [key, dueMs] of this.#due) this.#push({ key, dueMs })
  }

  #push(entry: Entry<K>): void {
    const heap = this.#heap
    let i = heap.push(entry) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = heap[parent] as Entry<K> // parent < i
      if (above.dueMs <= entry.dueMs) break
      heap[i] = above
      i = parent
    }
    heap[i] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && right.dueMs < (heap[child] as Entry<K>).dueMs) child++ // child is inside
      const least = heap[child] as Entry<K> // child is inside
      if (least.dueMs >= last.dueMs) break
      heap[i] = least
      i = child
    }
    heap[i] = last
  }
}
