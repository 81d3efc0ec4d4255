/**
 * What counts bytes for peers, and how much of it is charged: a path of the mesh, or a peer elsewhere. Sources tell what they
 * have counted since ever, again and again; only what is beyond what was charged is new.
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
}

interface Counted extends Reading {
  /** What is charged of it; null: only the database knows. */
  readonly chargedBytes: number | null
}

export class Sources {
  readonly #all = new Map<string, Counted>()
  /** There is something to write of these; of the first, nothing can be charged before. */
  readonly #unknown = new Set<string>()
  readonly #grown = new Set<string>()

  /** Takes note of a reading; returns how many more bytes are known to be new. */
  tell(reading: Reading): number {
    const { source, endedAtMs } = reading
    const before = this.#all.get(source)
    if (before === undefined) {
      this.#all.set(source, { ...reading, chargedBytes: null })
      this.#unknown.add(source)
      return 0
    }
    // An older word may come late.
    const totalBytes = Math.max(before.totalBytes, reading.totalBytes)
    if (totalBytes === before.totalBytes && endedAtMs === null) return 0
    const now = { ...reading, totalBytes, chargedBytes: before.chargedBytes }
    this.#all.set(source, now)
    if (now.chargedBytes !== null) this.#grown.add(source)
    return newBytes(now) - newBytes(before)
  }

  /** Whether there is something of which nothing is known yet. */
  get areUnknown(): boolean {
    return this.#unknown.size > 0
  }

  /** Of how many there is something to write. */
  get unsaved(): number {
    return this.#unknown.size + this.#grown.size
  }

  /** Returns what is to be written: at most so many, those first of which nothing is known yet. */
  next(limit: number, onlyUnknown: boolean): readonly Reading[] {
    const names = [...this.#unknown, ...(onlyUnknown ? [] : this.#grown)].slice(0, limit)
    return names.map(name => this.#all.get(name) as Reading) // those of both sets are in it
  }

  /** So much is charged by now, of a source as it was written. Returns how many more, or fewer, bytes are known to be new. */
  saved(written: Reading, chargedBytes: number): number {
    const { source } = written
    const before = this.#all.get(source)
    if (before === undefined) return 0
    const now = { ...before, chargedBytes }
    const isAsWritten = before === written
    this.#unknown.delete(source)
    if (isAsWritten) this.#grown.delete(source)
    else this.#grown.add(source)
    if (isAsWritten && now.endedAtMs !== null) this.#all.delete(source)
    else this.#all.set(source, now)
    return newBytes(now) - newBytes(before)
  }
}

/** Returns how many bytes are beyond what was charged. */
export const beyond = (totalBytes: number, chargedBytes: number): number =>
  Math.max(0, totalBytes - chargedBytes)

const newBytes = ({ totalBytes, chargedBytes }: Counted): number =>
  chargedBytes === null ? 0 : beyond(totalBytes, chargedBytes)
