/**
 * Looks at the nodes in turn, each once a beat. One that carries badly gets no new routes while others qualify, and
 * those that it has leave it a few at a time, each for a node that is clearly better, until it carries well again. One
 * that carries more clients than it may gives them up as soon as others can take them.
 */
import type { Clock } from '../../kit/clock.js'
import type { IdentityId } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { Fleet } from './fleet.js'
import type { FleetNode } from './fleet-node.js'
import type { Route, RouteBook } from './route-book.js'
import type { Switches } from './switches.js'
import type { Vitals } from './vitals.js'

export interface WatchOptions {
  readonly clock: Clock
  readonly fleet: Fleet
  readonly vitals: Vitals
  readonly book: RouteBook
  readonly switches: Switches
  readonly info: (fields: object, message: string) => void
  readonly warn: (fields: object, message: string) => void
}

/** Parts of a beat: in each a part of the nodes is looked at. */
export const TURNS_PER_BEAT = 10
/** Share of a degraded node's routes that may leave between two looks: what that has changed is seen before the next. */
const LEAVING_SHARE = 0.1

/** A degraded node that is being left. */
interface Relief {
  readonly sinceMs: number
  /** Routes that have not been tried in this round. */
  line: Route[]
}

export class Watch {
  readonly #options: WatchOptions
  readonly #reliefs = new Map<Cell, Relief>()
  #turn = 0

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Looks at the nodes whose turn it is; to be called so many times a beat. What is about one node runs in `guarded`. */
  look(guarded: (node: Cell, run: () => void) => void): void {
    this.#turn = (this.#turn + 1) % TURNS_PER_BEAT
    for (const node of this.#options.fleet.nodes())
      if (node.accepting && node.cell.slot % TURNS_PER_BEAT === this.#turn)
        guarded(node.cell, () => this.#lookAt(node))
  }

  /** The node is gone. */
  left(cell: Cell): void {
    this.#reliefs.delete(cell)
    this.#options.vitals.left(cell.identity.id)
  }

  #lookAt(node: FleetNode): void {
    const { clock, fleet, vitals, switches, info, warn } = this.#options
    const { id, cell } = node
    const finding = vitals.look(node)
    node.measure()
    // What had nowhere to go when it got fewer places may have by now.
    if (node.maxSessions !== null && node.reserved > node.maxSessions) switches.trim(cell)
    if (finding === 'degraded') {
      warn(this.#said(id, node), 'a node carries badly; its routes move to better ones')
      fleet.degrade(cell, true)
      this.#reliefs.set(cell, { sinceMs: clock.now(), line: [] })
    } else if (finding === 'recovered') {
      info({ id }, 'a node carries well again')
      fleet.degrade(cell, false)
      this.#reliefs.delete(cell)
    }
    const relief = this.#reliefs.get(cell)
    // A drain leaves the node at a pace of its own.
    if (relief !== undefined && !node.draining) this.#relieve(cell, relief)
  }

  #said(id: IdentityId, node: FleetNode): object {
    const { vitals } = this.#options
    const { rttMs, lossPct, bwTotalMbps, bandwidthMbps } = node
    return { id, ailment: vitals.ailmentOf(id), rttMs, lossPct, bwTotalMbps, bandwidthMbps }
  }

  #relieve(node: Cell, relief: Relief): void {
    const { book, switches } = this.#options
    const routes = book.ofNode(node)
    if (relief.line.length === 0) relief.line = [...routes]
    const leaving = relief.line.splice(0, Math.ceil(routes.size * LEAVING_SHARE))
    switches.inTurns(leaving, route => {
      if (route.node === node && book.ofLink(route.link) === route)
        switches.improve(route, 'node_degraded', relief)
    })
  }
}
