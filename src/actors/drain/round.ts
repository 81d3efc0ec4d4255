/** One round of a drain: each route that the node has is tried once, at an even pace. */
import type { Route } from '../coordinator/route-book.js'
import { Pace } from './pace.js'

export class Round {
  /** Those for which nothing qualified. */
  stuck: Route[] = []
  readonly #routes: readonly Route[]
  readonly #pace: Pace
  #tried = 0

  constructor(routes: readonly Route[], withinMs: number | null, nowMs: number) {
    this.#routes = routes
    this.#pace = new Pace(routes.length, withinMs, nowMs)
  }

  get untried(): number {
    return this.#routes.length - this.#tried
  }

  /** Until each has been tried, ms. */
  get estimateMs(): number {
    return Math.round(this.untried * this.#pace.everyMs)
  }

  /** Gives those whose turn has come; one that `isHere` no more costs no time. */
  *due(nowMs: number, isHere: (route: Route) => boolean): Generator<Route> {
    for (let due = this.#pace.due(nowMs); due > 0 && this.untried > 0; ) {
      const route = this.#routes[this.#tried++] as Route // there is one untried
      if (isHere(route)) due--
      yield route
    }
  }
}
