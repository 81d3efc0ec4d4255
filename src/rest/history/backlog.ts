/** Samples that nobody waits for, until the database has them: while it is away the newest are kept. */
import type { Sample } from './figures.js'
import { SAMPLES_MAX } from './history-table.js'

export interface BacklogOptions {
  readonly write: (samples: readonly Sample[]) => Promise<void>
  /** The database is away, for the first time since it was there. */
  readonly failed: (error: unknown) => void
}

/** An hour of a thousand nodes, sampled once a minute, about 25 MB. */
const WAITING_MAX = 60_000

export class Backlog {
  written = 0
  dropped = 0
  readonly #options: BacklogOptions
  #waiting: Sample[] = []
  #flushing: Promise<void> | null = null
  #isAway = false

  constructor(options: BacklogOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Takes samples, the oldest first. */
  add(samples: readonly Sample[]): void {
    for (const sample of samples) this.#waiting.push(sample)
    this.#trim()
  }

  /** Writes what waits; resolves when that is done, or cannot be done now. */
  async flush(): Promise<void> {
    if (this.#waiting.length > 0) await (this.#flushing ??= this.#flush())
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const next = this.#waiting.splice(0, SAMPLES_MAX)
      try {
        await this.#options.write(next)
        this.written += next.length
        this.#isAway = false
      } catch (error) {
        this.#waiting = [...next, ...this.#waiting]
        this.#trim()
        if (!this.#isAway) this.#options.failed(error)
        this.#isAway = true
        break
      }
    }
    this.#flushing = null
  }

  #trim(): void {
    const tooMany = this.#waiting.length - WAITING_MAX
    if (tooMany <= 0) return
    this.#waiting.splice(0, tooMany)
    this.dropped += tooMany
  }
}
