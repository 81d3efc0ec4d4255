/**
 * How the coordinator is. A dependency that is away degrades it, since sessions, routes and the relay live
 * on in memory; it is unhealthy only when it does not serve.
 */
import type { MeshApi, TurnView } from '../actors/ports.js'
import type { Clock } from '../kit/clock.js'

export type ServiceStatus = 'healthy' | 'unhealthy' | 'disabled'

export interface Health {
  readonly status: 'healthy' | 'degraded' | 'unhealthy'
  /** ISO 8601. */
  readonly timestamp: string
  /** Seconds. */
  readonly uptime: number
  readonly services: {
    /** Latencies are milliseconds; null when there is none. */
    readonly database: { readonly status: ServiceStatus; readonly latency: number | null }
    readonly redis: { readonly status: ServiceStatus; readonly latency: number | null }
    /** The state is that of its actor. */
    readonly turn: { readonly status: ServiceStatus; readonly state: TurnView['state'] }
    readonly relay: { readonly status: ServiceStatus; readonly connections: number }
  }
}

export type Readiness =
  | { readonly status: 'ready' | 'not ready' }
  | { readonly status: 'degraded-but-serving'; readonly unavailable: readonly string[] }

/** A round trip, ms; rejects when there is no answer. */
export type Ping = () => Promise<number>

export interface HealthOptions {
  readonly clock: Clock
  readonly mesh: Pick<MeshApi, 'state' | 'stats'>
  readonly database: Ping
  /** null when none is configured. */
  readonly redis: Ping | null
  /** STUN and TURN; null when they are off. */
  readonly turn: { ping: Ping; state(): TurnView['state'] } | null
}

/** A dependency that has not answered for this long counts as away, ms. */
const PATIENCE_MS = 2_000
/** Dependencies are asked at most this often, ms: the page is open to everyone. */
const FRESH_MS = 1_000

export class HealthReport {
  readonly #options: HealthOptions
  readonly #startedMs: number
  readonly #database: () => Promise<number | null>
  readonly #redis: (() => Promise<number | null>) | null
  readonly #turn: (() => Promise<number | null>) | null

  constructor(options: HealthOptions) {
    this.#options = options
    this.#startedMs = options.clock.now()
    this.#database = asked(options.clock, options.database)
    this.#redis = options.redis && asked(options.clock, options.redis)
    this.#turn = options.turn && asked(options.clock, options.turn.ping)
  }

  async health(): Promise<Health> {
    const { clock, mesh } = this.#options
    const [database, redis, turn] = await Promise.all([this.#database(), this.#redis?.(), this.#turn?.()])
    const serving = mesh.state() === 'serving'
    const degraded = database === null || redis === null || turn === null
    return {
      status: !serving ? 'unhealthy' : degraded ? 'degraded' : 'healthy',
      timestamp: new Date(clock.wallMs()).toISOString(),
      uptime: this.uptimeS(),
      services: {
        database: { status: database === null ? 'unhealthy' : 'healthy', latency: database },
        redis:
          redis === undefined
            ? { status: 'disabled', latency: null }
            : { status: redis === null ? 'unhealthy' : 'healthy', latency: redis },
        turn: {
          status: turn === undefined ? 'disabled' : turn === null ? 'unhealthy' : 'healthy',
          state: this.#options.turn?.state() ?? 'off',
        },
        relay: { status: serving ? 'healthy' : 'unhealthy', connections: mesh.stats().connections.open },
      },
    }
  }

  async readiness(): Promise<Readiness> {
    const { status, services } = await this.health()
    if (status === 'unhealthy') return { status: 'not ready' }
    if (status === 'healthy') return { status: 'ready' }
    const away = (['database', 'redis', 'turn'] as const).filter(
      name => services[name].status === 'unhealthy',
    )
    return { status: 'degraded-but-serving', unavailable: away }
  }

  uptimeS(): number {
    return Math.round(this.#options.clock.now() - this.#startedMs) / 1000
  }
}

/** Returns a question that is put at most every FRESH_MS, and answered within PATIENCE_MS: ms, or null. */
function asked(clock: Clock, ping: Ping): () => Promise<number | null> {
  let answer: Promise<number | null> | undefined
  let askedMs = 0
  return () => {
    const now = clock.now()
    if (answer === undefined || now - askedMs >= FRESH_MS) {
      askedMs = now
      answer = Promise.race([
        ping().then(
          ms => Math.round(ms * 10) / 10,
          () => null,
        ),
        new Promise<null>(resolve => clock.setTimeout(() => resolve(null), PATIENCE_MS)),
      ])
    }
    return answer
  }
}
