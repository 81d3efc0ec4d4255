/**
 * Routes that are to be looked at one after the other, a few in each turn of the event loop: when a node with
 * thousands of routes dies, packets of everyone else are forwarded in between.
 */
import type { Clock } from '../../kit/clock.js'
import type { Route } from './route-book.js'

/** What is done in one turn at most: this many moves, and none begins after this many ms. */
const PER_TURN = { moves: 32, ms: 5 }

export interface MoveQueueOptions {
  readonly clock: Clock
  /** What is thrown is the fault of this route’s client alone. */
  readonly faulted: (route: Route, error: unknown) => void
}

interface Job {
  readonly routes: Iterator<Route>
  readonly run: (route: Route) => void
}

export class MoveQueue {
  readonly #options: MoveQueueOptions
  #jobs: Job[] = []
  #isRunning = false

  constructor(options: MoveQueueOptions) {
    this.#options = options
  }

  /** Runs what is to be done with each route: the first few at once, unless others are before them. */
  add(routes: readonly Route[], run: (route: Route) => void): void {
    this.#jobs.push({ routes: routes.values(), run })
    if (!this.#isRunning) this.#turn()
  }

  stop(): void {
    this.#jobs = []
  }

  #turn(): void {
    const { clock } = this.#options
    const endMs = clock.now() + PER_TURN.ms
    this.#isRunning = true
    for (let moves = 0; moves < PER_TURN.moves && clock.now() < endMs; moves++) {
      const job = this.#jobs[0]
      if (job === undefined) {
        this.#isRunning = false
        return
      }
      const { done, value } = job.routes.next()
      if (done === true) this.#jobs.shift()
      else this.#run(job, value)
    }
    clock.soon(() => this.#turn())
  }

  #run(job: Job, route: Route): void {
    try {
      job.run(route)
    } catch (error) {
      this.#options.faulted(route, error)
    }
  }
}
