/** What the history tells on the metrics page. */
import type { Figure } from '../../telemetry/figure.js'
import type { History } from './history.js'

export const historyFigures = ({ figures }: History): readonly Figure<void>[] => [
  {
    name: 'boson_history_samples_total',
    help: 'Samples of sessions that the history has written.',
    type: 'counter',
    read: () => figures.written,
  },
  {
    name: 'boson_history_samples_waiting',
    help: 'Samples that wait for the database.',
    type: 'gauge',
    read: () => figures.waiting,
  },
  {
    name: 'boson_history_samples_dropped_total',
    help: 'Samples that could not wait for an absent database: the oldest ones.',
    type: 'counter',
    read: () => figures.dropped,
  },
]
