/**
 * `bosonserver_node_latency_ms`: the round trips to all nodes in one histogram. A node counts once for each
 * look at which it had been heard since the look before, so that silence is not counted as latency.
 */
import type { HistogramView, MeshApi } from '../actors/ports.js'
import type { Clock } from '../kit/clock.js'
import { Histogram } from '../kit/histogram.js'
import type { Figure } from './figure.js'

export class NodeLatency {
  readonly #clock: Clock
  readonly #histogram = new Histogram([10, 25, 50, 100, 250, 500, 1000, 2500, 5000])
  #lookedMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#lookedMs = clock.now()
  }

  observe(mesh: Pick<MeshApi, 'roundTrips'>): void {
    const now = this.#clock.now()
    const sinceMs = now - this.#lookedMs
    this.#lookedMs = now
    for (const rttMs of mesh.roundTrips(sinceMs)) this.#histogram.observe(rttMs)
  }

  view(): HistogramView {
    return this.#histogram
  }
}

export const NODE_LATENCY: Figure<NodeLatency> = {
  name: 'bosonserver_node_latency_ms',
  help: 'Round trips to all nodes, measured by the coordinator, milliseconds.',
  type: 'histogram',
  read: latency => latency.view(),
}
