/**
 * A node that is about to go: it asks the coordinator to move its clients to other nodes, and carries their
 * traffic on meanwhile.
 *
 *   asked ── drain.state ─→ … ─→ empty | expired        the last client has gone, or had to be cut off
 *     └── the coordinator is away, or says nothing until time is up ─→ unanswered
 */
import type { Clock, Timer } from '../kit/clock.js'
import type { Wire, WireOf } from '../protocol/messages.js'

export interface DrainOptions {
  /** Clients that are still there then are cut off, ms; null: they are waited for. */
  readonly withinMs?: number | null
  /** For the operator. */
  readonly reason?: string
}

/** `empty`: the last client has gone; `expired`: time was up first; `unanswered`: nobody could move them. */
export type DrainOutcome = 'empty' | 'expired' | 'unanswered'

/** How far a drain is, as the coordinator said last. */
export interface DrainProgress {
  readonly state: WireOf<'drain.state'>['state']
  /** Who asked for it. */
  readonly by: 'node' | 'operator'
  /** Links that the node still carries. */
  readonly left: number
  /** Routes that were moved so far. */
  readonly moved: number
  /** Until what is left is cut off, ms; null: it is waited for. */
  readonly remainingMs: number | null
}

export interface DrainParts {
  readonly clock: Clock
  readonly say: (event: Wire) => void
  readonly isOnline: () => boolean
}

/** Time for the last word of the coordinator to arrive, ms. */
const ANSWER_MS = 1_000

/** What the coordinator is asked for, again whenever the session comes to stand. */
interface Wish {
  /** Monotonic ms; null: there is no end. */
  readonly untilMs: number | null
  readonly reason: string
}
/** Who waits for the end of it. */
interface Waiting {
  readonly promise: Promise<DrainOutcome>
  readonly settle: (outcome: DrainOutcome) => void
  readonly timer: Timer | undefined
}

export class Drain {
  /** null: the node is not drained. */
  progress: DrainProgress | null = null
  readonly #parts: DrainParts
  #wish: Wish | null = null
  #waiting: Waiting | null = null

  constructor(parts: DrainParts) {
    this.#parts = parts
  }

  /** Asks, and resolves when it is over. While it is going on it is the same drain, whatever time is given. */
  ask({ withinMs = null, reason = 'the node leaves' }: DrainOptions): Promise<DrainOutcome> {
    if (this.#waiting !== null) return this.#waiting.promise
    const { clock, isOnline } = this.#parts
    if (!isOnline()) return Promise.resolve('unanswered')
    this.#waiting = this.#newWaiting(withinMs)
    this.#wish = { untilMs: withinMs === null ? null : clock.now() + withinMs, reason }
    this.#say(this.#wish)
    return this.#waiting.promise
  }

  /** Takes it back: the node stays. */
  cancel(): void {
    if (this.#wish === null) return
    this.forget()
    this.#sayCancel('the node stays')
  }

  /** The node stops: nobody is asked for anything any more. */
  forget(): void {
    this.#wish = null
    this.#settle('unanswered')
  }

  /** The coordinator says how far it is. */
  heard({ state, by, left, moved, remainingMs }: WireOf<'drain.state'>): void {
    this.progress =
      state === 'cancelled' ? null : { state, by, left, moved, remainingMs: remainingMs ?? null }
    if (state === 'empty' || state === 'expired') this.#settle(state)
    // What a process before us asked for, which had the same session.
    else if (state === 'draining' && by === 'node' && this.#wish === null)
      this.#sayCancel('the node has started again')
  }

  /** The session stands again: whether the node is drained still is the coordinator's to say. */
  stood(): void {
    this.progress = null
    if (this.#wish !== null) this.#say(this.#wish)
  }

  #newWaiting(withinMs: number | null): Waiting {
    let settle: Waiting['settle'] = () => {}
    const promise = new Promise<DrainOutcome>(resolve => {
      settle = resolve
    })
    const late = () => this.#settle('unanswered')
    const timer = withinMs === null ? undefined : this.#parts.clock.setTimeout(late, withinMs + ANSWER_MS)
    return { promise, settle, timer }
  }

  #settle(outcome: DrainOutcome): void {
    const waiting = this.#waiting
    this.#waiting = null
    this.#parts.clock.clearTimeout(waiting?.timer)
    waiting?.settle(outcome)
  }

  #say({ untilMs, reason }: Wish): void {
    const { clock, say } = this.#parts
    const withinMs = untilMs === null ? null : Math.max(0, Math.round(untilMs - clock.now()))
    say({ type: 'drain.request', ...(withinMs !== null && { withinMs }), reason })
  }

  #sayCancel(reason: string): void {
    this.#parts.say({ type: 'drain.request', cancel: true, reason })
  }
}
