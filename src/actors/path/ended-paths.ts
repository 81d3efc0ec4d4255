/** The newest of the paths that have ended, so that an answer is at hand while the store has not taken them, or is away. */
import type { IdentityId, PathRecord } from '../ports.js'

export class EndedPaths {
  readonly #max: number
  /** Oldest first. */
  readonly #all = new Set<PathRecord>()
  readonly #pairs = new Map<string, Set<PathRecord>>()

  constructor(max: number) {
    this.#max = max
  }

  add(record: PathRecord): void {
    this.#all.add(record)
    const key = pairKey(record.clientId, record.nodeId)
    const pair = this.#pairs.get(key)
    if (pair === undefined) this.#pairs.set(key, new Set([record]))
    else pair.add(record)
    const [oldest] = this.#all
    if (this.#all.size > this.#max && oldest !== undefined) this.#forget(oldest)
  }

  between(a: IdentityId, b: IdentityId): PathRecord[] {
    return [...(this.#pairs.get(pairKey(a, b)) ?? [])]
  }

  #forget(record: PathRecord): void {
    this.#all.delete(record)
    const key = pairKey(record.clientId, record.nodeId)
    const pair = this.#pairs.get(key)
    pair?.delete(record)
    if (pair?.size === 0) this.#pairs.delete(key)
  }
}

/** Ids have no spaces. */
const pairKey = (a: IdentityId, b: IdentityId): string => (a < b ? `${a} ${b}` : `${b} ${a}`)
