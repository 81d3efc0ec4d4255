/**
 * The way into a wg-easy. Each version has its own, and nothing tells them apart but trying:
 *
 *   version     clients are at           what lets in
 *   15          /api/client              Authorization: Basic, or a session
 *   12 – 14     /api/wireguard/client    Authorization: the password itself, or a session
 *   before      /api/wireguard/client    a session
 *   others      /clients                 Authorization: the password itself, or Bearer
 *
 * What worked is remembered until it no longer does. 14 answers 500 to whom it does not know.
 */
import { call, type Call, type CallAnswer } from '../../http/call.js'
import type { Destinations } from '../../http/destination.js'
import type { Clock } from '../../kit/clock.js'
import { WgEasyError } from './errors.js'

export type Way = 'basic' | 'raw' | 'session' | 'bearer'

export interface DoorOptions {
  readonly clock: Clock
  readonly destinations: Destinations
  /** Where its page is. */
  readonly url: string
  readonly username: string
  readonly password: string
  readonly way: Way | 'auto'
}

/** How it lets us in, and where its clients are. */
interface Entrance {
  readonly way: Way
  readonly clients: string
}

/** In the order of how likely they are; a session comes after what needs none. */
const ENTRANCES: readonly Entrance[] = [
  { way: 'basic', clients: 'api/client' },
  { way: 'raw', clients: 'api/wireguard/client' },
  { way: 'session', clients: 'api/wireguard/client' },
  { way: 'session', clients: 'api/client' },
  { way: 'raw', clients: 'clients' },
  { way: 'bearer', clients: 'clients' },
  { way: 'bearer', clients: 'api/wireguard/client' },
  { way: 'session', clients: 'clients' },
  { way: 'basic', clients: 'api/wireguard/client' },
  { way: 'basic', clients: 'clients' },
]

/** For one question, ms: whoever waits asks a few of them. */
const TIMEOUT_MS = 5_000
/** A list of a few thousand clients, bytes. */
const ANSWER_MAX = 1 << 20
const COOKIES_MAX = 4_096

export class WgEasyDoor {
  readonly #options: DoorOptions
  readonly #base: string
  #entrance: Entrance | null = null
  #finding: Promise<Entrance> | null = null
  #cookies: string | null = null

  constructor(options: DoorOptions) {
    this.#options = options
    this.#base = options.url.endsWith('/') ? options.url : `${options.url}/`
  }

  /** Resolves with what the list of clients says. */
  async list(): Promise<Buffer> {
    return this.#accepted(await this.ask('GET', ''))
  }

  /** Asks at `/id/verb` below the clients; resolves with the answer, whatever it is but a closed door. */
  async ask(method: Call['method'], path: string, body?: object): Promise<CallAnswer> {
    const entrance = this.#entrance ?? (await this.#find())
    const answer = await this.#through(entrance, method, path, body)
    if (!isClosed(answer) && !(path === '' && answer.status === 404)) return answer
    // The session is over, or wg-easy was started anew, or updated.
    this.#entrance = null
    return this.#through(await this.#find(), method, path, body)
  }

  #find(): Promise<Entrance> {
    this.#finding ??= this.#tryAll().finally(() => {
      this.#finding = null
    })
    return this.#finding
  }

  async #tryAll(): Promise<Entrance> {
    const { way } = this.#options
    const tried = ENTRANCES.filter(entrance => way === 'auto' || entrance.way === way)
    this.#cookies = null
    let wasClosed = false
    for (const entrance of tried) {
      const answer = await this.#through(entrance, 'GET', '')
      if (answer.status === 200 && isList(answer)) {
        this.#entrance = entrance
        return entrance
      }
      wasClosed ||= isClosed(answer)
    }
    const ways = [...new Set(tried.map(entrance => entrance.way))].join(', ')
    throw wasClosed
      ? new WgEasyError(
          'WG_EASY_UNAUTHORISED',
          `wg-easy lets us in by none of ${ways}: see WG_EASY_PASSWORD (the password itself, not its hash), ` +
            'WG_EASY_USERNAME and WG_EASY_AUTH',
        )
      : new WgEasyError('WG_EASY_ANSWER', 'wg-easy: nothing at WG_EASY_URL lists clients')
  }

  async #through(
    entrance: Entrance,
    method: Call['method'],
    path: string,
    body?: object,
  ): Promise<CallAnswer> {
    if (entrance.way === 'session') this.#cookies ??= await this.#signIn()
    return this.#call(method, `${entrance.clients}${path}`, body, this.#headersOf(entrance.way))
  }

  #headersOf(way: Way): Record<string, string> {
    const { username, password } = this.#options
    switch (way) {
      case 'raw':
        return { Authorization: password }
      case 'bearer':
        return { Authorization: `Bearer ${password}` }
      case 'basic':
        return { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
      case 'session':
        return { Cookie: this.#cookies ?? '' }
    }
  }

  /** Resolves with the cookies of a new session; empty when it gives none. */
  async #signIn(): Promise<string> {
    const { username, password } = this.#options
    const answer = await this.#call('POST', 'api/session', { username, password, remember: false }, {})
    const cookies = (answer.headers['set-cookie'] ?? []).map(cookie => cookie.split(';', 1)[0] ?? '')
    return answer.status < 300 ? cookies.join('; ').slice(0, COOKIES_MAX) : ''
  }

  async #call(
    method: Call['method'],
    path: string,
    body: object | undefined,
    headers: Record<string, string>,
  ): Promise<CallAnswer> {
    const { clock, destinations } = this.#options
    try {
      const answer = await call(clock, destinations, {
        method,
        url: new URL(path, this.#base),
        headers: {
          Accept: 'application/json',
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        timeoutMs: TIMEOUT_MS,
        answerMax: ANSWER_MAX,
      })
      if (answer.isPartial) throw new Error(`it answered more than ${ANSWER_MAX} bytes, or not all in time`)
      return answer
    } catch (error) {
      const because = error instanceof Error ? error.message : String(error)
      throw new WgEasyError('WG_EASY_AWAY', `wg-easy did not answer: ${because}`, { cause: error })
    }
  }

  #accepted({ status, body }: CallAnswer): Buffer {
    if (status === 200) return body
    throw new WgEasyError('WG_EASY_ANSWER', `wg-easy answered ${status} to the list of clients`)
  }
}

/**
 * Who is not known is told 401 or 403, or sent to a page for signing in; by 15 also 400 when the header is of another kind,
 * and by 14 500.
 */
const isClosed = ({ status }: CallAnswer): boolean =>
  (status >= 300 && status < 400) || [400, 401, 403, 500].includes(status)

const isList = ({ body }: CallAnswer): boolean => /^\s*\[/.test(body.subarray(0, 64).toString())
