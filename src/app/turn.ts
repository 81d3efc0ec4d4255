/**
 * STUN and TURN as the settings want them, from before the mesh starts until after it has stopped. When they
 * cannot be had, the mesh serves without, and they are tried again.
 */
import type { HearSighting, Traversal, TurnView } from '../actors/ports.js'
import { keepTurn, type KeptTurn } from '../actors/turn/turn.effects.js'
import { systemClock } from '../kit/clock.js'
import { systemRandom } from '../kit/random.js'
import type { Endpoint } from '../protocol/address.js'
import { NO_STATS, startTurn, type TurnService } from '../turn/index.js'
import { Certificate } from './certificate.js'
import type { Config } from './config.js'
import type { Log, Mesh } from './mesh.js'
import { turnOptions } from './turn-mode.js'

export interface TurnOptions {
  readonly config: Config
  readonly mode: TurnView['mode']
  /** Signs credentials. */
  readonly secret: string
  /** Who is here, and whom each may reach. */
  readonly mesh: Pick<Mesh, 'isPresent' | 'mayReach'>
  readonly log: Log
}

/** Whom `boson doctor` asks as, who has the secret; no agent can have this name, and it has no route to anyone. */
export const CHECKER = '~doctor'

export class Turn implements Traversal {
  readonly #options: TurnOptions
  readonly #sightings = new Set<HearSighting>()
  readonly #strays = new Set<(datagram: Uint8Array, from: Endpoint) => void>()
  readonly #kept: KeptTurn<TurnService>
  #certificate: Certificate | null = null

  constructor(options: TurnOptions) {
    this.#options = options
    this.#kept = keepTurn({
      clock: systemClock,
      random: systemRandom,
      log: options.log,
      open: ended => this.#open(ended),
      described: service => ({ mode: options.mode, urls: service.endpoints().turn }),
    })
  }

  iceServers(id: string): ReturnType<Traversal['iceServers']> {
    const servers = this.#kept.service?.issueCredentials(id) ?? []
    return servers.flatMap(({ urls, username = null, credential = null }) =>
      urls.map(url => [url, username, credential] as const),
    )
  }

  stunServers(): readonly string[] {
    return this.#kept.service?.endpoints().probed ?? []
  }

  onSighting(hear: HearSighting): () => void {
    this.#sightings.add(hear)
    return () => this.#sightings.delete(hear)
  }

  onStray(hear: (datagram: Uint8Array, from: Endpoint) => void): () => void {
    this.#strays.add(hear)
    return () => this.#strays.delete(hear)
  }

  /** Resolves when it serves or, for now, cannot. */
  start(): Promise<void> {
    return this.#kept.start()
  }

  view(): TurnView {
    const { service } = this.#kept
    return { mode: this.#options.mode, state: this.#kept.state(), ...(service?.stats() ?? NO_STATS) }
  }

  /** Resolves to the round trip to the server, ms; rejects when it does not answer. */
  async ping(): Promise<number> {
    const health = await this.#kept.service?.health()
    if (health?.status !== 'healthy') throw new Error('STUN and TURN do not answer')
    return health.latencyMs ?? 0
  }

  /** Reads the certificate again; throws, and goes on with the old one, when it cannot be used. */
  reload(): void {
    this.#certificate?.reload()
    this.#kept.service?.certificateChanged()
  }

  /** Opens nothing any more; resolves when nothing is open, or when `withinMs` is over. */
  async drain(withinMs: number): Promise<void> {
    await this.#kept.service?.drain(withinMs)
  }

  stop(): Promise<void> {
    return this.#kept.stop()
  }

  async #open(ended: (reason: string) => void): Promise<TurnService> {
    const { config, mode, secret, mesh, log } = this.#options
    const { tlsCert: cert, tlsKey: key, turnOldSecret } = config
    if (cert !== null && key !== null) this.#certificate ??= new Certificate({ cert, key })
    return startTurn(
      await turnOptions({
        config,
        mode,
        secrets: turnOldSecret === null ? [secret] : [secret, turnOldSecret],
        certificate: this.#certificate,
        hooks: {
          allowed: id => id === CHECKER || mesh.isPresent(id),
          sighted: (sighting, remind) => {
            for (const hear of this.#sightings) hear(sighting, remind)
          },
          strayed: (datagram, from) => {
            for (const hear of this.#strays) hear(datagram, from)
          },
          failed: error => log.debug({ err: error }, 'a TURN packet could not be sent'),
        },
        routed: (id, address) => mesh.mayReach(id, address),
        printed: line => log.debug({ line }, 'coturn'),
        ended,
      }),
    )
  }
}
