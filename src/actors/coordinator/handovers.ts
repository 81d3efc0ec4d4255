/**
 * Make before break: when a route leaves a node that still lives, the old link stays open, its place taken, until
 * the new path carries at both ends, so that the client goes on sending there.
 *
 *   moved ─→ awaiting ── the new path carries ─→ lingering ─→ over: the old link is closed, its place is free
 *               └─ it does not in time ─→ the coordinator looks for another node, or goes back
 *
 * A client has one at most. When its route moves again before the new path carried, the old link stays the one that
 * was left first, and what never carried is closed at once.
 */
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { LinkId } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { Route } from './route-book.js'

/** What a route had before it moved. */
export type Left = Readonly<Pick<Route, 'node' | 'link' | 'explanation'>>

export interface Handover {
  readonly client: Cell
  readonly from: Left
  /** The link that shall take over. */
  to: LinkId
  /** It carries: the old link only lingers. */
  hasCarried: boolean
  /** Nodes that were tried since, and did not get to carry. */
  readonly tried: string[]
  /** The new path was given more time once. */
  hasWaited: boolean
}

export interface HandoversOptions {
  readonly clock: Clock
  /** The time of this client's handover is over. */
  readonly due: (client: Cell) => void
  readonly close: (link: LinkId, reason: string) => void
  /** A place is free again. */
  readonly freed: (node: Cell) => void
}

/** How long a new path may take to carry, ms: far more than its two ends need, less than people put up with. */
const CARRY_MS = 5_000
/** How much longer when it may still come to carry, ms: before a client gives up by itself, after ten seconds. */
const MORE_MS = 3_000
/**
 * How long the old link stays once the new one carries, ms: WireGuard's handshake over the new one takes two round
 * trips, and what is under way on the old one arrives.
 */
const LINGER_MS = 1_000
const MOVED = 'the route moved to another node'

export class Handovers {
  /** How those that are over ended: the new path carried, it never did, the route went back, the route ended. */
  readonly ended = { carried: 0, failed: 0, undone: 0, dropped: 0 }
  readonly #options: HandoversOptions
  readonly #byClient = new Map<Cell, Handover>()
  /** By the link that is awaited. */
  readonly #awaited = new Map<LinkId, Handover>()
  readonly #due: Deadlines<Cell>

  constructor(options: HandoversOptions) {
    this.#options = options
    this.#due = new Deadlines(options.clock, client => options.due(client))
  }

  get size(): number {
    return this.#byClient.size
  }

  of(client: Cell): Handover | undefined {
    return this.#byClient.get(client)
  }

  /** The client's route has moved from `from` to the link `to`; what it left is kept when it may still carry. */
  moved(client: Cell, from: Left, to: LinkId, mayCarry: boolean): void {
    const standing = this.#byClient.get(client)
    if (standing !== undefined && !standing.hasCarried) {
      standing.tried.push(from.node.identity.id)
      this.#await(standing, to)
      return this.#close(from, MOVED)
    }
    if (standing !== undefined) this.#end(standing, 'carried')
    if (!mayCarry) return this.#close(from, MOVED)
    const handover: Handover = { client, from, to, hasCarried: false, tried: [], hasWaited: false }
    this.#byClient.set(client, handover)
    this.#await(handover, to)
  }

  /** A path carries at both ends. */
  carried(link: LinkId): void {
    const handover = this.#awaited.get(link)
    if (handover === undefined || handover.hasCarried) return
    handover.hasCarried = true
    this.#due.set(handover.client, LINGER_MS)
  }

  /** Waits for the new path once more. */
  waitOn(handover: Handover): void {
    handover.hasWaited = true
    this.#due.set(handover.client, MORE_MS)
  }

  /** Closes the old link. */
  end(handover: Handover): void {
    this.#end(handover, handover.hasCarried ? 'carried' : 'failed')
  }

  /** Closes the old link of a client whose route ends. */
  drop(client: Cell): void {
    const handover = this.#byClient.get(client)
    if (handover !== undefined) this.#end(handover, handover.hasCarried ? 'carried' : 'dropped')
  }

  /** Closes the old links that lead to a node which is gone. */
  abandon(node: Cell): void {
    for (const handover of this.#byClient.values()) if (handover.from.node === node) this.end(handover)
  }

  /** An old link failed by itself; returns whether it was one of these. */
  failed(link: LinkId): boolean {
    for (const handover of this.#byClient.values()) {
      if (handover.from.link !== link) continue
      this.end(handover)
      return true
    }
    return false
  }

  /** The route goes back: the old link is its own again. */
  undo(handover: Handover): void {
    this.#forget(handover)
    this.ended.undone++
  }

  stop(): void {
    this.#due.stop()
  }

  #await(handover: Handover, to: LinkId): void {
    this.#awaited.delete(handover.to)
    handover.to = to
    handover.hasWaited = false
    this.#awaited.set(to, handover)
    this.#due.set(handover.client, CARRY_MS)
  }

  #end(handover: Handover, how: keyof Handovers['ended']): void {
    this.#forget(handover)
    this.ended[how]++
    this.#close(handover.from, MOVED)
  }

  #forget(handover: Handover): void {
    this.#byClient.delete(handover.client)
    this.#awaited.delete(handover.to)
    this.#due.clear(handover.client)
  }

  #close({ node, link }: Left, reason: string): void {
    this.#options.close(link, reason)
    this.#options.freed(node)
  }
}
