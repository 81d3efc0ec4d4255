/**
 * Routes whose client would rather have another node than the one it has: when that node has been here for a while,
 * and does not come and go, they move to it.
 */
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import { requirementsOf } from '../../mesh/requirements.js'
import type { IdentityId } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { Fleet } from './fleet.js'
import type { Route, RouteBook } from './route-book.js'
import type { Switches } from './switches.js'
import type { Vitals } from './vitals.js'

export interface HomecomingsOptions {
  readonly clock: Clock
  readonly fleet: Fleet
  readonly vitals: Vitals
  readonly book: RouteBook
  readonly switches: Switches
  /** Returns the clients for which the operator prefers a node. */
  readonly steeredTo: (id: IdentityId) => readonly Cell[]
  /** The node has been here for a while: `look` is wanted. */
  readonly due: (node: Cell) => void
}

/** How long a node has to be here before routes move to it, ms, and how often it is looked at while some have not. */
const SETTLED_MS = 60_000
/** A node that has lost more sessions than this lately is left alone. */
const FLAPS_MOST = 1.5

export class Homecomings {
  readonly #options: HomecomingsOptions
  readonly #due: Deadlines<Cell>

  constructor(options: HomecomingsOptions) {
    this.#options = options
    this.#due = new Deadlines(options.clock, node => options.due(node))
  }

  /** The node is here, or is so again. */
  came(node: Cell): void {
    this.#due.set(node, SETTLED_MS)
  }

  /** The node is away. */
  went(node: Cell): void {
    this.#due.clear(node)
  }

  /** Moves those that would rather have the node; looks again later, as some may have to stay. */
  look(node: Cell): void {
    const { vitals, switches, book } = this.#options
    const { id } = node.identity
    const routes = this.#strangersOf(id)
    if (routes.length > 0) this.came(node)
    const isFlapping = vitals.flapsOf(id) > FLAPS_MOST
    switches.inTurns(routes, route => {
      if (book.ofLink(route.link) !== route) return
      if (isFlapping) switches.suppress(route, 'flapping')
      else switches.improve(route, 'better')
    })
  }

  stop(): void {
    this.#due.stop()
  }

  /** Routes that are on no node which their client prefers, and might be on this one. */
  #strangersOf(id: IdentityId): readonly Route[] {
    const { book, fleet, steeredTo } = this.#options
    const routes = new Set(book.preferring(id))
    for (const client of steeredTo(id)) {
      const route = book.ofClient(client)
      if (route !== undefined) routes.add(route)
    }
    return [...routes].filter(({ client, node, wish }) => {
      const { prefer = [] } = requirementsOf(wish, fleet.clientOf(client))
      return prefer.includes(id) && !prefer.includes(node.identity.id)
    })
  }
}
