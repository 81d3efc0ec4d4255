/** Actors that are XState's own: their steps are told by its inspection, which costs nothing while nobody is attached. */
import { type AnyActorRef, type AnyMachineSnapshot, type AnyStateMachine, matchesState } from 'xstate'
import type { ActorKind, ActorRow, ActorView } from '../ports.js'
import { plain } from './plain.js'
import { statechartOf } from './statechart.js'
import { stateText } from './state-text.js'
import type { ActorSource, Told } from './tap.js'

export interface XStateSourceOptions {
  readonly kind: ActorKind
  readonly machine: AnyStateMachine
  /** Name and actor of each; a kind of which there is one has no names. */
  readonly actors: () => Iterable<readonly [name: string, actor: AnyActorRef]>
  readonly one: (name: string) => AnyActorRef | undefined
  /** What a row has beside id, kind and state. */
  readonly row?: (name: string) => Partial<ActorRow>
  readonly timers?: (name: string) => ActorView['timers']
  readonly neighbours?: (name: string) => readonly string[]
}

/** Returns the source of these actors. */
export function xstateSource(options: XStateSourceOptions): ActorSource {
  const { kind, machine, actors, one } = options
  const rowOf = (name: string, actor: AnyActorRef): ActorRow => ({
    id: name === '' ? kind : `${kind}/${name}`,
    kind,
    state: stateText((actor.getSnapshot() as AnyMachineSnapshot).value),
    parent: 'server',
    country: null,
    about: null,
    reason: null,
    ...options.row?.(name),
  })
  return {
    kind,
    statechart: statechartOf(machine),
    *rows() {
      for (const [name, actor] of actors()) yield rowOf(name, actor)
    },
    row(name) {
      const actor = one(name)
      return actor === undefined ? null : rowOf(name, actor)
    },
    detail: name => ({
      context: plain((one(name)?.getSnapshot() as AnyMachineSnapshot | undefined)?.context),
      value: plain((one(name)?.getSnapshot() as AnyMachineSnapshot | undefined)?.value),
      unreadBytes: null,
      timers: options.timers?.(name) ?? [],
      neighbours: options.neighbours?.(name) ?? [],
    }),
    attach(name, hear) {
      const actor = one(name)
      return actor === undefined ? () => {} : inspected(actor, hear)
    },
  }
}

/** Tells each step of one actor: the event, the states around it, and the names of the actions. */
function inspected(actor: AnyActorRef, hear: (step: Told) => void): () => void {
  let before = (actor.getSnapshot() as AnyMachineSnapshot).value
  let actions: string[] = []
  const subscription = actor.system.inspect(inspection => {
    if (inspection.actorRef !== actor) return
    if (inspection.type === '@xstate.action') actions.push(inspection.action.type)
    if (inspection.type !== '@xstate.snapshot') return
    const { value } = inspection.snapshot as AnyMachineSnapshot
    const { type, ...data } = inspection.event
    hear({
      kind: 'step',
      event: type,
      data: plain(data),
      from: stateText(before),
      to: stateText(value),
      moved: !(matchesState(before, value) && matchesState(value, before)),
      actions,
    })
    before = value
    actions = []
  })
  return () => subscription.unsubscribe()
}
