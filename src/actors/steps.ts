/**
 * What a machine does at an event, asked of XState once and known from then on.
 *
 *     a state × a type of event ─→ the actions in their order ─→ the next state
 *
 * Nothing else can matter where no guard is looked at: what the event carries goes into the actions' params, which are
 * left open here and filled in each time. Where a guard is looked at, nothing is known.
 */
import { type AnyStateMachine, createMachine, type EventObject, type StateValue, transition } from 'xstate'

interface Step {
  readonly actions: readonly OpenAction[]
  readonly next: StateValue
}

/** An action whose params, where they are a function, are still to be taken from the event. */
export interface OpenAction {
  readonly type: string
  readonly exec: ((args: ActionArgs, params: unknown) => void) | undefined
  readonly params: unknown
}

interface ActionArgs {
  readonly context: unknown
  readonly event: EventObject
  readonly self: unknown
  readonly system: unknown
}

/** Nobody's. */
const CONTEXT = {}

export class Steps {
  readonly #machine: AnyStateMachine
  /** A guard was looked at. */
  #weighed = false

  constructor(machine: AnyStateMachine) {
    this.#machine = createMachine(this.#opened(machine.config) as object, machine.implementations) // the same, opened
  }

  /** Returns what the machine does, or null when that depends on more than the event's type. */
  of(value: StateValue, type: string): Step | null {
    this.#weighed = false
    const here = this.#machine.resolveState({ value, context: CONTEXT })
    const [next, actions] = transition(this.#machine, here, { type })
    // The library's own actions, such as `assign`, look at more than that.
    const isKnown = !this.#weighed && next.context === CONTEXT && !actions.some(isBuiltIn)
    return isKnown ? { actions: actions as unknown as OpenAction[], next: next.value } : null // of ours
  }

  /** Returns the config with guards that tell when they are asked, and params that stay functions. */
  #opened(config: unknown): unknown {
    if (Array.isArray(config)) return config.map(each => this.#opened(each))
    if (config === null || typeof config !== 'object') return config
    return Object.fromEntries(
      Object.entries(config).map(([key, value]) => {
        if (key === 'guard') return [key, () => !(this.#weighed = true)]
        if (key === 'params') return [key, typeof value === 'function' ? () => value : value]
        return [key, this.#opened(value)]
      }),
    )
  }
}

const isBuiltIn = ({ type }: { readonly type: string }): boolean => type.startsWith('xstate.')
