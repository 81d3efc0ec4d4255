/**
 * One operator’s socket, from its first byte to its last.
 *
 *   greeting ─ hello ─→ asking who it is ─ ready ─→ calls, watches, follows ─→ gone
 */
import type { Connection, Socket } from '../../actors/ports.js'
import type { Question } from '../../edge/ask.js'
import type { Caller } from '../../http/caller.js'
import { asHttpError, faultReply, type Reply } from '../../http/reply.js'
import { HttpError } from '../../http/faults.js'
import { TokenBucket } from '../../kit/token-bucket.js'
import { FrameError } from '../../protocol/codec-of.js'
import {
  OPERATOR_BOUNDS,
  OPERATOR_CLOSE,
  OPERATOR_HELLO_MAX,
  operatorCodec,
  type OperatorWire,
  type OperatorWireOf,
} from '../../protocol/operator.js'
import { SENT } from '../../protocol/sent.js'
import { encoded } from './answer.js'
import { Follow } from './follow.js'
import type { Looks } from './looks.js'
import type { OperatorsHost } from './operators.js'
import type { Topic, Wish } from './topics.js'
import { Watch } from './watch.js'

export type Ending = keyof typeof OPERATOR_CLOSE
type Operator = Extract<Caller, { kind: 'operator' }>

/** What all sockets share. */
export interface SocketParts extends Omit<OperatorsHost, 'tail' | 'revocations'> {
  readonly serverId: string
  readonly looks: Looks
  readonly topics: Readonly<Record<Wish['topic'], Topic>>
  /** The socket has said who it is, or has done so again. */
  known(socket: LiveSocket): void
  refused(reason: Ending | OperatorWireOf<'operator.ended'>['code']): void
  dropped(count: number): void
  gone(socket: LiveSocket): void
}

/** With so much waiting in the socket nothing new is looked at or told, bytes … */
const BEHIND = 256 * 1024
/** … and with so much nobody reads at the other end, bytes. */
const STUCK = 8 * 1024 * 1024
/** Messages and pings of one operator, 1/s, and at once: a page that opens asks for a few dozen things. */
const MESSAGES = { perSecond: 100, burst: 400 }
/** What may be seen at all by who may open the socket. */
const DOOR = { method: 'GET', path: '/api/v1/status' }

export class LiveSocket implements Connection {
  readonly #socket: Socket
  readonly #parts: SocketParts
  readonly #bucket: TokenBucket
  /** null: it has not said yet who it is. */
  #caller: Operator | null = null
  #token = ''
  #isAsking = false
  #isGone = false
  #calls = 0
  readonly #watches = new Map<number, Watch>()
  readonly #follows = new Map<number, { readonly wish: Wish; readonly follow: Follow }>()

  constructor(socket: Socket, parts: SocketParts) {
    this.#socket = socket
    this.#parts = parts
    this.#bucket = new TokenBucket(MESSAGES.perSecond, MESSAGES.burst, parts.clock.now())
  }

  get remote(): string {
    return this.#socket.remote
  }

  get isKnown(): boolean {
    return this.#caller !== null
  }

  get accountId(): string | null {
    return this.#caller?.accountId ?? null
  }

  /** When the token ends, ms since 1970 UTC; null: it does not. */
  get expiresAtMs(): number | null {
    return this.#caller?.expiresAtMs ?? null
  }

  get watches(): number {
    return this.#watches.size
  }

  get follows(): number {
    return this.#follows.size
  }

  // ── Connection: what the socket brings ─────────────────────────────────────────────────────────

  received(message: Uint8Array): void {
    if (this.#isGone || !this.#mayGoOn()) return
    if (this.#caller === null && message.length > OPERATOR_HELLO_MAX)
      return this.end('malformed', `at most ${OPERATOR_HELLO_MAX} bytes before operator.ready`)
    try {
      for (const event of operatorCodec.decodeAll(message)) if (!this.#isGone) this.#hear(event)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.end('malformed', error.message)
    }
  }

  receivedText(): void {
    this.end('malformed', 'messages are binary')
  }

  pinged(): void {
    if (!this.#isGone) this.#mayGoOn()
  }

  drained(): void {
    // What waits looks for itself whether it may go on: it waits for others too.
  }

  closed(): void {
    if (this.#isGone) return
    this.#leave()
  }

  // ── what the coordinator does to it ────────────────────────────────────────────────────────────

  end(name: Ending, reason: string = OPERATOR_CLOSE[name].doc): void {
    if (this.#isGone) return
    if (name !== 'restarting') this.#parts.refused(name)
    this.#leave()
    this.#socket.close(OPERATOR_CLOSE[name].code, reason)
  }

  /** Asks anew whom the token is of: something about the account has changed. */
  recogniseAgain(): void {
    if (this.#caller !== null) void this.#present(this.#token, 'expired')
  }

  /** Ends what is over and did not say so. */
  sweep(): void {
    for (const [watchId, { wish, follow }] of this.#follows)
      if (this.#parts.topics[wish.topic].isOver?.(wish) === true) {
        follow.tellRest()
        this.#ended(watchId, 'gone', `there is no ${wish.of ?? wish.topic} any more`)
      }
  }

  // ── what the operator says ─────────────────────────────────────────────────────────────────────

  #hear(event: OperatorWire): void {
    if (event.type === 'operator.hello') {
      if (this.#caller !== null || this.#isAsking)
        return this.end('malformed', 'operator.hello is said once; operator.renew takes another token')
      return void this.#present(event.token, 'refused')
    }
    const caller = this.#caller
    if (caller === null)
      return this.end('malformed', 'the first message is operator.hello, and operator.ready answers it')
    switch (event.type) {
      case 'operator.renew':
        return void this.#present(event.token, 'refused')
      case 'operator.call':
        return this.#call(event)
      case 'operator.watch':
        return this.#watch(event)
      case 'operator.follow':
        return this.#follow(event)
      case 'operator.unwatch':
        return this.#forget(event.watchId)
      default:
        this.end('malformed', `${event.type} is not for operators to say`)
    }
  }

  /** Takes a token, or ends the socket because of it. */
  async #present(token: string, otherwise: 'refused' | 'expired'): Promise<void> {
    this.#isAsking = true
    let caller: Caller
    try {
      caller = await this.#parts.recognise(token)
    } catch (error) {
      // A socket that stands is not closed because the database is away.
      if (this.#caller === null) this.end('tryLater')
      this.#parts.log.debug({ err: error }, 'an operator’s token could not be looked at')
      return
    } finally {
      this.#isAsking = false
    }
    if (this.#isGone) return
    try {
      this.#parts.admit({ ...DOOR, ...this.#whoAsks(caller) })
    } catch (error) {
      return this.end(
        asHttpError(error).statusCode === 429 ? 'tryLater' : otherwise,
        asHttpError(error).message,
      )
    }
    if (caller.kind !== 'operator') return this.end(otherwise)
    if (this.#caller !== null && this.#caller.accountId !== caller.accountId)
      return this.end('refused', 'operator.renew takes a token of the same operator')
    this.#caller = caller
    this.#token = token
    this.#parts.known(this)
    const { name, role, expiresAtMs } = caller
    const { serverId, version } = this.#parts
    this.#tell({
      type: 'operator.ready',
      name,
      role,
      serverId,
      version,
      ...(expiresAtMs !== null && { expiresAtMs }),
    })
  }

  #call({ requestId, method, path, body }: OperatorWireOf<'operator.call'>): void {
    const answer = (reply: Reply) =>
      this.#send(encoded(reply, told => ({ type: 'operator.answer', requestId, ...told })))
    if (this.#calls >= OPERATOR_BOUNDS.calls) return answer(TOO_MANY)
    if (this.#isBehind()) return answer(BEHIND_ALREADY)
    const reply = this.#ask({ method, path, body })
    if (!(reply instanceof Promise)) return answer(reply)
    this.#calls++
    reply
      .then(late => {
        this.#calls--
        answer(late)
      })
      .catch(error => this.#fail(error))
  }

  #watch({ watchId, path, everyMs }: OperatorWireOf<'operator.watch'>): void {
    this.#forget(watchId)
    if (this.#watches.size >= OPERATOR_BOUNDS.watches)
      return this.#ended(watchId, 'too_many', `a socket has at most ${OPERATOR_BOUNDS.watches} watches`)
    const { clock, looks } = this.#parts
    const watch = new Watch({
      watchId,
      everyMs,
      ask: () => this.#ask({ method: 'GET', path }),
      isBehind: () => this.#isBehind(),
      isWanted: each => this.#watches.get(watchId) === each,
      send: bytes => this.#send(bytes),
      failed: error => this.#fail(error),
      now: () => clock.now(),
      wallMs: () => clock.wallMs(),
    })
    this.#watches.set(watchId, watch)
    looks.begin(watch)
  }

  #follow(wish: Wish): void {
    const { watchId } = wish
    this.#forget(watchId)
    if (this.#follows.size >= OPERATOR_BOUNDS.follows)
      return this.#ended(watchId, 'too_many', `a socket has at most ${OPERATOR_BOUNDS.follows} follows`)
    const topic = this.#parts.topics[wish.topic]
    try {
      this.#parts.admit({ method: 'GET', path: topic.path(wish), ...this.#whoAsks(this.#caller) })
    } catch (error) {
      const { statusCode, message } = asHttpError(error)
      return this.#ended(watchId, statusCode === 404 ? 'not_found' : 'forbidden', message)
    }
    const follow = new Follow({
      watchId,
      clock: this.#parts.clock,
      isBehind: () => this.#isBehind(),
      send: bytes => this.#send(bytes),
      dropped: count => this.#parts.dropped(count),
    })
    const stop = topic.follow(wish, event => follow.hear(event))
    if (stop === null) return this.#ended(watchId, 'not_found', `there is no ${wish.of ?? wish.topic} now`)
    follow.hears(stop)
    this.#follows.set(watchId, { wish, follow })
  }

  // ── details ────────────────────────────────────────────────────────────────────────────────────

  #ask(question: Pick<Question, 'method' | 'path' | 'body'>): Reply | Promise<Reply> {
    return this.#parts.ask({ ...question, ...this.#whoAsks(this.#caller) })
  }

  #whoAsks(caller: Caller | null): Pick<Question, 'caller' | 'remote'> {
    return {
      caller: caller ?? { kind: 'stranger', bearer: null },
      remote: { address: this.#socket.remote, local: false },
    }
  }

  #forget(watchId: number): void {
    const watch = this.#watches.get(watchId)
    if (watch !== undefined) this.#parts.looks.forget(watch)
    this.#watches.delete(watchId)
    this.#follows.get(watchId)?.follow.end()
    this.#follows.delete(watchId)
  }

  #ended(watchId: number, code: OperatorWireOf<'operator.ended'>['code'], reason: string): void {
    this.#forget(watchId)
    this.#parts.refused(code)
    this.#tell({ type: 'operator.ended', watchId, code, reason: reason.slice(0, REASON_MAX) })
  }

  #mayGoOn(): boolean {
    if (this.#bucket.take(1, this.#parts.clock.now())) return true
    this.end('flooding')
    return false
  }

  #isBehind(): boolean {
    return this.#socket.buffered() > BEHIND
  }

  #tell(event: OperatorWire): void {
    this.#send(operatorCodec.encode(event))
  }

  #send(bytes: Uint8Array): void {
    if (this.#isGone) return
    if (this.#socket.send(bytes) === SENT.dropped || this.#socket.buffered() > STUCK) this.end('slowReader')
  }

  /** Our own fault: this socket is closed, and everyone else goes on. */
  #fail(error: unknown): void {
    this.#parts.log.error({ err: error, remote: this.remote }, 'an operator’s socket failed and was closed')
    this.end('faulted')
  }

  #leave(): void {
    this.#isGone = true
    for (const watchId of [...this.#watches.keys(), ...this.#follows.keys()]) this.#forget(watchId)
    this.#parts.gone(this)
  }
}

/** What `operator.ended` has room for. */
const REASON_MAX = 256

const TOO_MANY = faultReply(
  new HttpError(429, 'too_many_requests', `at most ${OPERATOR_BOUNDS.calls} calls at once`),
)
const BEHIND_ALREADY = faultReply(
  new HttpError(503, 'behind', 'answers wait in this socket: read them first'),
)
