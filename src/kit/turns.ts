/**
 * Work that may come in a flood, such as thousands of sockets that open or break at once: a few milliseconds of it in
 * each turn of the event loop, in the order it came, so that everything else goes on in between.
 */
import type { Clock } from './clock.js'

/** How long such work may take in one turn, ms: packets of others wait that long at most. */
const PER_TURN_MS = 3

export class Turns {
  readonly #clock: Clock
  #waiting: (() => void)[] = []
  /** How many of those that wait have been done. */
  #done = 0
  /** What this turn's work has taken so far, ms. */
  #spentMs = 0
  #isArmed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether work that comes now is done at once. */
  get isFree(): boolean {
    return this.#waiting.length === 0 && this.#spentMs < PER_TURN_MS
  }

  /** Does the work, at once when that is possible; otherwise in a later turn. */
  run(work: () => void): void {
    this.#awaitNextTurn()
    if (this.isFree) this.#do(work)
    else this.#waiting.push(work)
  }

  #awaitNextTurn(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    this.#clock.soon(() => {
      this.#isArmed = false
      this.#spentMs = 0
      this.#goOn()
    })
  }

  #goOn(): void {
    if (this.#waiting.length === 0) return
    this.#awaitNextTurn() // first: what follows may throw
    while (this.#done < this.#waiting.length && this.#spentMs < PER_TURN_MS)
      this.#do(this.#waiting[this.#done++] as () => void) // inside
    if (this.#done < this.#waiting.length) return
    this.#waiting = []
    this.#done = 0
  }

  #do(work: () => void): void {
    const beganMs = this.#clock.now()
    try {
      work()
    } finally {
      this.#spentMs += this.#clock.now() - beganMs
    }
  }
}
