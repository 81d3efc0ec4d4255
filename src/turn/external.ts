/** Someone else's TURN server that accepts credentials made with our secret. We hand them out and ask how it is. */
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import type { Endpoint } from '../protocol/address.js'
import { checkSecrets } from './credentials.js'
import { iceServers } from './ice-servers.js'
import { probe } from './probe.js'
import {
  type IceServer,
  NO_STATS,
  type TurnEndpoints,
  type TurnHealth,
  type TurnService,
  type TurnStats,
} from './service.js'

export interface ExternalOptions {
  readonly clock: Clock
  readonly random: Random
  readonly endpoints: TurnEndpoints
  /** Where its STUN listens, as an address: asked for its health. */
  readonly stun: Endpoint
  readonly secret: string
  readonly credentialsTtlS?: number
}

/** An hour, as those servers are used to: they cannot know when a session ends. */
const CREDENTIALS_TTL_S = 3_600

export class ExternalTurn implements TurnService {
  readonly #options: ExternalOptions
  #draining = false

  constructor(options: ExternalOptions) {
    checkSecrets([options.secret])
    this.#options = options
  }

  issueCredentials(id: string): readonly IceServer[] {
    if (this.#draining) return []
    const { clock, secret, credentialsTtlS = CREDENTIALS_TTL_S } = this.#options
    return iceServers(this.endpoints(), id, { clock, secret, ttlS: credentialsTtlS })
  }

  endpoints(): TurnEndpoints {
    return this.#options.endpoints
  }

  async health(): Promise<TurnHealth> {
    const { stun, clock, random } = this.#options
    try {
      return { status: 'healthy', latencyMs: await probe(stun, clock, random) }
    } catch {
      return { status: 'unhealthy', latencyMs: null }
    }
  }

  /** Sends nobody there any more; what is open there is not ours to end. */
  async drain(): Promise<void> {
    this.#draining = true
  }

  stats(): TurnStats {
    return NO_STATS
  }

  review(): void {}

  async stop(): Promise<void> {
    this.#draining = true
  }
}
