/** What became of the visits to servers, for the metrics page. */
import { Histogram } from '../../kit/histogram.js'
import type { Figure } from '../../telemetry/figure.js'
import { type Collector, COLLECTORS } from './forms.js'

/** What was told is kept; nothing was told; the server is away; what was told could not be kept. */
const OUTCOMES = ['kept', 'failed', 'down', 'lost'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** From what a local server answers in to what is given up, ms. */
const TOOK_MS = [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000]

export class RoundCounts {
  readonly #outcomes = new Map<string, number>()
  readonly #took = new Histogram(TOOK_MS)
  #samples = 0

  visited(collector: Collector, outcome: Outcome, tookMs: number, samples: number): void {
    const key = `${collector} ${outcome}`
    this.#outcomes.set(key, (this.#outcomes.get(key) ?? 0) + 1)
    this.#took.observe(tookMs)
    this.#samples += samples
  }

  get figures(): readonly Figure<void>[] {
    return [
      {
        name: 'boson_pgmon_rounds_total',
        help: 'Visits of collectors to monitored servers, by what became of them.',
        type: 'counter',
        read: () =>
          COLLECTORS.flatMap(collector =>
            OUTCOMES.map(outcome => ({
              labels: { collector, outcome },
              value: this.#outcomes.get(`${collector} ${outcome}`) ?? 0,
            })),
          ),
      },
      {
        name: 'boson_pgmon_samples_total',
        help: 'Samples of monitored servers, their databases and their tables that were written.',
        type: 'counter',
        read: () => this.#samples,
      },
      {
        name: 'boson_pgmon_round_duration_seconds',
        help: 'How long a visit of a collector to a monitored server took.',
        type: 'histogram',
        scale: 0.001,
        read: () => this.#took,
      },
    ]
  }
}
