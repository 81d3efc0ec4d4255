/**
 * What the coordinator does with routes: gives, repeats and ends them; `switches.ts` moves them. Capacity is reserved in
 * the moment of the decision, so a burst between two heartbeats does not pile onto one node. No SQL, no await.
 */
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { type Choice, choose } from '../../mesh/choose.js'
import { Refusals } from '../../mesh/refusals.js'
import { requirementsOf, unmet } from '../../mesh/requirements.js'
import type { WireOf } from '../../protocol/messages.js'
import type { Paths } from '../path/paths.js'
import type { Explanation, RouteWish, StoredRoute } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { Changes } from '../snapshot/snapshots.js'
import type { Fleet } from './fleet.js'
import type { FleetNode } from './fleet-node.js'
import { type Route, RouteBook } from './route-book.js'
import { explanationOf, fieldsOf, storedRoute } from './route-forms.js'
import { begunHistory } from './route-history.js'
import { isAstray, mayStay } from './standing.js'
import type { SwitchCause } from './switch-figures.js'
import { type MoveOptions, Switches, type SwitchesOptions } from './switches.js'

type RouteEvent =
  | { readonly type: 'route.given'; readonly message: WireOf<'route.assigned'> | WireOf<'route.switched'> }
  | { readonly type: 'route.denied'; readonly message: WireOf<'route.refused'>; readonly keeps: boolean }
  | { readonly type: 'route.ended'; readonly message: WireOf<'route.refused'> | null }

export interface RoutingOptions {
  readonly clock: Clock
  readonly random: Random
  readonly fleet: Fleet
  readonly paths: Paths
  /** How long a route is left where it is, as long as its node can carry it, ms. */
  readonly dwellMs: number
  readonly changes: Changes
  readonly deliver: (cell: Cell, event: RouteEvent) => void
  readonly moved: SwitchesOptions['moved']
  /** The client’s new path has had the time that it may take: `switches.settle` is wanted. */
  readonly handoverDue: (client: Cell) => void
  /** The client’s route has waited long enough for a node that fits: `switches.giveUp` is wanted. */
  readonly patienceOver: (client: Cell) => void
  /** Our own fault, about this client. */
  readonly faulted: (client: Cell, error: unknown) => void
}

/** When to ask again after nothing qualified, ms; drawn per client so that they do not return together. */
const RETRY_MS = { least: 1_000, spread: 2_000 }

export class Routing {
  readonly book = new RouteBook()
  readonly switches: Switches
  assigned = 0
  refused = 0
  readonly #options: RoutingOptions
  readonly #refusals = new Refusals()

  constructor(options: RoutingOptions) {
    this.#options = options
    this.switches = new Switches({
      ...options,
      book: this.book,
      choose: (client, wish, also) => this.#choose(client, wish, also),
      tell: (client, message) => options.deliver(client, { type: 'route.given', message }),
      keep: (route, cause) => this.#store(route, cause),
      takeBack: (route, reason) => this.takeBack(route, reason),
      endUnmet: route =>
        this.takeBack(
          route,
          'no node meets what is asked of it now',
          this.#unmet(route.client, route.wish).words,
        ),
    })
  }

  /** Answers a request: with a node, or with the reason why there is none. A standing route is replaced. */
  give(client: Cell, requestId: number, wish: RouteWish): void {
    const old = this.book.ofClient(client)
    if (old !== undefined && this.#stillRight(old, wish)) {
      return this.#options.deliver(client, { type: 'route.given', message: this.#assignment(old, requestId) })
    }
    const choice = this.#chooseAnew(client, old, wish)
    if (choice.node === null) return this.#deny(client, requestId, wish, old !== undefined)
    const route = this.#assign(client, wish, choice.node, explanationOf(choice))
    this.assigned++
    this.#options.deliver(client, { type: 'route.given', message: this.#assignment(route, requestId) })
    if (old !== undefined) this.#finish(old, 'replaced by a newer request')
  }

  /** The route was decided anew, and stays where it is. */
  confirm(route: Route, explanation: Explanation): void {
    route.explanation = explanation
    route.history = { ...route.history, decidedAtMs: this.#options.clock.wallMs() }
    this.#store(route, null)
  }

  /** Refuses without looking: the coordinator is leaving. */
  refuse(client: Cell, requestId: number): void {
    this.refused++
    const message = {
      type: 'route.refused',
      requestId,
      code: 'draining',
      reason: 'the coordinator is restarting',
      unmet: [],
      retryAfterMs: this.#retryMs(),
    } as const
    this.#options.deliver(client, {
      type: 'route.denied',
      message,
      keeps: this.book.ofClient(client) !== undefined,
    })
  }

  /** Tells a client that came back the route it has, and moves it when its node is gone. */
  repeat(client: Cell): void {
    const route = this.book.ofClient(client)
    if (route === undefined) return
    this.#options.deliver(client, { type: 'route.given', message: this.#assignment(route, 0) })
  }

  /** Ends the client's route; nobody has to be told why. */
  end(client: Cell, reason: string): void {
    const route = this.book.ofClient(client)
    if (route === undefined) return
    this.#finish(route, reason)
    this.#options.deliver(client, { type: 'route.ended', message: null })
  }

  /** Moves a route to another node, as `Switches` does. */
  move(route: Route, cause: SwitchCause, options?: MoveOptions): boolean {
    return this.switches.move(route, cause, options)
  }

  /** A node came, or came back: routes that wait for one are looked at again. */
  rescue(): void {
    this.switches.rescue()
  }

  /** Ends a route against the will of its client, which hears why. */
  takeBack(route: Route, reason: string, unmet: string[] = []): void {
    this.#finish(route, reason)
    const retryAfterMs = this.#retryMs()
    this.#options.deliver(route.client, {
      type: 'route.ended',
      message: { type: 'route.refused', requestId: 0, code: 'no_candidate', reason, unmet, retryAfterMs },
    })
  }

  /** Brings back a route of an earlier process; false when its link cannot be had. */
  restore(stored: StoredRoute, client: Cell, node: Cell): boolean {
    if (this.book.ofClient(client) !== undefined) return false
    const { routeId, link, request: wish, explanation, assignedAtMs } = stored
    const path = this.#options.paths.restore(link, { routeId, client, node, exit: wish.exit === true })
    if (path === null) return false
    const sinceMs = this.#options.clock.now()
    const history = { ...begunHistory(assignedAtMs), ...stored.history }
    const route = { routeId, client, node, wish, link, explanation, assignedAtMs, history, sinceMs }
    this.book.add(route)
    this.#reserve(this.#options.fleet.of(node))
    // It was wrong already, and waited for a node that fits.
    if (isAstray(this.#options.fleet, route)) this.switches.strand(route, 'operator')
    return true
  }

  stop(): void {
    this.switches.stop()
  }

  /** Whether the standing route is what is asked for: its figures may have changed, what it was chosen by has not. */
  #stillRight(route: Route, wish: RouteWish): boolean {
    return JSON.stringify(wish) === JSON.stringify(route.wish) && mayStay(this.#options.fleet, route)
  }

  /** Chooses as if the place of the old route were free: the client gives it up for the new one. */
  #chooseAnew(client: Cell, old: Route | undefined, wish: RouteWish): Choice<FleetNode> {
    const { fleet } = this.#options
    const held = old === undefined ? undefined : fleet.of(old.node)
    if (held !== undefined) fleet.free(held)
    const choice = this.#choose(client, wish)
    if (held !== undefined) fleet.reserve(held)
    return choice
  }

  #choose(client: Cell, wish: RouteWish, also: readonly FleetNode[] = []): Choice<FleetNode> {
    const { fleet, random, clock } = this.#options
    const facts = fleet.clientOf(client)
    const want = requirementsOf(wish, facts)
    return choose(fleet.pools, { want, client: facts, nowMs: clock.now(), also }, random)
  }

  #assign(client: Cell, wish: RouteWish, node: FleetNode, explanation: Explanation): Route {
    const drawn = Buffer.from(this.#options.random.bytes(12)).toString('base64url')
    // A command line takes what begins with a dash for an option.
    const routeId = drawn.replace(/^-/, '0')
    const atMs = this.#options.clock.wallMs()
    this.#reserve(node)
    const { link } = this.#options.paths.open({ routeId, client, node: node.cell, exit: wish.exit === true })
    const route: Route = {
      routeId,
      client,
      wish,
      node: node.cell,
      link,
      explanation,
      assignedAtMs: atMs,
      history: begunHistory(atMs),
      sinceMs: this.#options.clock.now(),
    }
    this.book.add(route)
    this.#store(route, null)
    return route
  }

  #finish(route: Route, reason: string): void {
    this.switches.forget(route)
    this.book.remove(route)
    this.#options.paths.close(route.link, reason)
    this.#options.changes.touch({
      kind: 'route',
      key: route.routeId,
      value: {
        ...storedRoute(route),
        state: 'ended',
        endedAtMs: this.#options.clock.wallMs(),
        cause: reason,
      },
    })
    this.switches.freed(route.node)
  }

  #store(route: Route, cause: string | null): void {
    this.#options.changes.touch({
      kind: 'route',
      key: route.routeId,
      value: { ...storedRoute(route), cause },
    })
  }

  #reserve(node: FleetNode | undefined): void {
    if (node !== undefined) this.#options.fleet.reserve(node)
  }

  #deny(client: Cell, requestId: number, wish: RouteWish, keeps: boolean): void {
    this.refused++
    const { fleet } = this.#options
    const { considered, words } = this.#unmet(client, wish)
    const known = wish.target === undefined || fleet.pools.byId(wish.target) !== undefined
    this.#options.deliver(client, {
      type: 'route.denied',
      keeps,
      message: {
        type: 'route.refused',
        requestId,
        code: known ? 'no_candidate' : 'unknown_target',
        reason: known ? `none of ${considered} nodes meets the request` : `no node ${wish.target} is here`,
        unmet: words,
        retryAfterMs: this.#retryMs(),
      },
    })
  }

  /** Returns what of this nobody meets, in words. */
  #unmet(client: Cell, wish: RouteWish): { readonly considered: number; readonly words: string[] } {
    const { fleet, clock } = this.#options
    const want = requirementsOf(wish, fleet.clientOf(client))
    const { considered, excluded } = this.#refusals.explain(fleet.pools, want, clock.now())
    return { considered, words: unmet(want, excluded, considered).slice(0, 16) }
  }

  #retryMs(): number {
    return Math.round(RETRY_MS.least + this.#options.random.float() * RETRY_MS.spread)
  }

  #assignment(route: Route, requestId: number): WireOf<'route.assigned'> {
    return { type: 'route.assigned', requestId, ...fieldsOf(route) }
  }
}
