/** Actors that are XState's own: their steps are told by its inspection, which costs nothing while nobody is attached. */
import { type AnyActorRef, type AnyMachineSnapshot, type AnyStateMachine, matchesState } from 'xstate'
import type { ActorKind, ActorView } from '../ports.js'
import { plain } from './plain.js'
import { LateRow, type RowOf, settled } from './row.js'
import { statechartOf } from './statechart.js'
import { stateText } from './state-text.js'
import { type ActorSource, type Told, UNKNOWN } from './tap.js'

export interface XStateSourceOptions<One> {
  readonly kind: ActorKind
  readonly machine: AnyStateMachine
  readonly each: () => Iterable<One>
  readonly one: (name: string) => One | undefined
  /** A kind of which there is one has no names. */
  readonly nameOf: (one: One) => string
  readonly actorOf: (one: One) => AnyActorRef
  /** What a row has beside id, kind and state. */
  readonly row?: Partial<Pick<RowOf<One>, 'parent' | 'country' | 'about' | 'reason'>>
  readonly timers?: (one: One) => ActorView['timers']
  readonly neighbours?: (one: One) => ActorView['neighbours']
}

/** Returns the source of these actors. */
export function xstateSource<One>(options: XStateSourceOptions<One>): ActorSource {
  const { kind, machine, each, one, nameOf, actorOf } = options
  const snapshotOf = (of: One) => actorOf(of).getSnapshot() as AnyMachineSnapshot
  const fields: RowOf<One> = {
    kind,
    id(of) {
      const name = nameOf(of)
      return name === '' ? kind : `${kind}/${name}`
    },
    state: of => stateText(snapshotOf(of).value),
    parent: () => 'server',
    country: () => null,
    about: () => null,
    reason: () => null,
    ...options.row,
  }
  return {
    kind,
    statechart: statechartOf(machine),
    *rows() {
      for (const of of each()) yield new LateRow(fields, of)
    },
    row(name) {
      const of = one(name)
      return of === undefined ? null : settled(new LateRow(fields, of))
    },
    detail(name) {
      const of = one(name)
      if (of === undefined) return UNKNOWN
      const { context, value } = snapshotOf(of)
      return {
        context: plain(context),
        value: plain(value),
        unreadBytes: null,
        timers: options.timers?.(of) ?? [],
        neighbours: options.neighbours?.(of) ?? [],
      }
    },
    attach(name, hear) {
      const of = one(name)
      return of === undefined ? () => {} : inspected(actorOf(of), hear)
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
