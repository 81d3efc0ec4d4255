/** The metrics page: figures of the mesh, of HTTP, and of the process, in Prometheus' text format. */
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client'
import type { MeshApi, TurnView } from '../actors/ports.js'
import type { Clock } from '../kit/clock.js'
import { asMetric, type Figure } from './figure.js'
import type { LoopDelay } from './loop-delay.js'
import { type Look, look, MESH_FIGURES } from './mesh-figures.js'
import { NODE_LATENCY, NodeLatency } from './node-latency.js'
import { TURN_FIGURES } from './turn-figures.js'

export interface MetricsOptions {
  readonly clock: Clock
  readonly mesh: MeshApi
  readonly loop: LoopDelay
  /** STUN and TURN; null when they are off. */
  readonly turn: (() => TurnView) | null
  /** When the process started, ms since 1970 UTC. */
  readonly startedAtMs: number
}

/** One answered HTTP request; `endpoint` is a pattern, never a path. */
export interface ServedRequest {
  readonly method: string
  readonly endpoint: string
  readonly status: number
  readonly fault: string | null
  readonly durationMs: number
}

export class Metrics {
  readonly #registry = new Registry()
  readonly #options: MetricsOptions
  readonly #latency: NodeLatency
  readonly #requests: Counter
  readonly #errors: Counter
  readonly #durations: Histogram
  #look: Look | undefined

  constructor(options: MetricsOptions) {
    this.#options = options
    this.#latency = new NodeLatency(options.clock)
    this.#registry.setDefaultLabels({ app: 'bosonserver' })
    for (const figure of MESH_FIGURES) {
      this.#registry.registerMetric(asMetric(figure, () => this.#look as Look)) // page() looks first
    }
    for (const figure of TURN_FIGURES)
      this.#registry.registerMetric(asMetric(figure, () => options.turn?.() ?? null))
    this.#registry.registerMetric(asMetric(NODE_LATENCY, () => this.#latency))
    const registers = [this.#registry]
    this.#requests = new Counter({
      name: 'bosonserver_api_requests_total',
      help: 'HTTP requests answered.',
      labelNames: ['method', 'endpoint', 'status'],
      registers,
    })
    this.#errors = new Counter({
      name: 'bosonserver_api_errors_total',
      help: 'HTTP requests refused or failed, by reason.',
      labelNames: ['method', 'endpoint', 'error_type'],
      registers,
    })
    this.#durations = new Histogram({
      name: 'boson_http_request_seconds',
      help: 'From the first line of a request to its answer.',
      labelNames: ['endpoint'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    })
    collectDefaultMetrics({ register: this.#registry })
  }

  /** Tells these as well. */
  add(figures: readonly Figure<void>[]): void {
    for (const figure of figures) this.#registry.registerMetric(asMetric(figure, () => undefined))
  }

  served({ method, endpoint, status, fault, durationMs }: ServedRequest): void {
    this.#requests.inc({ method, endpoint, status: String(status) })
    this.#durations.observe({ endpoint }, durationMs / 1000)
    if (fault !== null) this.#errors.inc({ method, endpoint, error_type: fault })
  }

  /** Returns the page; the mesh is looked at now. */
  async page(): Promise<{ readonly body: string; readonly type: string }> {
    const { mesh, loop, startedAtMs } = this.#options
    this.#latency.observe(mesh)
    this.#look = look(mesh, loop.read(), startedAtMs)
    return { body: await this.#registry.metrics(), type: this.#registry.contentType }
  }
}
