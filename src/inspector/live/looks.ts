/**
 * When watches are looked at again. Looking costs the event loop, which carries packets too: all looks together take a
 * few percent of it, however many there are and however dear.
 *
 *   due ─→ queue ─→ look (busy for c ms) ─→ nobody looks for 19 c ─→ the next of the queue
 *                                       └─→ it is due again itself after 20 times what it took
 */
import type { Clock, Timer } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'

export interface Look {
  readonly everyMs: number
  /** What it showed last has not left yet: looking again would only pile up. */
  isBehind(): boolean
  /**
   * Looks. Resolves with how long it kept the event loop busy after it had waited for something, ms, or with null when it
   * is over. Never rejects.
   */
  look(): Promise<number | null>
}

/** Looks take one part of this many of the event loop’s time, and each of them of its own. */
const SHARE = 20
/** Nobody waits longer than this for somebody else’s dear look, ms. */
const REST_MAX_MS = 2_000
/** The longest that a watch rests because it took long, ms: a database that was slow once may be quick again. */
const OWN_REST_MAX_MS = 30_000
/** How often one is asked again that is behind and was not told to be so no more, ms. */
const BEHIND_MS = 1_000

export class Looks {
  /** How many there were, and for how long they kept the event loop busy, ms. */
  looked = 0
  busyMs = 0
  readonly #clock: Clock
  readonly #due: Deadlines<Look>
  readonly #queue = new Set<Look>()
  readonly #looking = new Set<Look>()
  #restUntilMs = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#due = new Deadlines(clock, look => {
      this.#queue.add(look)
      this.#run()
    })
  }

  /** Looks at once, and again and again until `forget`. */
  begin(look: Look): void {
    this.#look(look)
  }

  forget(look: Look): void {
    this.#due.clear(look)
    this.#queue.delete(look)
    this.#looking.delete(look)
  }

  stop(): void {
    this.#due.stop()
    this.#queue.clear()
    this.#looking.clear()
    this.#clock.clearTimeout(this.#timer)
  }

  /** Looks at what is next in the queue, unless it is time to rest. */
  #run(): void {
    this.#clock.clearTimeout(this.#timer)
    for (const look of this.#queue) {
      const restMs = this.#restUntilMs - this.#clock.now()
      if (restMs > 0) {
        this.#timer = this.#clock.setTimeout(() => this.#run(), Math.ceil(restMs))
        return
      }
      this.#queue.delete(look)
      if (look.isBehind()) this.#due.set(look, Math.max(BEHIND_MS, look.everyMs))
      else this.#look(look)
    }
  }

  #look(look: Look): void {
    const beganMs = this.#clock.now()
    this.#looking.add(look)
    const late = look.look()
    this.#rest(this.#clock.now() - beganMs)
    void this.#finish(look, beganMs, late)
  }

  async #finish(look: Look, beganMs: number, late: Promise<number | null>): Promise<void> {
    const lateMs = await late
    if (lateMs === null || !this.#looking.delete(look)) return
    this.looked++
    this.#rest(lateMs)
    const tookMs = this.#clock.now() - beganMs
    this.#due.set(look, Math.max(look.everyMs, Math.min(OWN_REST_MAX_MS, tookMs * SHARE)))
  }

  #rest(busyMs: number): void {
    const now = this.#clock.now()
    this.busyMs += busyMs
    this.#restUntilMs = Math.min(now + REST_MAX_MS, Math.max(now, this.#restUntilMs) + busyMs * (SHARE - 1))
  }
}
