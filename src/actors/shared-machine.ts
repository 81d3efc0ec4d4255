/**
 * One machine for many things that live by it. XState decides every step; what each of them keeps is only where it stands,
 * which it shares with all others in the same state. An actor each would keep closures, sets, a mailbox and a snapshot of
 * its own, 2 KB for every one.
 *
 *     standing × event ─ known (steps.ts) ─→ its actions performed for the one itself, the next standing
 *                      └ a guard decides ──→ machine.transition, with the one itself as context
 */
import type {
  AnyActorRef,
  AnyActorScope,
  AnyMachineSnapshot,
  AnyStateMachine,
  EventObject,
  StateValue,
} from 'xstate'
import { type OpenAction, Steps } from './steps.js'

/** Where one stands. All in the same state share it. */
export interface Standing {
  readonly value: StateValue
  /** Without anyone's context. */
  readonly snapshot: AnyMachineSnapshot
  /** What follows from here, by type of event; null: a guard decides. */
  readonly steps: Map<string, SharedStep | null>
}

interface SharedStep {
  readonly actions: readonly OpenAction[]
  readonly next: Standing
}

/** A step of one of them, for whoever observes. */
export interface Observed<One> {
  readonly one: One
  readonly event: EventObject
  readonly from: Standing
  readonly to: Standing
  /** Names of the actions that were performed. */
  readonly actions: readonly string[]
}

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
  readonly #steps: Steps
  /** As many as the machine has states: by their value, spelled out. */
  readonly #standings = new Map<string, Standing>()
  /** Those whose actions are being performed, the innermost last, and what they are told meanwhile. */
  readonly #acting: One[] = []
  readonly #waiting: { readonly one: One; readonly event: Event }[] = []
  /** Hears of every step while somebody watches one of them. */
  #observer: ((observed: Observed<One>) => void) | null = null
  /** Names of the actions of a step that XState weighs, as they are performed, and those of the last such step. */
  #performed: string[] = []
  #weighedActions: readonly string[] = []

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
      actionExecutor: action => {
        if (this.#observer !== null) this.#performed.push(action.type)
        action.exec?.(action.info, action.params)
      },
    }
    this.#steps = new Steps(machine)
    this.initial = this.#shared(machine.getInitialSnapshot(this.#scope, {}).value)
  }

  /** Tells every step to `observer` from now on; null: to nobody, which costs nothing. */
  observe(observer: ((observed: Observed<One>) => void) | null): void {
    this.#observer = observer
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
      const from = one.standing
      const standing = this.#next(one, event)
      if (standing !== from) move(one, standing)
      if (this.#observer !== null) this.#tell(this.#observer, one, event, from, standing)
    } catch (error) {
      faulted(one, error)
    } finally {
      this.#acting.pop()
    }
  }

  #tell(
    observer: (observed: Observed<One>) => void,
    one: One,
    event: Event,
    from: Standing,
    to: Standing,
  ): void {
    const known = from.steps.get(event.type)
    const actions = known == null ? this.#weighedActions : known.actions.map(({ type }) => type)
    observer({ one, event, from, to, actions })
  }

  #next(one: One, event: Event): Standing {
    const { steps } = one.standing
    let step = steps.get(event.type)
    if (step === undefined) {
      const found = this.#steps.of(one.standing.value, event.type)
      step = found && { actions: found.actions, next: this.#shared(found.next) }
      steps.set(event.type, step)
    }
    return step === null ? this.#weighed(one, event) : this.#taken(one, event, step)
  }

  #taken(one: One, event: Event, { actions, next }: SharedStep): Standing {
    const { root } = this.#options
    const args = { context: one, event, self: root, system: root.system }
    for (const { exec, params } of actions) exec?.(args, typeof params === 'function' ? params(args) : params)
    return next
  }

  #weighed(one: One, event: Event): Standing {
    const own = { ...one.standing.snapshot, context: one } as AnyMachineSnapshot // its methods are fields as well
    // An action may make another one step, which has actions of its own.
    const outer = this.#performed
    this.#performed = []
    const next: AnyMachineSnapshot = this.#options.machine.transition(own, event, this.#scope)
    this.#weighedActions = this.#performed
    this.#performed = outer
    if (next.context !== one) throw new TypeError('a shared machine keeps nothing of its own')
    return this.#shared(next.value)
  }

  #shared(value: StateValue): Standing {
    const name = JSON.stringify(value)
    let standing = this.#standings.get(name)
    if (standing === undefined) {
      const snapshot = this.#options.machine.resolveState({ value, context: {} })
      standing = { value: snapshot.value, snapshot, steps: new Map() }
      this.#standings.set(name, standing)
    }
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
