/**
 * What has counted bytes for peers, and how much of it is charged: a path of the mesh, or a counter elsewhere. Sources tell what
 * they have counted since ever, again and again; only what is new is charged.
 *
 *   told 100 ─→ unknown: the database may have charged some of it ─→ it says 80 ─→ 20 are new
 *   told 130 ─→ 30 more, at once, and written now and then
 */

export interface Reading {
  /** Unique for ever: `path …`, `wg-easy peer-17`. */
  readonly source: string
  readonly peerId: number
  readonly accountId: string
  /** Since ever, both ways. */
  readonly totalBytes: number
  /** When it has ended for good, ms since 1970 UTC; null: it goes on. */
  readonly endedAtMs: number | null
  /** Whether it may begin anew at 0: what it counts then is more, not less. */
  readonly restarts: boolean
}

/** A source as it is to be written. */
export interface Unsaved extends Reading {
  /** What is known to be charged of it; null: the database knows. */
  readonly chargedBytes: number | null
  /** What it has counted beyond that. */
  readonly newBytes: number
  /** Whether it was heard to begin anew since it was written. */
  readonly hasRestarted: boolean
}

export class Sources {
  readonly #all = new Map<string, Unsaved>()
  /** Of these nothing is known yet; and what there is to write beside them. */
  readonly #unknown = new Set<string>()
  readonly #grown = new Set<string>()

  /** Takes note of a reading; returns how many bytes are known to be new. */
  tell(reading: Reading): number {
    const { source, totalBytes } = reading
    const before = this.#all.get(source)
    if (before === undefined) {
      this.#all.set(source, { ...reading, chargedBytes: null, newBytes: 0, hasRestarted: false })
      this.#unknown.add(source)
      return 0
    }
    const hasRestarted = reading.restarts && totalBytes < before.totalBytes
    const moreBytes = hasRestarted ? totalBytes : Math.max(0, totalBytes - before.totalBytes)
    if (moreBytes === 0 && reading.endedAtMs === null) return 0
    this.#all.set(source, {
      ...reading,
      totalBytes: reading.restarts ? totalBytes : Math.max(totalBytes, before.totalBytes),
      chargedBytes: before.chargedBytes,
      newBytes: before.newBytes + moreBytes,
      hasRestarted: before.hasRestarted || hasRestarted,
    })
    if (before.chargedBytes === null) return 0
    this.#grown.add(source)
    return moreBytes
  }

  /** Whether there is something to write that cannot be charged before. */
  get areUnknown(): boolean {
    return this.#unknown.size > 0
  }

  get unsaved(): number {
    return this.#unknown.size + this.#grown.size
  }

  /** Returns what is to be written: at most so many, those first of which nothing is known yet. */
  next(limit: number, onlyUnknown: boolean): readonly Unsaved[] {
    const names = [...this.#unknown, ...(onlyUnknown ? [] : this.#grown)].slice(0, limit)
    return names.map(name => this.#all.get(name) as Unsaved) // those of both sets are in it
  }

  /** Has it noted that this much of a source is charged: returns how many bytes came to be known as new meanwhile. */
  saved(written: Unsaved, chargedBytes: number): number {
    const { source } = written
    const now = this.#all.get(source)
    if (now === undefined) return 0
    const newBytes = now.newBytes - written.newBytes
    this.#unknown.delete(source)
    if (now === written || newBytes === 0) this.#grown.delete(source)
    else this.#grown.add(source)
    if (now === written && now.endedAtMs !== null) this.#all.delete(source)
    else
      this.#all.set(source, {
        ...now,
        chargedBytes,
        newBytes,
        hasRestarted: now.hasRestarted && now !== written,
      })
    return written.chargedBytes === null ? newBytes : 0
  }
}

/** Returns how many bytes are to be charged of a source of which the database has charged so many. */
export function due(
  { chargedBytes, newBytes, totalBytes, hasRestarted, restarts }: Unsaved,
  stored: number,
): number {
  if (chargedBytes === stored) return newBytes
  // Nobody of us has charged of it yet, or another coordinator has since.
  if (totalBytes >= stored) return totalBytes - stored
  return restarts && (hasRestarted || chargedBytes === null) ? totalBytes : 0
}
