/** Pieces of work of which one waits for another. What waits already is not asked for twice, however long it takes. */
export class InTurn {
  readonly #failed: (error: unknown) => void
  #last = Promise.resolve()

  /** `failed` hears of what a piece rejects with; the next one begins. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** Resolves when all of it is over. */
  get over(): Promise<void> {
    return this.#last
  }

  /** Returns what asks for the work: it begins after each time that it was asked for, once for all that ask meanwhile. */
  work(run: () => Promise<void>): () => void {
    let isWaiting = false
    return () => {
      if (isWaiting) return
      isWaiting = true
      const begin = () => {
        isWaiting = false
        return run()
      }
      this.#last = this.#last.then(begin).catch(this.#failed)
    }
  }
}
