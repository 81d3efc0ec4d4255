/** The routes that stand: one per client, found by client, by node, by link and by id. */
import type { Explanation, LinkId, RouteHistory, RouteId, RouteWish } from '../ports.js'
import type { Cell } from '../session/cell.js'

export interface Route {
  readonly routeId: RouteId
  readonly client: Cell
  readonly wish: RouteWish
  readonly assignedAtMs: number
  /** All below change together when the route moves. */
  node: Cell
  link: LinkId
  explanation: Explanation
  history: RouteHistory
  /** Since when it leads there, monotonic ms. */
  sinceMs: number
}

const NONE: ReadonlySet<Route> = new Set()

export class RouteBook {
  readonly #byClient = new Map<Cell, Route>()
  readonly #byNode = new Map<Cell, Set<Route>>()
  readonly #byLink = new Map<LinkId, Route>()

  get size(): number {
    return this.#byClient.size
  }

  [Symbol.iterator](): Iterator<Route> {
    return this.#byClient.values()
  }

  ofClient(client: Cell): Route | undefined {
    return this.#byClient.get(client)
  }

  ofNode(node: Cell): ReadonlySet<Route> {
    return this.#byNode.get(node) ?? NONE
  }

  ofLink(link: LinkId): Route | undefined {
    return this.#byLink.get(link)
  }

  add(route: Route): void {
    this.#byClient.set(route.client, route)
    this.#place(route)
  }

  /** Moves the route to another node and link. */
  move(
    route: Route,
    { node, link, explanation }: Pick<Route, 'node' | 'link' | 'explanation'>,
    nowMs: number,
  ): void {
    this.#unplace(route)
    Object.assign(route, { node, link, explanation, sinceMs: nowMs })
    this.#place(route)
  }

  remove(route: Route): void {
    if (this.#byClient.get(route.client) === route) this.#byClient.delete(route.client)
    this.#unplace(route)
  }

  #place(route: Route): void {
    this.#byLink.set(route.link, route)
    let routes = this.#byNode.get(route.node)
    if (routes === undefined) this.#byNode.set(route.node, (routes = new Set()))
    routes.add(route)
  }

  #unplace(route: Route): void {
    this.#byLink.delete(route.link)
    const routes = this.#byNode.get(route.node)
    routes?.delete(route)
    if (routes?.size === 0) this.#byNode.delete(route.node)
  }
}
