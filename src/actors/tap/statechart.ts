/** A machine's statechart as data, for whoever draws it. */
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import type { Statechart, StatechartState } from '../ports.js'

/** Returns the statechart of a machine; states are named by their way from its root, as `carried.tier.direct`. */
export const statechartOf = (machine: AnyStateMachine): Statechart => ({
  id: machine.id,
  root: stateOf(machine.root),
})

function stateOf(node: AnyStateNode): StatechartState {
  return {
    key: node.key,
    path: pathOf(node),
    type: node.type,
    initial: node.initial?.target[0] === undefined ? null : pathOf(node.initial.target[0]),
    entry: namesOf(node.entry),
    exit: namesOf(node.exit),
    on: [...node.transitions.values()].flat().map(({ eventType, target, guard, actions }) => ({
      event: eventType,
      targets: (target ?? []).map(pathOf),
      guard: namesOf([guard])[0] ?? null,
      actions: namesOf(actions),
    })),
    states: Object.values(node.states).map(stateOf),
  }
}

const pathOf = (node: AnyStateNode): string => node.path.join('.')

/** Actions and guards have a name, or are an object with one; what has none is the library's own. */
const namesOf = (parts: readonly unknown[]): readonly string[] =>
  parts.flatMap(part => {
    if (typeof part === 'string') return [part]
    const type: unknown = part !== null && typeof part === 'object' && 'type' in part ? part.type : undefined
    return typeof type === 'string' ? [type] : []
  })
