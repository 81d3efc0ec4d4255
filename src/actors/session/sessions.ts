/**
 * The session supervisor. All sessions live in one actor system under a root that is no machine; starting and
 * stopping one costs the same whatever their number. Every event to a session goes through `deliver`: a
 * session that throws is closed alone, and its agent reconnects.
 */
import { type AnyStateMachine, createActor, fromTransition } from 'xstate'
import type { Clock } from '../../kit/clock.js'
import { every } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import { USUAL_TERMS } from '../../mesh/terms.js'
import type { ClientEvent } from '../client/client.events.js'
import type { NodeEvent } from '../node/node.events.js'
import type { Identity, IdentityId, Role, SessionId, Slot } from '../ports.js'
import { type Observed, SharedMachine, type Standing } from '../shared-machine.js'
import type { Cell, Line } from './cell.js'

export interface SessionTiming {
  /** Silence after which a session is dimmed, and after which its socket is closed, ms. */
  readonly lapseMs: number
  readonly silenceMs: number
  /** How long a session without a socket may come back, ms. */
  readonly resumeWindowMs: number
}

export type SessionState = 'registering' | 'online' | 'lapsed' | 'suspended'

export interface SessionsOptions {
  readonly clock: Clock
  readonly timing: SessionTiming
  /** When the session was last heard, monotonic ms. */
  readonly heardMs: (slot: Slot) => number
  /** Our event loop stood still for this long. */
  readonly stalled: (lagMs: number) => void
  /** A session threw: the line that carried it is still there to be closed. */
  readonly faulted: (cell: Cell, error: unknown) => void
}

export class Sessions {
  readonly #options: SessionsOptions
  readonly #root = createActor(fromTransition((state: null) => state, null))
  readonly #cells: (Cell | undefined)[] = []
  readonly #free: Slot[] = []
  readonly #byIdentity = new Map<IdentityId, Cell>()
  /** How many sessions of a role stand where: counted as they move, so that a look walks nobody. */
  readonly #census: Readonly<Record<Role, Map<Standing, number>>> = { node: new Map(), client: new Map() }
  readonly #byTicket = new Map<string, Cell>()
  readonly #windows: Deadlines<Cell>
  #machines: Readonly<Record<Role, SharedMachine<Cell, NodeEvent | ClientEvent>>> | null = null
  #stopSweep: (() => void) | null = null
  #sweptMs = 0

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#windows = new Deadlines(options.clock, cell => this.deliver(cell, { type: 'window.closed' }))
  }

  /** Begins to supervise with these machines, their effects provided. */
  start(machines: Readonly<Record<Role, AnyStateMachine>>): void {
    this.#root.start()
    const shared = (machine: AnyStateMachine) =>
      new SharedMachine<Cell, NodeEvent | ClientEvent>({
        machine,
        root: this.#root,
        isHere: cell => this.#cells[cell.slot] === cell,
        move: (cell, standing) => this.#move(cell, standing),
        faulted: (cell, error) => {
          this.#options.faulted(cell, error)
          this.forget(cell)
        },
      })
    this.#machines = { node: shared(machines.node), client: shared(machines.client) }
    const everyMs = Math.max(50, Math.min(1_000, this.#options.timing.lapseMs / 8))
    this.#sweptMs = this.#options.clock.now()
    this.#stopSweep = every(this.#options.clock, everyMs, () => this.#sweep(everyMs))
  }

  stop(): void {
    this.#stopSweep?.()
    this.#windows.stop()
    this.#cells.length = 0
    this.#byIdentity.clear()
    this.#byTicket.clear()
    for (const counts of Object.values(this.#census)) counts.clear()
    this.#root.stop()
  }

  get size(): number {
    return this.#byIdentity.size
  }

  at(slot: Slot): Cell | undefined {
    return this.#cells[slot]
  }

  byIdentity(id: IdentityId): Cell | undefined {
    return this.#byIdentity.get(id)
  }

  byTicket(hash: string): Cell | undefined {
    return this.#byTicket.get(hash)
  }

  *cells(): Generator<Cell> {
    for (const cell of this.#cells) if (cell !== undefined) yield cell
  }

  /** Returns how many sessions of a role are in each state, as `stateOf` names it. */
  census(role: Role): Readonly<Record<SessionState, number>> {
    const counts = { registering: 0, online: 0, lapsed: 0, suspended: 0 }
    for (const [standing, count] of this.#census[role]) {
      const state = nameOf(standing)
      if (state in counts) counts[state as SessionState] += count // just looked
    }
    return counts
  }

  /** Returns a new session of an identity that has none, in state `registering`. */
  begin(options: {
    sessionId: SessionId
    role: Role
    identity: Identity
    startedAtMs: number
    incoming: Line | null
  }): Cell {
    if (this.#machines === null) throw new Error('the sessions have not been started')
    const slot = this.#free.pop() ?? this.#cells.length
    // Written out: spread into, each session's object would get a shape of its own, 1 KB of them.
    const cell: Cell = {
      sessionId: options.sessionId,
      role: options.role,
      identity: options.identity,
      startedAtMs: options.startedAtMs,
      incoming: options.incoming,
      slot,
      terms: USUAL_TERMS,
      standing: this.#machines[options.role].initial,
      line: null,
      ticket: null,
      lostMs: null,
      lapsed: false,
      links: null,
    }
    this.#cells[slot] = cell
    this.#byIdentity.set(options.identity.id, cell)
    this.#count(cell, 1)
    return cell
  }

  /** Sends an event to a session; one that throws at it is closed alone. What its own actions tell it comes after. */
  deliver(cell: Cell, event: NodeEvent | ClientEvent): void {
    this.#machines?.[cell.role].deliver(cell, event)
  }

  /** Tells every step of the sessions of a role; null: to nobody. */
  observe(role: Role, observer: ((observed: Observed<Cell>) => void) | null): void {
    this.#machines?.[role].observe(observer)
  }

  /** Returns until when a session without a socket may come back, monotonic ms; null when it has one. */
  windowEndsMs(cell: Cell): number | null {
    return this.#windows.dueMs(cell)
  }

  /** Returns what the session is doing: `registering`, `online`, `lapsed` or `suspended`. */
  stateOf(cell: Cell): string {
    return nameOf(cell.standing)
  }

  /** Makes `hash` the one ticket that resumes the session; null: none does. */
  setTicket(cell: Cell, hash: string | null): void {
    if (cell.ticket !== null) this.#byTicket.delete(cell.ticket)
    cell.ticket = hash
    if (hash !== null) this.#byTicket.set(hash, cell)
  }

  /** Starts, or starts again, the time in which a session without a socket may come back. */
  openWindow(cell: Cell): void {
    this.#windows.set(cell, this.#options.timing.resumeWindowMs)
  }

  /** Keeps a session that waits for its socket at least this much longer than the usual time, ms. */
  extendWindow(cell: Cell, ms: number): void {
    if (this.#windows.has(cell)) this.#windows.set(cell, this.#options.timing.resumeWindowMs + ms)
  }

  closeWindow(cell: Cell): void {
    this.#windows.clear(cell)
  }

  /** Gives the slot to another session. The actor ends when its machine is done. */
  forget(cell: Cell): void {
    if (this.#cells[cell.slot] !== cell) return
    this.#windows.clear(cell)
    this.setTicket(cell, null)
    if (this.#byIdentity.get(cell.identity.id) === cell) this.#byIdentity.delete(cell.identity.id)
    this.#count(cell, -1)
    this.#cells[cell.slot] = undefined
    this.#free.push(cell.slot)
  }

  /** A session that was forgotten while it acted is counted no more. */
  #move(cell: Cell, standing: Standing): void {
    const counts = this.#cells[cell.slot] === cell
    if (counts) this.#count(cell, -1)
    cell.standing = standing
    if (counts) this.#count(cell, 1)
  }

  #count({ role, standing }: Cell, by: 1 | -1): void {
    this.#census[role].set(standing, (this.#census[role].get(standing) ?? 0) + by)
  }

  #sweep(everyMs: number): void {
    const { clock, timing, heardMs, stalled } = this.#options
    const now = clock.now()
    const lagMs = now - this.#sweptMs - everyMs
    this.#sweptMs = now
    // While we stood still nobody could be heard: that time is forgiven, else a pause of ours would close everyone.
    if (lagMs > everyMs) stalled(lagMs)
    for (const cell of this.#cells) {
      if (cell === undefined || cell.line === null) continue
      const silentMs = now - heardMs(cell.slot)
      if (silentMs > timing.silenceMs) this.deliver(cell, { type: 'fell.silent' })
      else if (silentMs > timing.lapseMs !== cell.lapsed) {
        cell.lapsed = !cell.lapsed
        this.deliver(cell, { type: cell.lapsed ? 'heartbeat.lapsed' : 'heartbeat.returned' })
      }
    }
  }
}

/** Returns the top state's name; one that is online and not heard is `lapsed`. */
function nameOf({ value }: Standing): string {
  if (typeof value === 'string') return value
  const [top, within] = Object.entries(value)[0] ?? ['unknown', {}]
  return (within as { presence?: string }).presence === 'lapsed' ? 'lapsed' : top // both machines have the region
}
