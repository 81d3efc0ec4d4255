/**
 * What operators say of routes. What they lay down acts at once: a route that is wrong by it moves, make before
 * break. What they order is a decision among all nodes, for one client, now.
 */
import { explainAll } from '../../mesh/choose.js'
import { rejection, requirementsOf, type Requirements } from '../../mesh/requirements.js'
import type { Explanation, RouteOutcome, RouteWish } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { Fleet } from './fleet.js'
import type { FleetNode } from './fleet-node.js'
import type { Route } from './route-book.js'
import { surveyOf } from './route-forms.js'
import type { Routing } from './routing.js'
import { isAstray, mayStay } from './standing.js'

type Survey = ReturnType<typeof explainAll<FleetNode>>

/** Nodes that are stored with an order: of those that qualify, and of those that do not. */
const STORED_ROWS = 16

export class Orders {
  readonly #fleet: Fleet
  readonly #routing: Routing

  constructor(fleet: Fleet, routing: Routing) {
    this.#fleet = fleet
    this.#routing = routing
  }

  /** Returns every node as a request of this client would find it, as if its own place were free. */
  survey(client: Cell, wish: RouteWish, rows: number): Explanation {
    return surveyOf(this.#survey(client, wish), rows)
  }

  /** Moves the client's route to the best of all nodes; what the client asked for stays. */
  give(client: Cell, wish: RouteWish): RouteOutcome['outcome'] {
    const route = this.#routing.book.ofClient(client)
    // An agent does not use a route that it has not asked for.
    if (route === undefined) return 'unasked'
    const survey = this.#survey(client, wish)
    const [best] = survey.qualified
    if (best === undefined) return 'refused'
    const explanation = surveyOf(survey, STORED_ROWS)
    if (best.node.cell === route.node) {
      this.#routing.confirm(route, explanation)
      return 'kept'
    }
    this.#routing.switches.moveTo(route, best.node, explanation, 'operator')
    return 'moved'
  }

  /** What is laid down for a client or a node is new: routes that are wrong by it move. */
  recheck(cell: Cell): void {
    const { book, switches } = this.#routing
    if (cell.role === 'client') {
      const route = book.ofClient(cell)
      if (route === undefined) return
      if (isAstray(this.#fleet, route) || this.#isBeaten(route)) switches.move(route, 'operator')
      else if (mayStay(this.#fleet, route)) switches.settleHere(route)
      return
    }
    const astray = [...book.ofNode(cell)].filter(route => isAstray(this.#fleet, route))
    switches.inTurns(astray, route => {
      const isStill = book.ofLink(route.link) === route && isAstray(this.#fleet, route)
      if (isStill) switches.move(route, 'operator')
    })
    switches.trim(cell)
    switches.rescue()
  }

  /** Whether the client would rather not have its node, or rather have others, and one of those qualifies. */
  #isBeaten(route: Route): boolean {
    const { id } = route.node.identity
    const { prefer = [], avoid = [] } = requirementsOf(route.wish, this.#fleet.clientOf(route.client))
    if (prefer.includes(id) || (prefer.length === 0 && !avoid.includes(id))) return false
    const [best] = this.#survey(route.client, {}).qualified
    if (best === undefined || best.node.cell === route.node) return false
    return avoid.includes(id) ? best.liking !== 'avoided' : best.liking === 'preferred'
  }

  /** Looks as if the client's own place were free; what is hard in its own request holds beside what is wanted now. */
  #survey(client: Cell, wish: RouteWish): Survey {
    const fleet = this.#fleet
    const facts = fleet.clientOf(client)
    const route = this.#routing.book.ofClient(client)
    if (route === undefined) return explainAll(fleet.nodes(), requirementsOf(wish, facts), facts)
    const held = fleet.of(route.node)
    if (held !== undefined) fleet.free(held)
    const want = requirementsOf({ ...route.wish, ...wish }, facts)
    const survey = meeting(requirementsOf(route.wish, facts), explainAll(fleet.nodes(), want, facts))
    if (held !== undefined) fleet.reserve(held)
    return survey
  }
}

/** Returns the survey without those that do not meet these requirements as well. */
function meeting(want: Requirements, { qualified, rejected }: Survey): Survey {
  const out: Survey['rejected'][number][] = []
  const met = qualified.filter(({ node }) => {
    const reason = rejection(node, want)
    if (reason !== null) out.push({ node, reason })
    return reason === null
  })
  return { qualified: met, rejected: [...rejected, ...out] }
}
