/**
 * All drains: one actor for each node that is drained, found by the node's id, so that a drain outlasts the node's
 * session. Keeps who has asked for it: a node that is about to go, the operator, or both.
 *
 *   asked by      ends when                                         and is kept over
 *   the node      it is gone, registers anew, or says so            reconnects
 *   the operator  the operator says so                              whatever the node does, and our restart
 */
import { createActor, fromTransition } from 'xstate'
import type { WireOf } from '../../protocol/messages.js'
import type { DrainView, IdentityId } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { Changes } from '../snapshot/snapshots.js'
import type { Steerings } from '../steering/steerings.js'
import { drainEffects, type DrainEffects, type DrainEffectsOptions } from './drain.effects.js'
import { type Drain, type DrainedBy, viewOf } from './drain.js'
import type { DrainEvent } from './drain.machine.js'
import { Round } from './round.js'

export interface DrainsOptions extends Omit<DrainEffectsOptions, 'drainOf' | 'tell'> {
  /** Where the operator's drains are kept. */
  readonly steerings: Steerings
  readonly changes: Pick<Changes, 'audit'>
  /** Our own fault: the drain was ended, and the node is given routes again. */
  readonly failed: (nodeId: IdentityId, error: unknown) => void
  readonly info: (fields: object, message: string) => void
}

/** After a restart a drain has at least this long, ms: sessions come back first, and then their routes move. */
const RESTORED_MS = 30_000
const NOT_DRAINED = { drained: false, drainedUntilMs: null } as const

export class Drains {
  readonly #options: DrainsOptions
  readonly #root = createActor(fromTransition((state: null) => state, null)).start()
  readonly #drains = new Map<IdentityId, Drain>()
  readonly #effects: DrainEffects

  constructor(options: DrainsOptions) {
    this.#options = options
    this.#effects = drainEffects({
      ...options,
      drainOf: id => this.#drains.get(id),
      tell: (drain, event) => this.#tell(drain, event),
    })
    options.steerings.onChange((id, { drained }) => this.#steered(id, drained, null))
  }

  /** Goes on with what the operator has asked of an earlier process. */
  restore(): void {
    const nowMs = this.#options.clock.wallMs()
    for (const [id, { drained, drainedUntilMs: untilMs }] of this.#options.steerings)
      this.#steered(id, drained, untilMs === null ? null : Math.max(RESTORED_MS, untilMs - nowMs))
  }

  /** Returns whether the node is given no routes because it is drained. */
  holds(id: IdentityId): boolean {
    return this.#drains.has(id)
  }

  views(): readonly DrainView[] {
    return [...this.#drains.values()].map(drain => this.#viewOf(drain))
  }

  /** Drains the node for the operator; `withinMs` null: until it is empty. Another time changes the deadline. */
  ask(id: IdentityId, withinMs: number | null, actor: string): DrainView {
    this.#audit('node.drained', id, actor, { withinMs })
    const drain = this.#ask(id, 'operator', withinMs)
    const drainedUntilMs = withinMs === null ? null : this.#options.clock.wallMs() + withinMs
    this.#options.steerings.set(id, { drained: true, drainedUntilMs })
    return this.#viewOf(drain)
  }

  /** The operator wants the node back. `by_node`: it asked to be drained itself, and still is. */
  cancel(id: IdentityId, actor: string): 'cancelled' | 'not_drained' | 'by_node' {
    const drain = this.#drains.get(id)
    if (drain === undefined) return 'not_drained'
    if (!drain.asks.has('operator')) return 'by_node'
    this.#audit('node.undrained', id, actor, {})
    this.#options.steerings.set(id, NOT_DRAINED)
    return this.holds(id) ? 'by_node' : 'cancelled'
  }

  /** A node says that it is about to go, or that it stays after all. */
  requested({ identity: { id } }: Cell, { withinMs, cancel, reason }: WireOf<'drain.request'>): void {
    const drain = this.#drains.get(id)
    const asked = drain?.asks.has('node') === true
    if (cancel !== true) {
      if (!asked) this.#audit('node.drained', id, id, { withinMs: withinMs ?? null, reason })
      this.#ask(id, 'node', withinMs ?? null)
    } else if (drain !== undefined && asked) {
      this.#audit('node.undrained', id, id, { reason })
      this.#withdraw(drain, 'node')
    }
  }

  /** A session came to stand: a node that registers has begun afresh, one that resumes goes on as it was. */
  greeted(cell: Cell, by: 'register' | 'resume'): void {
    const drain = this.#drains.get(cell.identity.id)
    if (drain === undefined) return
    if (by === 'resume' || !drain.asks.has('node')) return this.#goOn(drain)
    this.#withdraw(drain, 'node')
  }

  /** A node is gone for good. */
  left({ identity: { id } }: Cell): void {
    const drain = this.#drains.get(id)
    if (drain?.asks.has('node') === true) this.#withdraw(drain, 'node')
  }

  [Symbol.iterator](): Iterator<Drain> {
    return this.#drains.values()
  }

  of(id: IdentityId): Drain | undefined {
    return this.#drains.get(id)
  }

  stop(): void {
    this.#effects.stop()
    this.#drains.clear()
    this.#root.stop()
  }

  /** The operator's drains are as the steerings say. */
  #steered(id: IdentityId, drained: boolean, withinMs: number | null): void {
    const drain = this.#drains.get(id)
    if (drained && drain?.asks.has('operator') !== true) this.#ask(id, 'operator', withinMs)
    else if (!drained && drain?.asks.has('operator') === true) this.#withdraw(drain, 'operator')
  }

  #ask(id: IdentityId, by: DrainedBy, withinMs: number | null): Drain {
    const { clock, info } = this.#options
    const ask = { untilMs: withinMs === null ? null : clock.now() + withinMs }
    info({ id, by, withinMs }, 'a node is drained')
    const known = this.#drains.get(id)
    if (known !== undefined) {
      known.asks.set(by, ask)
      this.#goOn(known)
      return known
    }
    const drain = this.#newDrain(id, new Map([[by, ask]]))
    this.#hold(drain)
    drain.actor.start()
    return drain
  }

  #newDrain(nodeId: IdentityId, asks: Drain['asks']): Drain {
    const { clock } = this.#options
    const drain: Drain = {
      nodeId,
      actor: createActor(this.#effects.logic, { parent: this.#root, id: 'drain', input: { nodeId } }),
      asks,
      startedAtMs: clock.wallMs(),
      moved: 0,
      ended: 0,
      round: new Round([], null, clock.now()),
      gone: new WeakSet(),
      left: 0,
      told: null,
    }
    this.#drains.set(nodeId, drain)
    return drain
  }

  /** One party asks no more; when it was the last one, the drain ends. */
  #withdraw(drain: Drain, by: DrainedBy): void {
    if (drain.asks.size > 1) {
      drain.asks.delete(by)
      return this.#goOn(drain)
    }
    this.#tell(drain, { type: 'cancelled' })
    this.#drains.delete(drain.nodeId)
    this.#options.info({ id: drain.nodeId, by }, 'a node is drained no more')
  }

  /** Begins anew: the deadline is another one, or the node is here again. */
  #goOn(drain: Drain): void {
    this.#hold(drain)
    drain.told = null
    this.#tell(drain, { type: 'asked' })
  }

  /** Keeps the node from new routes. */
  #hold({ nodeId }: Drain): void {
    const { fleet, cellOf, deliver } = this.#options
    const cell = cellOf(nodeId)
    if (cell === undefined) return
    fleet.leave(cell, true)
    deliver(cell, { type: 'asked.to.leave' })
  }

  /** Sends an event to a drain; one that throws at it ends alone. */
  #tell(drain: Drain, event: DrainEvent): void {
    drain.actor.send(event)
    const snapshot = drain.actor.getSnapshot()
    if (snapshot.status !== 'error') return
    const { nodeId, asks } = drain
    this.#drains.delete(nodeId)
    if (asks.has('operator')) this.#options.steerings.set(nodeId, NOT_DRAINED)
    this.#effects.readmit(drain)
    this.#options.failed(nodeId, snapshot.error)
  }

  #viewOf(drain: Drain): DrainView {
    const { clock, cellOf } = this.#options
    return viewOf(drain, cellOf(drain.nodeId), clock.now())
  }

  #audit(kind: string, subject: IdentityId, actor: string, detail: Readonly<Record<string, unknown>>): void {
    this.#options.changes.audit({ kind, actor, subject, detail })
  }
}
