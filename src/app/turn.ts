/**
 * STUN and TURN as the settings want them, from before the mesh starts until after it has stopped. When they
 * cannot be had, the mesh serves without: its relay carries every pair.
 */
import { networkInterfaces } from 'node:os'
import type { Sighting, Traversal } from '../actors/ports.js'
import { systemClock } from '../kit/clock.js'
import { systemRandom } from '../kit/random.js'
import type { Endpoint } from '../protocol/address.js'
import { startTurn, TurnError, type TurnHealth, type TurnService } from '../turn/index.js'
import type { Config } from './config.js'
import type { Log } from './mesh.js'

export interface TurnOptions {
  readonly config: Config
  readonly secret: string
  readonly isPresent: (id: string) => boolean
  readonly log: Log
}

export class Turn implements Traversal {
  readonly #options: TurnOptions
  readonly #sightings = new Set<(sighting: Sighting) => void>()
  readonly #strays = new Set<(datagram: Uint8Array, from: Endpoint) => void>()
  #service: TurnService | null = null

  constructor(options: TurnOptions) {
    this.#options = options
  }

  iceServers(id: string): ReturnType<Traversal['iceServers']> {
    const servers = this.#service?.issueCredentials(id) ?? []
    return servers.flatMap(({ urls, username = null, credential = null }) =>
      urls.map(url => [url, username, credential] as const),
    )
  }

  stunServers(): readonly string[] {
    return this.#service?.endpoints().stun ?? []
  }

  onSighting(hear: (sighting: Sighting) => void): () => void {
    this.#sightings.add(hear)
    return () => this.#sightings.delete(hear)
  }

  onStray(hear: (datagram: Uint8Array, from: Endpoint) => void): () => void {
    this.#strays.add(hear)
    return () => this.#strays.delete(hear)
  }

  /** Resolves when it serves, or cannot: its health says so. */
  async start(): Promise<void> {
    const { config, secret, isPresent, log } = this.#options
    const { host, turnPort: port, turnHost, turnRealm: realm, overlay4, overlay6 } = config
    const address = WILDCARDS.has(host) ? ownAddress(host) : host
    const advertised = config.turnAddress ?? address
    try {
      this.#service = await startTurn({
        clock: systemClock,
        random: systemRandom,
        mode: 'embedded',
        listen: (['udp', 'tcp'] as const).map(transport => ({ transport, address: host, port, advertised })),
        relays: [{ address, advertised }],
        host: turnHost ?? advertised,
        realm,
        secrets: [secret],
        allowed: isPresent,
        peers: { denied: [overlay4, overlay6, ...config.turnDenied], excepted: config.turnExcepted },
        sighted: sighting => {
          for (const hear of this.#sightings) hear(sighting)
        },
        strayed: (datagram, from) => {
          for (const hear of this.#strays) hear(datagram, from)
        },
        failed: error => log.debug({ err: error }, 'a TURN packet could not be sent'),
      })
      log.info({ urls: this.#service.endpoints().turn }, 'STUN and TURN serve')
    } catch (error) {
      if (!(error instanceof TurnError)) throw error
      log.warn({ code: error.code, reason: error.message }, 'STUN and TURN do not serve')
    }
  }

  async health(): Promise<TurnHealth> {
    return this.#service?.health() ?? { status: 'unhealthy', latencyMs: null }
  }

  /** Opens nothing any more; resolves when nothing is open, or when `withinMs` is over. */
  async drain(withinMs: number): Promise<void> {
    await this.#service?.drain(withinMs)
  }

  async stop(): Promise<void> {
    await this.#service?.stop()
  }
}

const WILDCARDS = new Set(['0.0.0.0', '::'])

/** Returns the address of this machine that relays are opened on when it listens on all of them. */
function ownAddress(wildcard: string): string {
  const family = wildcard === '::' ? 'IPv6' : 'IPv4'
  const all = Object.values(networkInterfaces()).flatMap((of = []) => of)
  const found = all.find(one => one.family === family && !one.internal && !one.address.startsWith('fe80:'))
  return found?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1')
}
