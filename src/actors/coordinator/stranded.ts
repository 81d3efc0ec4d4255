/**
 * Routes that have to move and for which no other node qualifies. Most may stay until one does; one whose node is not
 * what is asked for may stay for a minute, for what is hard would be worth nothing if it could wait for ever.
 */
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Cell } from '../session/cell.js'
import type { Route } from './route-book.js'
import type { SwitchCause } from './switch-figures.js'

/** Why a route shall move, and since when, monotonic ms. */
export interface Plight {
  readonly cause: SwitchCause
  readonly sinceMs: number
}

export interface StrandedOptions {
  readonly clock: Clock
  /** The route of this client may stay where it is no longer: `giveUp` is wanted. */
  readonly patienceOver: (client: Cell) => void
}

/** How long a route may stay on a node that is not what is asked for, ms: one that restarts is back by then. */
const PATIENCE_MS = 60_000

export class Stranded {
  readonly #plights = new Map<Route, Plight>()
  readonly #patience: Deadlines<Route>

  constructor({ clock, patienceOver }: StrandedOptions) {
    this.#patience = new Deadlines(clock, ({ client }) => patienceOver(client))
  }

  get size(): number {
    return this.#plights.size
  }

  [Symbol.iterator](): Iterator<readonly [Route, Plight]> {
    return this.#plights.entries()
  }

  of(route: Route): Plight | undefined {
    return this.#plights.get(route)
  }

  /** Returns when the route is ended unless it moves, monotonic ms; null: it may stay. */
  endsMs(route: Route): number | null {
    return this.#patience.dueMs(route)
  }

  /** Lets the route wait; when it may not stay, for so long as is left of the time that it has had. */
  add(route: Route, plight: Plight, mayStay: boolean): void {
    this.#plights.set(route, plight)
    if (mayStay) this.#patience.clear(route)
    else if (!this.#patience.has(route)) this.#patience.set(route, PATIENCE_MS)
  }

  delete(route: Route): void {
    this.#plights.delete(route)
    this.#patience.clear(route)
  }

  stop(): void {
    this.#patience.stop()
  }
}
