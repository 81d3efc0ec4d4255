/**
 * One machine for many things that live by it. XState decides every step of every one of them; what each keeps is only
 * where it stands: a snapshot that it shares with all others in the same state. An actor each would keep closures,
 * sets, a mailbox and a snapshot of its own, 2 KB for every one.
 *
 *     standing, and the one itself as context ─ event ─→ machine.transition ─→ actions performed, the next standing
 */
import type { AnyActorRef, AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate'

/** A snapshot of the machine without anyone's context. */
export type Standing = AnyMachineSnapshot

export interface SharedMachineOptions<One> {
  readonly machine: AnyStateMachine
  /** Stands for all of them in an actor system. */
  readonly root: AnyActorRef
  /** What is gone hears nothing more. */
  readonly isHere: (one: One) => boolean
  /** Writes down where one stands now. */
  readonly move: (one: One, standing: Standing) => void
  /** An action of one threw; it stands where it stood. */
  readonly faulted: (one: One, error: unknown) => void
}

export class SharedMachine<One extends { readonly standing: Standing }, Event extends EventObject> {
  /** Where each begins. The machine asks nothing then. */
  readonly initial: Standing
  readonly #options: SharedMachineOptions<One>
  readonly #scope: AnyActorScope
  /** As many as the machine has states: by their value, spelled out. */
  readonly #standings = new Map<string, Standing>()
  /** Those whose actions are being performed, the innermost last, and what they are told meanwhile. */
  readonly #acting: One[] = []
  readonly #waiting: { readonly one: One; readonly event: Event }[] = []

  constructor(options: SharedMachineOptions<One>) {
    const { machine, root } = options
    this.#options = options
    this.#scope = {
      self: root,
      id: root.id,
      sessionId: root.sessionId,
      system: root.system,
      logger: unwanted,
      defer: unwanted,
      emit: unwanted,
      stopChild: unwanted,
      actionExecutor: action => action.exec?.(action.info, action.params),
    }
    this.initial = this.#shared(machine.getInitialSnapshot(this.#scope, {}))
  }

  /** Performs what `event` asks of one. What its own actions tell it comes after them; others hear at once. */
  deliver(one: One, event: Event): void {
    if (this.#acting.includes(one)) {
      this.#waiting.push({ one, event })
      return
    }
    this.#step(one, event)
    for (let next = this.#told(one); next !== undefined; next = this.#told(one)) this.#step(one, next)
  }

  #step(one: One, event: Event): void {
    const { isHere, move, faulted } = this.#options
    if (!isHere(one)) return
    this.#acting.push(one)
    try {
      const standing = this.#next(one, event)
      if (standing !== one.standing) move(one, standing)
    } catch (error) {
      faulted(one, error)
    } finally {
      this.#acting.pop()
    }
  }

  #next(one: One, event: Event): Standing {
    const own = { ...one.standing, context: one } as Standing // its methods are fields as well
    const next: Standing = this.#options.machine.transition(own, event, this.#scope)
    if (next === own) return one.standing
    if (next.context !== one) throw new TypeError('a shared machine keeps nothing of its own')
    return this.#shared(next)
  }

  #shared(snapshot: Standing): Standing {
    const name = JSON.stringify(snapshot.value)
    const known = this.#standings.get(name)
    if (known !== undefined) return known
    const standing = { ...snapshot, context: {} } as Standing
    this.#standings.set(name, standing)
    return standing
  }

  /** Takes what one was told while it acted, the oldest first. */
  #told(one: One): Event | undefined {
    const i = this.#waiting.findIndex(each => each.one === one)
    return i < 0 ? undefined : this.#waiting.splice(i, 1)[0]?.event
  }
}

/** Children, delays and emitted events belong to an actor. */
function unwanted(): never {
  throw new TypeError('a shared machine has no children, delays or listeners')
}
