/** Actors that share a machine: sessions, and the probes of NATs. */
import type { AnyStateMachine } from 'xstate'
import type { ActorKind, ActorRow, ActorView } from '../ports.js'
import type { Observed, Standing } from '../shared-machine.js'
import { plain } from './plain.js'
import { stateText } from './state-text.js'
import { statechartOf } from './statechart.js'
import type { ActorSource, Told } from './tap.js'

export interface SharedSourceOptions<One> {
  readonly kind: ActorKind
  readonly machine: AnyStateMachine
  /** Tells every step of every one of them to `hear`; null: nobody listens. */
  readonly observe: (hear: ((observed: Observed<One>) => void) | null) => void
  readonly each: () => Iterable<One>
  readonly one: (name: string) => One | undefined
  readonly nameOf: (one: One) => string
  readonly row: (one: One) => Pick<ActorRow, 'parent' | 'country' | 'about'>
  readonly context: (one: One) => unknown
  readonly unreadBytes?: (one: One) => number | null
  readonly timers: (one: One) => ActorView['timers']
  readonly neighbours: (one: One) => ActorView['neighbours']
  /** What else there is to hear of one, such as its messages; returns what ends that. */
  readonly listen?: (one: One, hear: (step: Told) => void) => () => void
}

/** Returns the source of these actors. Only while one of them is watched does the machine tell of its steps. */
export function sharedSource<One extends { readonly standing: Standing }>(
  options: SharedSourceOptions<One>,
): ActorSource {
  const { kind, machine, each, one, nameOf, observe } = options
  const hearers = new Map<string, (step: Told) => void>()
  const rowOf = (each: One): ActorRow => ({
    id: `${kind}/${nameOf(each)}`,
    kind,
    state: stateText(each.standing.value),
    reason: null,
    ...options.row(each),
  })
  const hear = ({ one: actor, event: { type, ...data }, from, to, actions }: Observed<One>) =>
    hearers.get(nameOf(actor))?.({
      kind: 'step',
      event: type,
      data: plain(data),
      from: stateText(from.value),
      to: stateText(to.value),
      moved: from !== to,
      actions,
    })
  return {
    kind,
    statechart: statechartOf(machine),
    *rows() {
      for (const actor of each()) yield rowOf(actor)
    },
    row(name) {
      const actor = one(name)
      return actor === undefined ? null : rowOf(actor)
    },
    detail(name) {
      const actor = one(name)
      if (actor === undefined)
        return { context: null, value: null, unreadBytes: null, timers: [], neighbours: [] }
      return {
        context: plain(options.context(actor)),
        value: plain(actor.standing.value),
        unreadBytes: options.unreadBytes?.(actor) ?? null,
        timers: options.timers(actor),
        neighbours: options.neighbours(actor),
      }
    },
    attach(name, tell) {
      const actor = one(name)
      hearers.set(name, tell)
      observe(hear)
      const stopListening = actor === undefined ? undefined : options.listen?.(actor, tell)
      return () => {
        stopListening?.()
        hearers.delete(name)
        if (hearers.size === 0) observe(null)
      }
    },
  }
}
