/**
 * Routes that move to another node.
 *
 *   the node is dead                    at once, whatever comes of it         waits for a node when none qualifies
 *   it is lapsed or drained             make before break (handovers.ts)      the same
 *   it is not what is asked for         make before break                     waits for a minute, then ends
 *   it has too little room              make before break                     stays when none qualifies
 *   it is degraded, or another better   make before break, for a clear gain   stays, and is counted
 */
import type { Clock } from '../../kit/clock.js'
import { Turns } from '../../kit/turns.js'
import type { Choice } from '../../mesh/choose.js'
import { costOf } from '../../mesh/cost.js'
import { isClearGain } from '../../mesh/hysteresis.js'
import { rejection, requirementsOf } from '../../mesh/requirements.js'
import type { WireOf } from '../../protocol/messages.js'
import type { Paths } from '../path/paths.js'
import type { Explanation, LinkId, RouteMove, RouteWish } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { Fleet } from './fleet.js'
import type { FleetNode } from './fleet-node.js'
import { Handovers, type Left } from './handovers.js'
import type { Route, RouteBook } from './route-book.js'
import { explanationOf, fieldsOf, rankedIn } from './route-forms.js'
import { movedHistory, stayedHistory } from './route-history.js'
import { isAstray, mayStay } from './standing.js'
import { type Plight, Stranded } from './stranded.js'
import { type Suppression, type SwitchCause, SwitchFigures } from './switch-figures.js'

export interface SwitchesOptions {
  readonly clock: Clock
  readonly book: RouteBook
  readonly fleet: Fleet
  readonly paths: Paths
  /** How long a route is left where it is, as long as its node can carry it, ms. */
  readonly dwellMs: number
  readonly choose: (client: Cell, wish: RouteWish, also: readonly FleetNode[]) => Choice<FleetNode>
  readonly tell: (client: Cell, message: WireOf<'route.switched'>) => void
  /** The route has moved, and its client is told. */
  readonly moved: (route: Route, move: RouteMove) => void
  /** Makes durable where a route leads now, and why. */
  readonly keep: (route: Route, cause: SwitchCause) => void
  /** Ends a route against the will of its client. */
  readonly takeBack: (route: Route, reason: string) => void
  /** Ends a route to a node that is not what is asked for, as nobody is; the client hears what is missing. */
  readonly endUnmet: (route: Route) => void
  /** The route of this client may stay where it is no longer: `giveUp` is wanted. */
  readonly patienceOver: (client: Cell) => void
  /** The client’s new path has had the time that it may take: `settle` is wanted. */
  readonly handoverDue: (client: Cell) => void
  readonly faulted: (client: Cell, error: unknown) => void
}

export interface MoveOptions {
  /** Since when there is a reason to move, monotonic ms; absent: since the node was lost, or since now. */
  readonly sinceMs?: number
}

/**
 * What is done in one turn of the event loop at most: when a node with thousands of routes dies, packets of everyone
 * else are forwarded in between.
 */
const PER_TURN = { ms: 5, pieces: 32 }

export class Switches {
  readonly figures = new SwitchFigures()
  readonly handovers: Handovers
  readonly #options: SwitchesOptions
  readonly #turns: Turns
  readonly #stranded: Stranded
  /** Nodes with places for which those who wait are being looked at. */
  readonly #offered = new Set<Cell>()

  constructor(options: SwitchesOptions) {
    this.#options = options
    const { clock, paths } = options
    this.#stranded = new Stranded(options)
    this.handovers = new Handovers({
      clock,
      due: options.handoverDue,
      close: (link, reason) => paths.close(link, reason),
      freed: node => this.freed(node),
    })
    this.#turns = new Turns({ clock, perTurn: PER_TURN })
  }

  /** Routes that have to move and wait for a node. */
  get waiting(): number {
    return this.#stranded.size
  }

  /**
   * Moves a route to another node: at once when its own is dead, else make before break. Returns false when no other
   * node qualifies: it moves when one comes, as long as its own accepts no routes.
   */
  move(route: Route, cause: SwitchCause, { sinceMs }: MoveOptions = {}): boolean {
    const plight = this.#plightOf(route, cause, sinceMs)
    if (route.node.line === null ? this.#flee(route, plight) : this.#go(route, plight, true)) return true
    this.#strand(route, plight)
    return false
  }

  /** Lets a route of an earlier process wait that is not where it should be. */
  strand(route: Route, cause: SwitchCause): void {
    this.#strand(route, this.#plightOf(route, cause))
  }

  /** Returns why the route has to move and cannot, and when it ends if it does not, monotonic ms; null when it may stay. */
  waitOf(route: Route): (Plight & { readonly endsMs: number | null }) | null {
    const plight = this.#stranded.of(route)
    if (plight === undefined) return null
    const mayStay = !isAstray(this.#options.fleet, route)
    return { ...plight, endsMs: mayStay ? null : this.#stranded.endsMs(route) }
  }

  /** Ends a route that had its time to go where it should be, unless it can go there now. */
  giveUp(route: Route): void {
    const plight = this.#stranded.of(route)
    if (plight === undefined || !isAstray(this.#options.fleet, route)) return
    if (!this.move(route, plight.cause, plight)) this.#options.endUnmet(route)
  }

  /** Moves a route to this node, whatever another would cost. */
  moveTo(route: Route, to: FleetNode, explanation: Explanation, cause: SwitchCause): void {
    this.#goTo(route, explanation, to, this.#plightOf(route, cause), route.node.line !== null)
  }

  /** The route has no reason to move any more. */
  settleHere(route: Route): void {
    this.#stranded.delete(route)
  }

  /** Moves each of the node's routes while `mustGo`, those in use first; those for which none qualifies wait. */
  moveFrom(node: Cell, cause: SwitchCause, mustGo: () => boolean): void {
    const sinceMs = node.lostMs ?? this.#options.clock.now()
    this.inTurns(this.#inOrder(node), route => {
      if (this.#isOn(route, node) && mustGo()) this.move(route, cause, { sinceMs })
    })
  }

  /** The node will not come back: its routes move or end. Nothing is forwarded to it from now on. */
  abandon(node: Cell, cause: SwitchCause): void {
    this.handovers.abandon(node)
    const routes = this.#inOrder(node)
    for (const { link } of routes) this.#options.paths.sever(link)
    const plight = this.#plightOf({ node }, cause)
    this.inTurns(routes, route => {
      if (!this.#isOn(route, node) || this.#flee(route, plight)) return
      this.#options.takeBack(route, `node ${node.identity.id} is gone and no other meets the request`)
    })
  }

  /** Moves a route to a clearly better node; counts why not when it stays. */
  improve(route: Route, cause: 'node_degraded' | 'better', { sinceMs }: MoveOptions = {}): boolean {
    const { clock, dwellMs } = this.#options
    if (route.client.line === null) return this.suppress(route, 'client_away')
    if (this.handovers.of(route.client) !== undefined || clock.now() - route.sinceMs < dwellMs)
      return this.suppress(route, 'too_soon')
    const choice = this.#chooseOther(route)
    if (choice.node === null) return this.suppress(route, 'no_candidate')
    if (!this.#isWorthIt(route, choice)) return this.suppress(route, 'no_clear_gain')
    return this.#goTo(route, explanationOf(choice), choice.node, this.#plightOf(route, cause, sinceMs), true)
  }

  /** The node has fewer places than routes: the newest move, those for which none qualifies stay. */
  trim(node: Cell): void {
    const { maxSessions = null } = this.#options.fleet.of(node) ?? {}
    const routes = [...this.#options.book.ofNode(node)]
    const excess = maxSessions === null ? 0 : routes.length - maxSessions
    if (excess <= 0) return
    const isAlive = node.line !== null
    const newest = routes.sort((a, b) => b.sinceMs - a.sinceMs).slice(0, excess)
    const plight = this.#plightOf({ node }, 'capacity_cut')
    this.inTurns(newest, route => {
      if (this.#isOn(route, node) && !this.#go(route, plight, isAlive)) this.suppress(route, 'no_candidate')
    })
  }

  /** Runs what is to be done with each of these, a few in each turn of the event loop. What it throws is its client’s. */
  inTurns(routes: readonly Route[], run: (route: Route) => void): void {
    this.#turns.each(routes, route => this.#guarded(route, () => run(route)))
  }

  /** Counts a switch that is not made. */
  suppress(route: Route, reason: Suppression): false {
    route.history = stayedHistory(route.history, reason)
    this.figures.suppressed[reason]++
    return false
  }

  /** A node came: routes that waited for one are looked at again. */
  rescue(): void {
    const waiting = [...this.#stranded].map(([route]) => route)
    this.inTurns(waiting, route => {
      const plight = this.#stranded.of(route)
      if (plight === undefined) return
      if (mayStay(this.#options.fleet, route)) this.#stranded.delete(route)
      else this.move(route, plight.cause, plight)
    })
  }

  /**
   * A place became free: the first route that waits for one like it may have it. However many places of a node become
   * free in a turn, those who wait are looked at once.
   */
  freed(cell: Cell): void {
    const { fleet } = this.#options
    const node = fleet.of(cell)
    if (node === undefined) return
    fleet.free(node)
    if (this.waiting === 0 || this.#offered.has(cell)) return
    this.#offered.add(cell)
    this.#turns.run(() => this.#offer(cell, this.#stranded[Symbol.iterator]()))
  }

  /** A path failed at one end: another node when the node was to blame, else the node before, or the end of the route. */
  repair(link: LinkId, end: Cell | null, reason: string): void {
    const route = this.#options.book.ofLink(link)
    if (route === undefined) {
      if (!this.handovers.failed(link)) this.#options.paths.close(link, reason)
      return
    }
    const plight = this.#plightOf(route, 'node_left', this.#options.clock.now())
    if (end === route.client ? this.#goBack(route, plight) : this.#flee(route, plight)) return
    this.#options.takeBack(route, `${reason}, and no other node meets the request`)
  }

  /** The time of a handover is over: the old link is closed, or the new path is given up. */
  settle(client: Cell): void {
    const handover = this.handovers.of(client)
    const route = this.#options.book.ofClient(client)
    if (handover === undefined) return
    const hasEnds = client.line !== null && handover.from.node.line !== null
    if (route === undefined || handover.hasCarried || !hasEnds) return this.handovers.end(handover)
    const late = this.#options.paths.lateEnd(route.link)
    // A node that is away is moved from soon, and what only waits for a direct way may find it.
    const mayCome = late === null || late.line === null
    if (mayCome && !handover.hasWaited) return this.handovers.waitOn(handover)
    this.repair(route.link, late, 'the new path did not carry in time')
  }

  /** The route ends. */
  forget(route: Route): void {
    this.#stranded.delete(route)
    this.handovers.drop(route.client)
  }

  stop(): void {
    this.#turns.stop()
    this.#stranded.stop()
    this.handovers.stop()
  }

  #strand(route: Route, plight: Plight): void {
    this.#stranded.add(route, plight, !isAstray(this.#options.fleet, route))
  }

  /** Moves the next route that waits for such a node; in later turns those after it, as long as the node has a place. */
  #offer(cell: Cell, waiting: Iterator<readonly [Route, Plight]>): void {
    for (let next = waiting.next(); next.done !== true && this.#hasPlace(cell); next = waiting.next()) {
      const [route, plight] = next.value
      const mayHaveIt = () => this.#suits(cell, route) && this.move(route, plight.cause, plight)
      if (this.#guarded(route, mayHaveIt) === true) return this.#turns.run(() => this.#offer(cell, waiting))
    }
    this.#offered.delete(cell)
  }

  #hasPlace(cell: Cell): boolean {
    const node = this.#options.fleet.of(cell)
    return node !== undefined && node.accepting && !node.draining && !node.isFull
  }

  #suits(cell: Cell, route: Route): boolean {
    const { fleet } = this.#options
    const node = fleet.of(cell)
    if (node === undefined || route.node === cell) return false
    return rejection(node, requirementsOf(route.wish, fleet.clientOf(route.client))) === null
  }

  /** What is thrown is the fault of this route’s client alone. */
  #guarded<R>(route: Route, run: () => R): R | undefined {
    try {
      return run()
    } catch (error) {
      this.#options.faulted(route.client, error)
      return undefined
    }
  }

  /** Moves the route from where nothing carries: to another node, or back to the one before. */
  #flee(route: Route, plight: Plight): boolean {
    return this.#go(route, plight, false) || this.#goBack(route, plight)
  }

  /** Moves the route to the best other node; false when none qualifies. */
  #go(route: Route, plight: Plight, mayCarry: boolean): boolean {
    const choice = this.#chooseOther(route)
    return choice.node !== null && this.#goTo(route, explanationOf(choice), choice.node, plight, mayCarry)
  }

  #goTo(route: Route, decision: Explanation, to: FleetNode, plight: Plight, mayCarry: boolean): boolean {
    const handover = this.handovers.of(route.client)
    if (handover?.hasCarried === false && to.cell === handover.from.node) return this.#goBack(route, plight)
    const { client, node, link, explanation, routeId, wish } = route
    this.#options.fleet.reserve(to)
    const path = this.#options.paths.open({ routeId, client, node: to.cell, exit: wish.exit === true })
    this.#relocate(route, { node: to.cell, link: path.link, explanation: decision }, plight)
    this.handovers.moved(client, { node, link, explanation }, path.link, mayCarry)
    return true
  }

  /** The new path came to nothing and the old one is still there; false when it is not. */
  #goBack(route: Route, plight: Plight): boolean {
    const { paths } = this.#options
    const handover = this.handovers.of(route.client)
    if (handover === undefined || handover.from.node.line === null) return false
    const { node, link } = route
    this.handovers.undo(handover)
    this.#relocate(route, handover.from, plight)
    // What it had to leave it shall leave still, as soon as there is somewhere to go.
    if (!mayStay(this.#options.fleet, route)) this.#strand(route, plight)
    paths.close(link, 'the route went back')
    this.freed(node)
    return true
  }

  /** Writes down where the route leads now, and tells the client. */
  #relocate(route: Route, to: Left, { cause, sinceMs }: Plight): void {
    const { book, clock, keep, tell, moved } = this.#options
    const { link: previousLink, node } = route
    this.#stranded.delete(route)
    book.move(route, to, clock.now())
    const move = { atMs: clock.wallMs(), from: node.identity.id, to: to.node.identity.id, cause }
    route.history = movedHistory(route.history, move)
    keep(route, cause)
    this.figures.tookMs[cause].observe(clock.now() - sinceMs)
    tell(route.client, { type: 'route.switched', ...fieldsOf(route), cause, previousLink })
    moved(route, move)
  }

  /** Those that were next when the route was given are looked at first, with what is known of them now. */
  #chooseOther(route: Route): Choice<FleetNode> {
    const { fleet, choose } = this.#options
    const tried = this.handovers.of(route.client)?.tried ?? []
    const exclude = [...(route.wish.exclude ?? []), ...tried, route.node.identity.id]
    const ranked = rankedIn(route).flatMap(id => fleet.pools.byId(id) ?? [])
    return choose(
      route.client,
      { ...route.wish, exclude },
      ranked.filter(({ cell }) => cell !== route.node),
    )
  }

  #isWorthIt(route: Route, { compared: [best] }: Choice<FleetNode>): boolean {
    const { fleet } = this.#options
    const node = fleet.of(route.node)
    if (node === undefined || best === undefined || best.liking === 'degraded') return false
    const client = fleet.clientOf(route.client)
    const want = requirementsOf(route.wish, client)
    if (best.liking === 'preferred' && want.prefer?.includes(node.id) !== true) return true
    // What it costs where it is counts as if its own place were free, as it is where it would go.
    fleet.free(node)
    const { cost } = costOf(node, client, want.weights)
    fleet.reserve(node)
    return isClearGain(cost, best.cost)
  }

  #plightOf({ node }: Pick<Route, 'node'>, cause: SwitchCause, sinceMs?: number): Plight {
    return { cause, sinceMs: sinceMs ?? node.lostMs ?? this.#options.clock.now() }
  }

  #isOn(route: Route, node: Cell): boolean {
    return route.node === node && this.#options.book.ofLink(route.link) === route
  }

  /** Those over which packets have come of late are first. */
  #inOrder(node: Cell): readonly Route[] {
    const { book, paths } = this.#options
    const [busy, idle]: [Route[], Route[]] = [[], []]
    for (const route of book.ofNode(node)) (paths.isIdle(route.link) ? idle : busy).push(route)
    return [...busy, ...idle]
  }
}
