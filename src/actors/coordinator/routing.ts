/**
 * What the coordinator does with routes: gives, repeats, moves and ends them. Capacity is reserved in the
 * moment of the decision, so a burst between two heartbeats does not pile onto one node. No SQL, no await.
 */
import type { Clock } from '../../kit/clock.js'
import { Histogram } from '../../kit/histogram.js'
import type { Random } from '../../kit/random.js'
import { type Choice, choose } from '../../mesh/choose.js'
import { Refusals } from '../../mesh/refusals.js'
import { mismatch, rejection, requirementsOf, unmet } from '../../mesh/requirements.js'
import type { WireOf } from '../../protocol/messages.js'
import type { Paths } from '../path/paths.js'
import type { Explanation, LinkId, RouteWish, StoredRoute } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { Changes } from '../snapshot/snapshots.js'
import type { Fleet } from './fleet.js'
import type { FleetNode } from './fleet-node.js'
import { type Handover, Handovers } from './handovers.js'
import { type Route, RouteBook } from './route-book.js'

export type SwitchCause = WireOf<'route.switched'>['cause']
type RouteEvent =
  | { readonly type: 'route.given'; readonly message: WireOf<'route.assigned'> | WireOf<'route.switched'> }
  | { readonly type: 'route.denied'; readonly message: WireOf<'route.refused'>; readonly keeps: boolean }
  | { readonly type: 'route.ended'; readonly message: WireOf<'route.refused'> | null }

export interface RoutingOptions {
  readonly clock: Clock
  readonly random: Random
  readonly fleet: Fleet
  readonly paths: Paths
  readonly changes: Changes
  readonly deliver: (cell: Cell, event: RouteEvent) => void
  /** The client’s new path has had the time that it may take: `settleHandover` is wanted. */
  readonly handoverDue: (client: Cell) => void
}

export interface MoveOptions {
  /** Since when there is a reason to move, monotonic ms; absent: since the node was lost, or since now. */
  readonly sinceMs?: number
}
/** Why a route waits for another node, and since when there is a reason, monotonic ms. */
interface Plight {
  readonly cause: SwitchCause
  readonly sinceMs: number
}

/** Alternatives that travel with a route. */
const ALTERNATIVES = 3
/** When to ask again after nothing qualified, ms; drawn per client so that they do not return together. */
const RETRY_MS = { least: 1_000, spread: 2_000 }
/** How often a handover waits once more for a path that may still come to carry. */
const PATIENCE = 3

export class Routing {
  readonly book = new RouteBook()
  readonly failoverMs = new Histogram([50, 100, 250, 500, 750, 1_000, 1_500, 2_500, 5_000, 10_000, 30_000])
  assigned = 0
  refused = 0
  switched = 0

  readonly handovers: Handovers
  readonly #options: RoutingOptions
  /** Routes that should move and for which no other node qualifies yet. */
  readonly #stranded = new Map<Route, Plight>()
  readonly #refusals = new Refusals()

  constructor(options: RoutingOptions) {
    this.#options = options
    this.handovers = new Handovers({
      clock: options.clock,
      due: options.handoverDue,
      close: (link, reason) => options.paths.close(link, reason),
      freed: node => {
        this.#free(options.fleet.of(node))
        this.#offer(node)
      },
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

  /**
   * Moves a route to another node: at once when its node is dead, else make before break. Returns false when no
   * other node qualifies: it moves when one comes, as long as its own accepts no routes.
   */
  move(route: Route, cause: SwitchCause, { sinceMs }: MoveOptions = {}): boolean {
    const plight = { cause, sinceMs: sinceMs ?? route.node.lostMs ?? this.#options.clock.now() }
    return route.node.line === null ? this.#flee(route, plight) : this.#move(route, plight, true)
  }

  /** Moves each of the node's routes to another node; those for which none qualifies wait. */
  moveFrom(node: Cell, cause: SwitchCause): void {
    for (const route of this.book.ofNode(node)) this.move(route, cause)
  }

  /** Ends a route against the will of its client, which hears why. */
  takeBack(route: Route, reason: string): void {
    this.#finish(route, reason)
    const retryAfterMs = this.#retryMs()
    this.#options.deliver(route.client, {
      type: 'route.ended',
      message: { type: 'route.refused', requestId: 0, code: 'no_candidate', reason, unmet: [], retryAfterMs },
    })
  }

  /** The node will not come back: its routes move or end. */
  abandon(node: Cell, cause: SwitchCause): void {
    this.handovers.abandon(node)
    for (const route of this.book.ofNode(node)) {
      if (this.#flee(route, { cause, sinceMs: node.lostMs ?? this.#options.clock.now() })) continue
      this.takeBack(route, `node ${node.identity.id} is gone and no other meets the request`)
    }
  }

  /** A node came: routes that waited for one are looked at again. */
  rescue(): void {
    for (const [route, plight] of this.#stranded) {
      if (this.#isOpen(route.node)) this.#stranded.delete(route)
      else this.move(route, plight.cause, plight)
    }
  }

  /** A path failed at one end: another node when the node was to blame, else the end of the route. */
  repair(link: LinkId, end: Cell | null, reason: string): void {
    const route = this.book.ofLink(link)
    if (route === undefined) {
      if (!this.handovers.failed(link)) this.#options.paths.close(link, reason)
      return
    }
    const plight = { cause: 'node_left', sinceMs: this.#options.clock.now() } as const
    if (end === route.client ? this.#goBack(route, plight) : this.#flee(route, plight)) return
    this.takeBack(route, `${reason}, and no other node meets the request`)
  }

  /** The time of a handover is over: the old link is closed, or the new path is given up. */
  settleHandover(client: Cell): void {
    const handover = this.handovers.of(client)
    const route = this.book.ofClient(client)
    if (handover === undefined) return
    const hasEnds = client.line !== null && handover.from.node.line !== null
    if (route === undefined || handover.hasCarried || !hasEnds) return this.handovers.end(handover)
    const late = this.#options.paths.lateEnd(route.link)
    // A node that is away is moved from soon, and what only waits for a direct way may find it.
    const mayCome = late === null || late.line === null
    if (mayCome && handover.waited < PATIENCE) return this.handovers.waitOn(handover)
    this.repair(route.link, late, 'the new path did not carry in time')
  }

  /** Brings back a route of an earlier process; false when its link cannot be had. */
  restore(stored: StoredRoute, client: Cell, node: Cell): boolean {
    if (this.book.ofClient(client) !== undefined) return false
    const { routeId, link, request: wish, explanation, assignedAtMs } = stored
    const path = this.#options.paths.restore(link, { routeId, client, node, exit: wish.exit === true })
    if (path === null) return false
    this.book.add({ routeId, client, node, wish, link, explanation, assignedAtMs })
    this.#reserve(this.#options.fleet.of(node))
    return true
  }

  stop(): void {
    this.handovers.stop()
  }

  /** Whether the node takes routes at all. */
  #isOpen(cell: Cell): boolean {
    const node = this.#options.fleet.of(cell)
    return node !== undefined && node.accepting && !node.draining
  }

  /** Whether the standing route is what is asked for: its figures may have changed, what it was chosen by has not. */
  #stillRight(route: Route, wish: RouteWish): boolean {
    const { fleet } = this.#options
    const node = fleet.of(route.node)
    if (node === undefined || !this.#isOpen(route.node)) return false
    if (JSON.stringify(wish) !== JSON.stringify(route.wish)) return false
    const want = requirementsOf(wish, fleet.clientOf(route.client))
    return mismatch(node, want) === null && (want.pin ?? node.id) === node.id
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
    const { fleet, random } = this.#options
    const facts = fleet.clientOf(client)
    return choose(fleet.pools, { want: requirementsOf(wish, facts), client: facts, also }, random)
  }

  #assign(client: Cell, wish: RouteWish, node: FleetNode, explanation: Explanation): Route {
    const routeId = Buffer.from(this.#options.random.bytes(12)).toString('base64url')
    this.#reserve(node)
    const { link } = this.#options.paths.open({ routeId, client, node: node.cell, exit: wish.exit === true })
    const route: Route = {
      routeId,
      client,
      wish,
      node: node.cell,
      link,
      explanation,
      assignedAtMs: this.#options.clock.wallMs(),
    }
    this.book.add(route)
    this.#store(route, null)
    return route
  }

  /** Moves the route from where nothing carries: to another node, or back to the one before. */
  #flee(route: Route, plight: Plight): boolean {
    return this.#move(route, plight, false) || this.#goBack(route, plight)
  }

  /** Moves the route to the best other node; false, and stranded, when none qualifies. */
  #move(route: Route, plight: Plight, mayCarry: boolean): boolean {
    const { paths } = this.#options
    const handover = this.handovers.of(route.client)
    const out = [...(handover?.tried ?? []), route.node.identity.id]
    const wish = { ...route.wish, exclude: [...(route.wish.exclude ?? []), ...out] }
    const choice = this.#choose(route.client, wish, this.#alternativesOf(route))
    if (choice.node === null) {
      this.#stranded.set(route, plight)
      return false
    }
    const isBack = handover?.hasCarried === false && choice.node.cell === handover.from.node
    if (isBack) return this.#goBack(route, plight)
    const { node, link, explanation } = route
    this.#reserve(choice.node)
    const path = paths.open({
      routeId: route.routeId,
      client: route.client,
      node: choice.node.cell,
      exit: wish.exit === true,
    })
    this.#relocate(
      route,
      { node: choice.node.cell, link: path.link, explanation: explanationOf(choice) },
      plight,
    )
    this.handovers.moved(route.client, { node, link, explanation }, path.link, mayCarry)
    return true
  }

  /** The new path came to nothing and the old one is still there; false when it is not. */
  #goBack(route: Route, plight: Plight): boolean {
    const handover = this.handovers.of(route.client)
    if (handover === undefined || handover.from.node.line === null) return false
    const { node, link } = route
    this.handovers.undo(handover)
    this.#relocate(route, handover.from, plight)
    // What it had to leave it shall leave still, as soon as there is somewhere to go.
    if (!this.#isOpen(route.node)) this.#stranded.set(route, plight)
    this.#options.paths.close(link, 'the route went back')
    this.#free(this.#options.fleet.of(node))
    this.#offer(node)
    return true
  }

  /** Writes down where the route leads now, and tells the client. */
  #relocate(route: Route, to: Handover['from'], { cause, sinceMs }: Plight): void {
    const previousLink = route.link
    this.#stranded.delete(route)
    this.book.move(route, to)
    this.#store(route, cause)
    this.switched++
    this.failoverMs.observe(this.#options.clock.now() - sinceMs)
    this.#options.deliver(route.client, {
      type: 'route.given',
      message: { ...this.#fields(route), type: 'route.switched', cause, previousLink },
    })
  }

  /** Those that were next when the route was given: looked at first, with what is known of them now. */
  #alternativesOf(route: Route): FleetNode[] {
    const { pools } = this.#options.fleet
    const known = route.explanation.compared.slice(0, 1 + ALTERNATIVES)
    return known.flatMap(({ nodeId }) => pools.byId(nodeId) ?? []).filter(node => node.cell !== route.node)
  }

  #finish(route: Route, reason: string): void {
    this.#stranded.delete(route)
    this.handovers.drop(route.client)
    this.book.remove(route)
    this.#free(this.#options.fleet.of(route.node))
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
    this.#offer(route.node)
  }

  /** A place became free: the first route that waits for one like it may have it. */
  #offer(cell: Cell): void {
    const node = this.#options.fleet.of(cell)
    if (node === undefined || !this.#isOpen(cell)) return
    for (const [route, plight] of this.#stranded) {
      const want = requirementsOf(route.wish, this.#options.fleet.clientOf(route.client))
      if (route.node !== cell && rejection(node, want) === null && this.move(route, plight.cause, plight))
        return
    }
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

  #free(node: FleetNode | undefined): void {
    if (node !== undefined) this.#options.fleet.free(node)
  }

  #deny(client: Cell, requestId: number, wish: RouteWish, keeps: boolean): void {
    this.refused++
    const { fleet, clock } = this.#options
    const want = requirementsOf(wish, fleet.clientOf(client))
    const { considered, excluded } = this.#refusals.explain(fleet.nodes(), want, clock.now())
    const known = wish.target === undefined || fleet.pools.byId(wish.target) !== undefined
    this.#options.deliver(client, {
      type: 'route.denied',
      keeps,
      message: {
        type: 'route.refused',
        requestId,
        code: known ? 'no_candidate' : 'unknown_target',
        reason: known ? `none of ${considered} nodes meets the request` : `no node ${wish.target} is here`,
        unmet: unmet(want, excluded, considered).slice(0, 16),
        retryAfterMs: this.#retryMs(),
      },
    })
  }

  #retryMs(): number {
    return Math.round(RETRY_MS.least + this.#options.random.float() * RETRY_MS.spread)
  }

  #assignment(route: Route, requestId: number): WireOf<'route.assigned'> {
    return { type: 'route.assigned', requestId, ...this.#fields(route) }
  }

  #fields(route: Route): Omit<WireOf<'route.assigned'>, 'type' | 'requestId'> {
    const { id, publicKey, overlay4, overlay6, profile } = route.node.identity
    const own = [`${overlay4}/32`, `${overlay6}/128`]
    const { compared, qualified, considered } = route.explanation
    const best = compared[0]
    return {
      routeId: route.routeId,
      link: route.link,
      nodeId: id,
      nodeKey: publicKey,
      nodeOverlay4: `${overlay4}/32`,
      nodeOverlay6: `${overlay6}/128`,
      allowedIps: route.wish.exit === true ? ['0.0.0.0/0', '::/0'] : own,
      ...(profile.country !== null && { country: profile.country }),
      ...(profile.region !== null && { region: profile.region }),
      exit: profile.exit,
      alternatives: compared.slice(1, 1 + ALTERNATIVES).map(scored => scored.nodeId),
      why: `${qualified} of ${considered} nodes looked at qualify; ${best === undefined ? id : `${best.nodeId} costs least (${best.cost.toFixed(2)})`} of ${compared.length} compared`,
    }
  }
}

const explanationOf = (choice: Choice<FleetNode>): Explanation => ({
  considered: choice.considered,
  qualified: choice.qualified,
  excluded: choice.excluded,
  compared: choice.compared.map(({ node, cost, terms, liking }) => ({
    nodeId: node.id,
    cost,
    terms,
    ...(liking !== null && { liking }),
  })),
  rejected: choice.rejected.map(({ node, reason }) => ({ nodeId: node.id, reason })),
})

const storedRoute = (route: Route): StoredRoute => ({
  routeId: route.routeId,
  link: route.link,
  clientId: route.client.identity.id,
  nodeId: route.node.identity.id,
  request: route.wish,
  explanation: route.explanation,
  state: 'active',
  assignedAtMs: route.assignedAtMs,
  endedAtMs: null,
  cause: null,
})
