/**
 * All paths: one actor each, in one system of their own, found by their link id. Owns the links' entries in
 * the relay table. A path that throws is closed alone, and its route is looked at again.
 */
import { createActor, fromTransition } from 'xstate'
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Random } from '../../kit/random.js'
import { type Agreed, strictest } from '../../mesh/path-policy.js'
import type { Tier, Via } from '../../mesh/upgrade.js'
import type { LinkId, PathTier, RouteId } from '../ports.js'
import type { PolicyOf } from '../coordinator/fleet-node.js'
import type { Cell } from '../session/cell.js'
import type { PathLedger } from './ledger.js'
import {
  across,
  newPath,
  type PathCell,
  type PathReport,
  reasonOf,
  type Side,
  sideOf,
  type Signal,
  tierOf,
  viaOf,
} from './path-cell.js'
import { introduction, settledMessage, tellClosed, tellSettled } from './path-messages.js'
import { type PathEvent, pathMachine } from './path.machine.js'
import type { Account } from './trial.js'
import { type Surroundings, Upgrades } from './upgrades.js'
import type { Whereabouts } from './whereabouts.js'

/** The links' entries: which sessions they join, and whether they carry. */
export interface LinkTable {
  join(a: number, b: number): LinkId
  restore(link: LinkId, a: number, b: number): boolean
  carry(link: LinkId, carrying: boolean): void
  remove(link: LinkId): void
}

export interface PathsOptions extends Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly table: LinkTable
  readonly ledger: PathLedger
  readonly whereabouts: Whereabouts
  readonly policyOf: PolicyOf
  /** How long both ends have to get ready, ms. */
  readonly openMs: number
  /** This end did not get ready, or said that it cannot serve the link; null: the path itself failed. */
  readonly failed: (path: PathCell, end: Cell | null, reason: string) => void
  /** The path carries at both ends; said again whenever it carries another way. */
  readonly carried: (link: LinkId) => void
  readonly faulted: (path: PathCell, error: unknown) => void
}

/** Nobody uses a path on which nothing arrives for this long, ms: longer than WireGuard’s keepalive. */
const IDLE_MS = 30_000

export class Paths {
  readonly #options: PathsOptions
  readonly #root = createActor(fromTransition((state: null) => state, null)).start()
  readonly #paths = new Map<LinkId, PathCell>()
  readonly #opening: Deadlines<LinkId>
  readonly #upgrades: Upgrades
  readonly #logic: typeof pathMachine

  constructor(options: PathsOptions) {
    this.#options = options
    this.#opening = new Deadlines(options.clock, link => this.#expired(link))
    this.#upgrades = new Upgrades({
      ...options,
      deliver: (path, event) => this.#deliver(path, event),
      within: (path, run) => this.#within(path, run),
      tellSettled: (path, tier) => this.#settle(path, tier),
    })
    const withPath =
      <P>(run: (path: PathCell, params: P) => void) =>
      ({ context }: { context: { link: LinkId } }, params: P) => {
        const path = this.#paths.get(context.link)
        if (path !== undefined) run(path, params)
      }
    this.#logic = pathMachine.provide({
      actions: {
        introduce: withPath(path => path.sides.forEach(side => this.#introduce(path, side))),
        awaitEnds: ({ context }) => this.#opening.set(context.link, options.openMs),
        stopAwaiting: ({ context }) => this.#opening.clear(context.link),
        setLane: ({ context }, { open }) => options.table.carry(context.link, open),
        tellSettled: withPath<{ tier: Tier }>((path, { tier }) => this.#settle(path, tier)),
        rest: withPath(path => this.#upgrades.rest(path)),
        punch: withPath<{ via: Via }>((path, { via }) => this.#upgrades.trials.begin(path, via)),
        forgetAttempt: withPath(path => this.#upgrades.trials.forget(path)),
        reportFailure: withPath(path => {
          options.failed(path, lateEndOf(path), 'the end did not get ready in time')
        }),
        tellClosed: withPath<{ reason: string }>((path, { reason }) => this.#end(path, reason)),
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

  /** Returns which end of a path is not set up yet, the node first; null when both are. */
  lateEnd(link: LinkId): Cell | null {
    const path = this.#paths.get(link)
    return path === undefined ? null : lateEndOf(path)
  }

  /** Returns what a path waits for, and until when, monotonic ms. */
  waits(path: PathCell): readonly (readonly [name: string, untilMs: number | null])[] {
    return [['both ends are ready', this.#opening.dueMs(path.link)], ...this.#upgrades.waits(path)]
  }

  /** Whether the client has said that nothing had arrived for a while; one that was not heard yet may be in use. */
  isIdle(link: LinkId): boolean {
    const report = this.#paths.get(link)?.sides[0].report
    return report != null && (report.lastReceivedMs ?? IDLE_MS) >= IDLE_MS
  }

  /** Returns the loss that each client of a node measures on the way to it, %; those that know of none are not in it. */
  lossesTo(node: Cell): readonly number[] {
    return [...(node.links ?? [])].flatMap(link => {
      const path = this.#paths.get(link)
      return path === undefined || path.client.line === null ? [] : (path.sides[0].report?.lossPct ?? [])
    })
  }

  /** Forwards nothing on this link any more; it is still to be closed. The slot of an end may get another session. */
  sever(link: LinkId): void {
    this.#options.table.remove(link)
  }

  /** Brings back a path of an earlier process: it carries at once, as its ends believe. Null when it cannot be. */
  restore(
    link: LinkId,
    route: { routeId: RouteId; client: Cell; node: Cell; exit: boolean },
  ): PathCell | null {
    if (this.#policyOf(route) === null) return null
    if (!this.#options.table.restore(link, route.client.slot, route.node.slot)) return null
    const path = this.#begin(link, route)
    for (const side of path.sides) side.ready = true
    path.mayBeClaimed = true
    this.#upgrades.prepare(path)
    this.#deliver(path, { type: 'restored' })
    this.#note(path)
    return path
  }

  /** One end is ready, with WireGuard at this port of its own; false when the link is not its. */
  ready(link: LinkId, end: Cell, ownPort: number | null = null): boolean {
    return this.#hear(link, end, (path, side) => {
      side.ready = true
      side.ownPort = ownPort
      this.#options.ledger.ready(link, side.name)
      this.#upgrades.ready(path, side)
      const tier = tierOf(path)
      if (tier === 'closed' || !path.sides.every(({ ready }) => ready)) return
      if (tier === 'opening') {
        this.#upgrades.prepare(path)
        this.#deliver(path, { type: 'ends.ready' })
      }
      // An end that set itself up again may not have heard how the path carries; one that claims to know does.
      else if (path.trial?.said.has(end) !== true) end.line?.tell(settledMessage(path, tier))
    })
  }

  /** One end cannot serve the link. */
  declined(link: LinkId, end: Cell, reason: string): boolean {
    return this.#hear(link, end, path => this.#options.failed(path, end, reason))
  }

  /** Keeps what one end says of the path. */
  report(link: LinkId, end: Cell, report: PathReport): boolean {
    return this.#hear(link, end, (_, side) => {
      side.report = report
      this.#options.ledger.reported(link, side.name, report)
    })
  }

  /** One end says where it may be reached. */
  signalled(link: LinkId, end: Cell, signal: Signal): boolean {
    return this.#hear(link, end, (path, side) => this.#upgrades.signalled(path, side, signal))
  }

  /** One end says how an attempt went. */
  attempted(link: LinkId, end: Cell, account: Account): boolean {
    return this.#hear(link, end, (path, side) => this.#upgrades.trials.attempted(path, side, account))
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
      this.#hear(link, end, (path, side) => {
        if (this.#adopt(path, side)) this.#introduce(path, side)
      })
    }
  }

  /** What is known of an end's NAT has changed: its paths are looked at again. */
  natChanged(end: Cell): void {
    for (const link of end.links ?? []) this.#hear(link, end, path => this.#upgrades.natChanged(path))
  }

  /** An end may use other ways than before, or for other reasons: its paths follow in place. */
  policyChanged(end: Cell): void {
    for (const link of end.links ?? []) {
      this.#hear(link, end, (path, side) => {
        const before = path.policy
        if (!this.#adopt(path, side)) return
        if (path.policy === before) this.#upgrades.natChanged(path)
        else this.#introduce(path, side)
      })
    }
  }

  /** Tries anew to take every path of an end off the relay, as if nothing had failed. */
  tryAgain(end: Cell): void {
    for (const link of end.links ?? []) this.#hear(link, end, path => this.#upgrades.startAnew(path))
  }

  stop(): void {
    this.#opening.stop()
    this.#upgrades.stop()
    this.#paths.clear()
    this.#root.stop()
  }

  #begin(link: LinkId, route: { routeId: RouteId; client: Cell; node: Cell; exit: boolean }): PathCell {
    const { client, node } = route
    // Ends whose policies contradict are not joined: route choice has seen to it.
    const policy = this.#policyOf(route) ?? 'relay-only'
    const actor = createActor(this.#logic, { parent: this.#root, id: 'path', input: { link, policy } })
    const path = newPath({ ...route, link, actor, policy, sinceMs: this.#options.clock.wallMs() })
    this.#paths.set(link, path)
    for (const end of [client, node]) (end.links ??= new Set()).add(link)
    const [clientId, nodeId] = [client.identity.id, node.identity.id]
    this.#options.ledger.opened({ link, routeId: route.routeId, clientId, nodeId, policy })
    path.attempts = this.#options.ledger.lastAttempt(link)
    actor.start()
    this.#check(path)
    return path
  }

  /** An end came back and may want something else now; false when the ends' policies contradict. */
  #adopt(path: PathCell, side: Side): boolean {
    const { ledger, failed } = this.#options
    const policy = this.#policyOf(path)
    if (policy === null) {
      failed(path, null, 'one end wants the relay only, the other never')
      return false
    }
    if (policy === path.policy) return true
    path.policy = policy
    const { link, routeId, client, node } = path
    ledger.opened({ link, routeId, clientId: client.identity.id, nodeId: node.identity.id, policy })
    this.#introduce(path, across(path, side))
    this.#upgrades.policyChanged(path)
    this.#deliver(path, { type: 'policy.changed', policy })
    return true
  }

  #policyOf({ client, node }: { readonly client: Cell; readonly node: Cell }): Agreed {
    return strictest([client, node].map(end => this.#options.policyOf(end)))
  }

  #introduce(path: PathCell, side: Side): void {
    side.end.line?.tell(introduction(path, side.end))
    this.#upgrades.introduced(path, side)
  }

  #settle(path: PathCell, tier: Tier): void {
    tellSettled(path, tier)
    this.#note(path, tier)
    if (tier !== 'waiting') this.#options.carried(path.link)
  }

  /** Writes down how the path carries. */
  #note(path: PathCell, tier: PathTier = tierOf(path)): void {
    this.#options.ledger.settled(path.link, { tier, via: viaOf(path, tier), reason: reasonOf(path, tier) })
  }

  #end(path: PathCell, reason: string): void {
    tellClosed(path, reason)
    this.#options.ledger.closed(path.link, reason)
  }

  /** Runs what an end of the link set off; false when it is no end of it. */
  #hear(link: LinkId, end: Cell, run: (path: PathCell, side: Side) => void): boolean {
    const path = this.#paths.get(link)
    const side = path && sideOf(path, end)
    if (path === undefined || side === undefined) return false
    this.#within(path, () => run(path, side))
    return true
  }

  #deliver(path: PathCell, event: PathEvent): void {
    path.actor.send(event)
    this.#check(path)
  }

  #check(path: PathCell): void {
    const snapshot = path.actor.getSnapshot()
    if (snapshot.status === 'error') this.#fault(path, snapshot.error)
  }

  /** Runs what is about one path: what is thrown closes that path alone. */
  #within(path: PathCell, run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#fault(path, error)
    }
  }

  #fault(path: PathCell, error: unknown): void {
    if (this.#paths.get(path.link) !== path) return
    const reason = 'the path failed inside the coordinator'
    this.#options.faulted(path, error)
    this.#end(path, reason)
    this.#free(path.link)
    this.#options.failed(path, null, reason)
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
    this.#upgrades.closed(path)
    this.#options.table.remove(link)
    path.client.links?.delete(link)
    path.node.links?.delete(link)
    this.#paths.delete(link)
  }
}

const lateEndOf = (path: PathCell): Cell | null =>
  [path.node, path.client].find(end => sideOf(path, end)?.ready !== true) ?? null
