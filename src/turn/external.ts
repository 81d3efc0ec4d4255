/** Someone else's TURN server that accepts credentials made with our secret. We hand them out and ask how it is. */
import { lookup } from 'node:dns/promises'
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import { checkSecrets } from './credentials.js'
import { TurnError } from './errors.js'
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
  /** `stun:host:port`, `turn:host:port?transport=udp`, `turns:host:port?transport=tcp`. Without a `stun:` the first `turn:` host is asked. */
  readonly urls: readonly string[]
  readonly secret: string
  readonly credentialsTtlS?: number
}

/** An hour, as those servers are used to: they cannot know when a session ends. */
const CREDENTIALS_TTL_S = 3_600
/** Where `stun:` and `turn:` URIs without a port lead (RFC 7064, RFC 7065). */
const DEFAULT_PORT = 3_478
const URI = /^(stun|turn|turns):(\[[\da-fA-F:.]+\]|[^:?[\]]+)(?::(\d{1,5}))?(?:\?transport=\w+)?$/

export class ExternalTurn implements TurnService {
  readonly #options: ExternalOptions
  readonly #endpoints: TurnEndpoints
  #draining = false

  constructor(options: ExternalOptions) {
    checkSecrets([options.secret])
    this.#options = options
    this.#endpoints = endpointsOf(options.urls)
  }

  issueCredentials(id: string): readonly IceServer[] {
    if (this.#draining) return []
    const { clock, secret, credentialsTtlS = CREDENTIALS_TTL_S } = this.#options
    return iceServers(this.endpoints(), id, { clock, secret, ttlS: credentialsTtlS })
  }

  endpoints(): TurnEndpoints {
    return this.#endpoints
  }

  async health(): Promise<TurnHealth> {
    const { clock, random } = this.#options
    const [first = ''] = this.#endpoints.stun
    const { host, port } = read(first)
    try {
      // Its name is resolved each time: it may move.
      const { address } = await lookup(host)
      return { status: 'healthy', latencyMs: await probe({ address, port }, clock, random) }
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

  certificateChanged(): void {}

  async stop(): Promise<void> {
    this.#draining = true
  }
}

function endpointsOf(urls: readonly string[]): TurnEndpoints {
  const [stun, turn] = [urls.filter(isStun), urls.filter(url => !isStun(url))]
  for (const url of urls) read(url)
  const [first] = turn
  if (first === undefined) throw new TurnError('bad_url', 'turn servers: wanted at least one turn: or turns:')
  const asked = stun.length > 0 ? stun : [stunOf(first)]
  return { stun: asked, turn, probed: asked }
}

const isStun = (url: string): boolean => url.startsWith('stun:')

/** Every TURN server answers Binding requests, too. */
function stunOf(url: string): string {
  const [, , host, port = DEFAULT_PORT] = URI.exec(url) ?? []
  return `stun:${host}:${port}`
}

function read(url: string): { readonly host: string; readonly port: number } {
  const [, , host, port] = URI.exec(url) ?? []
  if (host === undefined)
    throw new TurnError('bad_url', `turn server: wanted a URI such as turn:host:port, got ${url}`)
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? DEFAULT_PORT) }
}
