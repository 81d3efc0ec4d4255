/**
 * Work that may come in a flood, such as thousands of sockets that break at once or thousands of routes that have to
 * move: a little of it in each turn of the event loop, in the order it came, so that everything else goes on in between.
 */
import type { Clock } from './clock.js'

export interface TurnsOptions {
  readonly clock: Clock
  /** How much is done in one turn: nothing begins after so many ms, nor when so many pieces are done. */
  readonly perTurn: { readonly ms: number; readonly pieces?: number }
  /** Called after each piece, for what shall not wait until the turn is over. */
  readonly between?: () => void
}

export class Turns {
  readonly #options: TurnsOptions
  #waiting: (() => void)[] = []
  /** How many of those that wait have been done. */
  #done = 0
  /** What this turn's work has taken so far, ms, and how many pieces it was. */
  #spentMs = 0
  #pieces = 0
  #isArmed = false
  #isRunning = false

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** Whether work that comes now is done at once. */
  get isFree(): boolean {
    return this.#waiting.length === 0 && !this.#isRunning && this.#hasTime()
  }

  /** Does the work: at once when nothing waits and this turn has time for it, otherwise in a later turn. */
  run(work: () => void): void {
    this.#waiting.push(work)
    this.#awaitNextTurn()
    if (!this.#isRunning) this.#goOn()
  }

  /** Does the same with each of these, of whom the last may have to wait for long: it is to look whether it still applies. */
  each<T>(items: Iterable<T>, work: (item: T) => void): void {
    for (const item of items) this.run(() => work(item))
  }

  /** What waits is not done any more. */
  stop(): void {
    this.#waiting = []
    this.#done = 0
  }

  #hasTime(): boolean {
    const { ms, pieces = Number.POSITIVE_INFINITY } = this.#options.perTurn
    return this.#spentMs < ms && this.#pieces < pieces
  }

  #awaitNextTurn(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    this.#options.clock.soon(() => {
      this.#isArmed = false
      this.#spentMs = 0
      this.#pieces = 0
      if (this.#waiting.length === 0) return
      this.#awaitNextTurn() // first: what follows may throw
      this.#goOn()
    })
  }

  #goOn(): void {
    this.#isRunning = true
    try {
      while (this.#done < this.#waiting.length && this.#hasTime())
        this.#do(this.#waiting[this.#done++] as () => void) // inside
    } finally {
      this.#isRunning = false
      this.#forgetDone()
    }
  }

  /** Half of the list at a time: a queue that never runs empty stays as short as what waits in it. */
  #forgetDone(): void {
    if (this.#done * 2 < this.#waiting.length) return
    this.#waiting.splice(0, this.#done)
    this.#done = 0
  }

  #do(work: () => void): void {
    const { clock, between } = this.#options
    const beganMs = clock.now()
    try {
      work()
    } finally {
      this.#spentMs += clock.now() - beganMs
      this.#pieces++
      between?.()
    }
  }
}
