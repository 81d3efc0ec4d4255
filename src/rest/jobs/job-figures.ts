/** What jobs tell on the metrics page. */
import type { Figure } from '../../telemetry/figure.js'
import type { Hand } from './hand.js'

export const jobFigures = (hand: Hand): readonly Figure<void>[] => [
  {
    name: 'boson_job_words_refused_total',
    help: 'What nodes said of jobs that they were never offered.',
    type: 'counter',
    read: () => hand.strange,
  },
]
