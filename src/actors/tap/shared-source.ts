/** Actors that share a machine: sessions, and the probes of NATs. */
import type { AnyStateMachine } from 'xstate'
import type { ActorKind, ActorView } from '../ports.js'
import type { Observed, Standing } from '../shared-machine.js'
import { plain } from './plain.js'
import { LateRow, type RowOf, settled } from './row.js'
import { stateText } from './state-text.js'
import { statechartOf } from './statechart.js'
import { type ActorSource, type Told, UNKNOWN } from './tap.js'

export interface SharedSourceOptions<One> {
  readonly kind: ActorKind
  readonly machine: AnyStateMachine
  /** Tells every step of every one of them to `hear`; null: nobody listens. */
  readonly observe: (hear: ((observed: Observed<One>) => void) | null) => void
  readonly each: () => Iterable<One>
  readonly one: (name: string) => One | undefined
  readonly nameOf: (one: One) => string
  readonly row: Pick<RowOf<One>, 'parent' | 'country' | 'about'>
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
  const texts = new WeakMap<Standing, string>()
  const textOf = (standing: Standing): string => {
    let text = texts.get(standing)
    if (text === undefined) texts.set(standing, (text = stateText(standing.value)))
    return text
  }
  const fields: RowOf<One> = {
    kind,
    id: actor => `${kind}/${nameOf(actor)}`,
    state: ({ standing }) => textOf(standing),
    reason: () => null,
    ...options.row,
  }
  const hear = ({ one: actor, event: { type, ...data }, from, to, actions }: Observed<One>) =>
    hearers.get(nameOf(actor))?.({
      kind: 'step',
      event: type,
      data: plain(data),
      from: textOf(from),
      to: textOf(to),
      moved: from !== to,
      actions,
    })
  return {
    kind,
    statechart: statechartOf(machine),
    *rows() {
      for (const actor of each()) yield new LateRow(fields, actor)
    },
    row(name) {
      const actor = one(name)
      return actor === undefined ? null : settled(new LateRow(fields, actor))
    },
    detail(name) {
      const actor = one(name)
      if (actor === undefined) return UNKNOWN
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
