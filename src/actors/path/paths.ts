/**
 * All paths: one actor each, in one system of their own, found by their link id. Owns the links' entries in
 * the relay table. A path that throws is closed alone, and its route is looked at again.
 */
import { type Actor, createActor, fromTransition } from 'xstate'
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { WireOf } from '../../protocol/messages.js'
import type { LinkId, PathEndName, RouteId } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { PathLedger } from './ledger.js'
import { type PathEvent, pathMachine } from './path.machine.js'

export interface PathCell {
  readonly link: LinkId
  readonly routeId: RouteId
  readonly client: Cell
  readonly node: Cell
  /** The client sends all its traffic through the node. */
  readonly exit: boolean
  readonly actor: Actor<typeof pathMachine>
  /** Which ends have said that they are ready. */
  readonly ready: Set<Cell>
  readonly sinceMs: number
  /** What each end last said of it. */
  readonly reports: Map<Cell, PathReport>
}

/** A path as its end sees it. */
export type PathReport = Omit<WireOf<'path.report'>, 'type' | 'link'>

/** The links' entries: which sessions they join, and whether they carry. */
export interface LinkTable {
  join(a: number, b: number): LinkId
  restore(link: LinkId, a: number, b: number): boolean
  carry(link: LinkId, carrying: boolean): void
  remove(link: LinkId): void
}

export interface PathsOptions {
  readonly clock: Clock
  readonly table: LinkTable
  readonly ledger: PathLedger
  /** How long both ends have to get ready, ms. */
  readonly openMs: number
  /** This end did not get ready, or said that it cannot serve the link; null: the path itself failed. */
  readonly failed: (path: PathCell, end: Cell | null, reason: string) => void
  readonly faulted: (path: PathCell, error: unknown) => void
}

/** Keeps a client's NAT mapping and WireGuard session warm once the path is direct, s; off at the node. */
const CLIENT_KEEPALIVE_S = 25

export class Paths {
  readonly #options: PathsOptions
  readonly #root = createActor(fromTransition((state: null) => state, null)).start()
  readonly #paths = new Map<LinkId, PathCell>()
  readonly #opening: Deadlines<LinkId>
  readonly #logic: typeof pathMachine

  constructor(options: PathsOptions) {
    this.#options = options
    this.#opening = new Deadlines(options.clock, link => this.#expired(link))
    const at = (context: { link: LinkId }) => this.#paths.get(context.link)
    this.#logic = pathMachine.provide({
      actions: {
        introduce: ({ context }) => {
          const path = at(context)
          if (path === undefined) return
          path.client.line?.tell(introduction(path, path.client))
          path.node.line?.tell(introduction(path, path.node))
        },
        awaitEnds: ({ context }) => this.#opening.set(context.link, options.openMs),
        stopAwaiting: ({ context }) => this.#opening.clear(context.link),
        openLane: ({ context }) => options.table.carry(context.link, true),
        closeLane: ({ context }) => options.table.carry(context.link, false),
        tellSettled: ({ context }, { tier }) => {
          options.ledger.settled(context.link, settling(tier))
          const message = { type: 'path.settled', link: context.link, tier } as const
          at(context)?.client.line?.tell(message)
          at(context)?.node.line?.tell(message)
        },
        reportFailure: ({ context }) => {
          const path = at(context)
          if (path === undefined) return
          const late = [path.node, path.client].find(end => !path.ready.has(end)) ?? null
          options.failed(path, late, 'the end did not get ready in time')
        },
        tellClosed: ({ context }, { reason }) => {
          options.ledger.closed(context.link, reason)
          const message = { type: 'path.closed', link: context.link, reason } as const
          at(context)?.client.line?.tell(message)
          at(context)?.node.line?.tell(message)
        },
        free: ({ context }) => this.#free(context.link),
      },
    })
  }

  get size(): number {
    return this.#paths.size
  }

  at(link: LinkId): PathCell | undefined {
    return this.#paths.get(link)
  }

  *[Symbol.iterator](): Generator<PathCell> {
    yield* this.#paths.values()
  }

  /** Opens a path; both ends are told. */
  open(route: { routeId: RouteId; client: Cell; node: Cell; exit: boolean }): PathCell {
    const link = this.#options.table.join(route.client.slot, route.node.slot)
    return this.#begin(link, route)
  }

  /** Brings back a path of an earlier process: it carries at once, as its ends believe. Null when the link is taken. */
  restore(
    link: LinkId,
    route: { routeId: RouteId; client: Cell; node: Cell; exit: boolean },
  ): PathCell | null {
    if (!this.#options.table.restore(link, route.client.slot, route.node.slot)) return null
    const path = this.#begin(link, route)
    path.ready.add(path.client).add(path.node)
    this.#deliver(path, { type: 'restored' })
    this.#options.ledger.settled(link, settling('relayed'))
    return path
  }

  /** One end is ready; false when the link is not its. */
  ready(link: LinkId, end: Cell): boolean {
    const path = this.#paths.get(link)
    if (path === undefined || (path.client !== end && path.node !== end)) return false
    path.ready.add(end)
    this.#options.ledger.ready(link, nameOf(path, end))
    if (path.ready.size < 2) return true
    const tier = this.tierOf(path)
    if (tier === 'opening') this.#deliver(path, { type: 'ends.ready' })
    // An end that set itself up again may not have heard how the path carries.
    else if (tier !== 'closed') end.line?.tell({ type: 'path.settled', link, tier })
    return true
  }

  /** One end cannot serve the link. */
  declined(link: LinkId, end: Cell, reason: string): boolean {
    const path = this.#paths.get(link)
    if (path === undefined || (path.client !== end && path.node !== end)) return false
    this.#options.failed(path, end, reason)
    return true
  }

  /** Keeps what one end says of the path. */
  report(link: LinkId, end: Cell, report: PathReport): void {
    const path = this.#paths.get(link)
    if (path === undefined || (path.client !== end && path.node !== end)) return
    this.#options.ledger.reported(link, nameOf(path, end), report)
    const { rttMs, sentBytes, receivedBytes, lastReceivedMs } = report
    path.reports.set(end, {
      sentBytes,
      receivedBytes,
      ...(rttMs !== undefined && { rttMs }),
      ...(lastReceivedMs !== undefined && { lastReceivedMs }),
    })
  }

  close(link: LinkId, reason: string): void {
    this.tell(link, { type: 'released', reason })
  }

  /** Sends an event to a path; one that throws at it is closed alone. */
  tell(link: LinkId, event: PathEvent): void {
    const path = this.#paths.get(link)
    if (path !== undefined) this.#deliver(path, event)
  }

  /** Tells a session that came back of every link it is an end of. */
  introduceAll(end: Cell): void {
    for (const link of end.links ?? []) {
      const path = this.#paths.get(link)
      if (path !== undefined) end.line?.tell(introduction(path, end))
    }
  }

  /** Returns the path's tier, or `opening`. */
  tierOf(path: PathCell): 'opening' | 'relayed' | 'turned' | 'direct' | 'closed' {
    const { value } = path.actor.getSnapshot()
    return (typeof value === 'string' ? value : Object.keys(value)[0]) as ReturnType<Paths['tierOf']> // the machine's top states
  }

  stop(): void {
    this.#opening.stop()
    this.#paths.clear()
    this.#root.stop()
  }

  #begin(link: LinkId, route: { routeId: RouteId; client: Cell; node: Cell; exit: boolean }): PathCell {
    const actor = createActor(this.#logic, { parent: this.#root, id: 'path', input: { link } })
    const path: PathCell = {
      ...route,
      link,
      actor,
      ready: new Set(),
      reports: new Map(),
      sinceMs: this.#options.clock.wallMs(),
    }
    this.#paths.set(link, path)
    for (const end of [path.client, path.node]) (end.links ??= new Set()).add(link)
    const [clientId, nodeId] = [route.client.identity.id, route.node.identity.id]
    this.#options.ledger.opened({ link, routeId: route.routeId, clientId, nodeId, policy: 'auto' })
    actor.start()
    this.#check(path)
    return path
  }

  #deliver(path: PathCell, event: PathEvent): void {
    path.actor.send(event)
    this.#check(path)
  }

  #check(path: PathCell): void {
    const snapshot = path.actor.getSnapshot()
    if (snapshot.status !== 'error' || this.#paths.get(path.link) !== path) return
    this.#options.faulted(path, snapshot.error)
    const message = {
      type: 'path.closed',
      link: path.link,
      reason: 'the path failed inside the coordinator',
    } as const
    path.client.line?.tell(message)
    path.node.line?.tell(message)
    this.#options.ledger.closed(path.link, message.reason)
    this.#free(path.link)
    this.#options.failed(path, null, message.reason)
  }

  #expired(link: LinkId): void {
    const path = this.#paths.get(link)
    if (path === undefined) return
    // An end without a socket cannot answer; its own window decides about it.
    if (path.client.line === null || path.node.line === null)
      return this.#opening.set(link, this.#options.openMs)
    this.#deliver(path, { type: 'open.expired' })
  }

  #free(link: LinkId): void {
    const path = this.#paths.get(link)
    if (path === undefined) return
    this.#opening.clear(link)
    this.#options.table.remove(link)
    path.client.links?.delete(link)
    path.node.links?.delete(link)
    this.#paths.delete(link)
  }
}

const nameOf = (path: PathCell, end: Cell): PathEndName => (end === path.client ? 'client' : 'node')

/** Every path rests on the relay until something leads away from it. */
const settling = (tier: 'relayed' | 'turned' | 'direct') =>
  ({
    tier,
    via: tier === 'relayed' ? 'websocket' : 'udp',
    reason: tier === 'direct' ? null : 'starting',
  }) as const

/** Returns `path.open` for one end: the other end’s key and addresses, as its WireGuard peer entry needs them. */
function introduction(path: PathCell, end: Cell): WireOf<'path.open'> {
  const toClient = end === path.client
  const { id, publicKey, overlay4, overlay6 } = (toClient ? path.node : path.client).identity
  const own = [`${overlay4}/32`, `${overlay6}/128`]
  return {
    type: 'path.open',
    link: path.link,
    routeId: path.routeId,
    peerId: id,
    peerKey: publicKey,
    peerOverlay4: `${overlay4}/32`,
    peerOverlay6: `${overlay6}/128`,
    allowedIps: toClient && path.exit ? ['0.0.0.0/0', '::/0'] : own,
    keepaliveS: toClient ? CLIENT_KEEPALIVE_S : 0,
  }
}
