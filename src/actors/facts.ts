/** What happened, told to whoever listens. A listener that throws hurts nobody but itself. */
import type { Fact, HearFact } from './ports.js'

export class Facts {
  readonly #hearers = new Set<HearFact>()
  readonly #failed: (error: unknown, fact: Fact) => void

  constructor(failed: (error: unknown, fact: Fact) => void) {
    this.#failed = failed
  }

  /** Calls `hear` with every fact from now on; returns what ends it. */
  on(hear: HearFact): () => void {
    this.#hearers.add(hear)
    return () => this.#hearers.delete(hear)
  }

  tell(fact: Fact): void {
    for (const hear of this.#hearers) {
      try {
        hear(fact)
      } catch (error) {
        this.#failed(error, fact)
      }
    }
  }
}
