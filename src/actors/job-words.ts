/** What nodes say of jobs, and what they are told of them: handed to whoever keeps the jobs. */
import type { HearJobWord, IdentityId, JobOffer } from './ports.js'
import type { Cell } from './session/cell.js'
import type { AgentRequest } from './session/session.events.js'

export interface JobWordsOptions {
  readonly cellOf: (id: IdentityId) => Cell | undefined
  readonly failed: (error: unknown, cell: Cell) => void
}

export class JobWords {
  readonly #options: JobWordsOptions
  #hear: HearJobWord | null = null

  constructor(options: JobWordsOptions) {
    this.#options = options
  }

  /** Hands what nodes say to `hear` from now on; returns what ends it. */
  heard(hear: HearJobWord): () => void {
    this.#hear = hear
    return () => {
      if (this.#hear === hear) this.#hear = null
    }
  }

  /** Without anybody who keeps jobs none was offered: nothing of it matters. */
  received(cell: Cell, word: Extract<AgentRequest, { type: `job.${string}` }>): void {
    try {
      this.#hear?.(cell.identity.id, word)
    } catch (error) {
      this.#options.failed(error, cell)
    }
  }

  /** Tells a node of a job; false when it has no socket now. */
  offer(id: IdentityId, offer: JobOffer): boolean {
    const line = this.#options.cellOf(id)?.line
    if (line == null) return false
    line.tell({ type: 'job.offer', ...offer })
    return true
  }
}
