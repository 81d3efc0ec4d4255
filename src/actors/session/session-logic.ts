/**
 * One machine for many sessions. XState decides every step of every session; what a session keeps of it is only
 * where it stands: a snapshot that it shares with all sessions in the same state. An actor each would keep
 * closures, sets, a mailbox and a snapshot of its own, 2 KB for every session.
 *
 *     standing + context ─ event ─→ machine.transition ─→ actions performed, the next standing
 */
import type { AnyActorRef, AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate'

/** Where sessions stand: a snapshot of the machine without anyone's context. */
export type Standing = AnyMachineSnapshot

export class SessionLogic<Context extends object> {
  /** Where every session begins. */
  readonly initial: Standing
  readonly #machine: AnyStateMachine
  readonly #scope: AnyActorScope
  /** As many as the machine has states: by their value, spelled out. */
  readonly #standings = new Map<string, Standing>()

  /** `root` stands for the sessions in their actor system. The machine asks nothing when it begins. */
  constructor(machine: AnyStateMachine, root: AnyActorRef) {
    this.#machine = machine
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

  /** Performs what `event` asks for and returns where that leaves the session. Throws what an action throws. */
  step(standing: Standing, context: Context, event: EventObject): Standing {
    const own = { ...standing, context } as Standing // its methods are fields as well
    const next: Standing = this.#machine.transition(own, event, this.#scope)
    if (next === own) return standing
    if (next.context !== context) throw new TypeError('a session’s machine keeps nothing of its own')
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
}

/** Children, delays and emitted events belong to an actor; sessions have none. */
function unwanted(): never {
  throw new TypeError('a session’s machine has no children, delays or listeners')
}
