/** The routes that stand: one per client, found by client, by node and by link. */
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

  /** By each node that a request would rather have. */
  readonly #preferring = new Map<string, Set<Route>>()

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

  /** Returns the routes whose request would rather have this node, wherever they lead. */
  preferring(nodeId: string): ReadonlySet<Route> {
    return this.#preferring.get(nodeId) ?? NONE
  }

  add(route: Route): void {
    this.#byClient.set(route.client, route)
    for (const id of route.wish.prefer ?? []) put(this.#preferring, id, route)
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
    for (const id of route.wish.prefer ?? []) take(this.#preferring, id, route)
    this.#unplace(route)
  }

  #place(route: Route): void {
    this.#byLink.set(route.link, route)
    put(this.#byNode, route.node, route)
  }

  #unplace(route: Route): void {
    this.#byLink.delete(route.link)
    take(this.#byNode, route.node, route)
  }
}

function put<K>(index: Map<K, Set<Route>>, key: K, route: Route): void {
  const routes = index.get(key)
  if (routes === undefined) index.set(key, new Set([route]))
  else routes.add(route)
}

function take<K>(index: Map<K, Set<Route>>, key: K, route: Route): void {
  const routes = index.get(key)
  routes?.delete(route)
  if (routes?.size === 0) index.delete(key)
}
