/**
 * Walks a bare machine through a story, running no effect: each step says what happens, where that leaves
 * the machine, and everything it asks of the world.
 *
 *   { when: { type: 'socket.opened' }, then: { greeting: 'listening' } }
 *   { lapse: 'retry', after: 250, then: 'dialing', asks: ['dial'] }      a delay of the machine ends
 */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventFromLogic,
  type ExecutableActionsFrom,
  initialTransition,
  type InputFrom,
  type SnapshotFrom,
  type StateValueFrom,
  transition,
} from 'xstate'
import type { Test } from 'tap'

interface Outcome<M extends AnyStateMachine> {
  readonly then: StateValueFrom<M>
  /** Actions in order; a bare name leaves the params open. Absent: nothing is asked. */
  readonly asks?: readonly Ask[]
}
interface Happening<M extends AnyStateMachine> extends Outcome<M> {
  readonly when: EventFromLogic<M>
}
interface Lapse<M extends AnyStateMachine> extends Outcome<M> {
  /** Name of the delay that ends. */
  readonly lapse: string
  /** How long the machine had asked to wait, ms. */
  readonly after?: number
}
export type Step<M extends AnyStateMachine> = Happening<M> | Lapse<M>
type Ask = string | { readonly type: string; readonly params: unknown }

/** Walks `machine` through `steps`; returns where it ends. `asks` of the initial transition are not looked at. */
export function walk<M extends AnyStateMachine>(
  t: Test,
  machine: M,
  input: InputFrom<M>,
  steps: readonly Step<M>[],
): SnapshotFrom<M> {
  let [snapshot, actions] = initialTransition(machine, input)
  const delays = new Map<string, { event: EventFromLogic<M>; ms: number }>()
  note(delays, actions)
  for (const [i, step] of steps.entries()) {
    const title = `step ${i}: ${'when' in step ? step.when.type : `lapse of ${step.lapse}`}`
    const event = 'when' in step ? step.when : lapsed(t, delays, step, title)
    ;[snapshot, actions] = transition(machine, snapshot, event)
    note(delays, actions)
    const { then, asks = [] } = step
    t.same((snapshot as AnyMachineSnapshot).value, then, title)
    const asked = actions.filter(action => !action.type.startsWith('xstate.'))
    t.strictSame(
      asked.map(action => action.type),
      asks.map(ask => (typeof ask === 'string' ? ask : ask.type)),
      `${title}: asks`,
    )
    for (const [n, ask] of asks.entries()) {
      if (typeof ask !== 'string') t.match(asked[n]?.params, ask.params as object, `${title}: ${ask.type}`)
    }
  }
  return snapshot as SnapshotFrom<M>
}

type Delays<M extends AnyStateMachine> = Map<string, { event: EventFromLogic<M>; ms: number }>

/** Keeps account of the delays that the machine has begun and given up. */
function note<M extends AnyStateMachine>(
  delays: Delays<M>,
  actions: readonly ExecutableActionsFrom<M>[],
): void {
  for (const { type, params } of actions as readonly { type: string; params: unknown }[]) {
    if (type === 'xstate.cancel') delays.delete((params as { sendId: string }).sendId)
    if (type !== 'xstate.raise') continue
    const { id, delay, event } = params as { id: string; delay: number; event: EventFromLogic<M> }
    delays.set(id, { event, ms: delay })
  }
}

function lapsed<M extends AnyStateMachine>(
  t: Test,
  delays: Delays<M>,
  { lapse, after }: Lapse<M>,
  title: string,
): EventFromLogic<M> {
  const id = [...delays.keys()].find(key => key.startsWith(`xstate.after.${lapse}.`))
  const delay = id === undefined ? undefined : delays.get(id)
  if (id === undefined || delay === undefined) throw new Error(`${title}: no such delay is running`)
  delays.delete(id)
  if (after !== undefined) t.equal(delay.ms, after, `${title}: waited`)
  return delay.event
}
