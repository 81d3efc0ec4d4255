/** What happened, told to whoever listens. A listener that throws hurts nobody but itself. */
export class Facts<F> {
  readonly #hearers = new Set<(fact: F) => void>()
  readonly #failed: (error: unknown, fact: F) => void

  constructor(failed: (error: unknown, fact: F) => void) {
    this.#failed = failed
  }

  /** Whether anyone listens. */
  get areHeard(): boolean {
    return this.#hearers.size > 0
  }

  /** Calls `hear` with every fact from now on; returns what ends it. */
  on(hear: (fact: F) => void): () => void {
    this.#hearers.add(hear)
    return () => this.#hearers.delete(hear)
  }

  tell(fact: F): void {
    for (const hear of this.#hearers) {
      try {
        hear(fact)
      } catch (error) {
        this.#failed(error, fact)
      }
    }
  }
}
