/** What the inspector tells on the metrics page. */
import type { Figure } from '../telemetry/figure.js'
import type { Operators } from './live/operators.js'

export const operatorFigures = (operators: Operators): readonly Figure<void>[] => [
  {
    name: 'boson_operator_sockets',
    type: 'gauge',
    help: 'Operators’ sockets.',
    read: () => operators.counts.sockets,
  },
  {
    name: 'boson_operator_watches',
    type: 'gauge',
    help: 'What operators keep an eye on: answers that are asked for again and again.',
    read: () => operators.counts.watches,
  },
  {
    name: 'boson_operator_follows',
    type: 'gauge',
    help: 'What operators follow: an actor, the log, the audit, facts.',
    read: () => operators.counts.follows,
  },
  {
    name: 'boson_operator_looks_total',
    type: 'counter',
    help: 'Looks at what operators keep an eye on.',
    read: () => operators.looks.looked,
  },
  {
    name: 'boson_operator_look_seconds_total',
    type: 'counter',
    help: 'Time of the event loop that looks took.',
    read: () => operators.looks.busyMs / 1_000,
  },
  {
    name: 'boson_operator_events_dropped_total',
    type: 'counter',
    help: 'Events that operators followed and that had no room.',
    read: () => operators.dropped,
  },
  {
    name: 'boson_operator_refused_total',
    type: 'counter',
    help: 'Sockets, watches and follows of operators that were ended or refused, by reason.',
    read: () => Object.entries(operators.refused).map(([reason, value]) => ({ labels: { reason }, value })),
  },
]
