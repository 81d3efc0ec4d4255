/**
 * The socket of an agent that speaks HTTP. What the mesh tells the agent stays here until a request asks for it; what
 * a request says goes to the mesh as messages of the wire. To everyone else it is a socket like any other.
 *
 *   HTTP request ─ say ─→ connection ─→ the session's actor
 *   HTTP answer  ←─ answer ── send ←──────┘
 */
import type { Connection, LinkId, Role, Socket } from '../../actors/ports.js'
import type { Clock } from '../../kit/clock.js'
import { encode, endOfValue, eventOf, unpackList } from '../../protocol/codec.js'
import { CLOSE } from '../../protocol/close-codes.js'
import type { Wire, WireOf } from '../../protocol/messages.js'
import { isRelayData, relayEnd, relayLink, relayPayload } from '../../protocol/relay-frame.js'
import { SENT } from '../../protocol/sent.js'
import { HttpError, unavailable } from '../../http/faults.js'
import type { Inbox } from '../packets/inbox.js'
import { Links } from './links.js'

/** What a heartbeat tells beside who and when. */
export type Gauges = Omit<WireOf<'heartbeat'>, 'type' | 'seq' | 'serverId' | 'generatedAt' | 'readyAt'>

export interface MailboxOptions {
  readonly clock: Clock
  readonly id: string
  readonly role: Role
  /** The agent's address. */
  readonly remote: string
  /** Where packets for the agent wait. */
  readonly inbox: Inbox
  /** The session is carried by this mailbox no more. */
  readonly ended: (box: Mailbox) => void
}

interface Waiter {
  hear(event: Wire): void
  fail(error: Error): void
}

/** The mesh answers from memory; a first contact waits for the database, ms. */
const ANSWER_MS = 10_000
/** When to come back after no answer, s. */
const RETRY_AFTER_S = 2
const NOT_BEGUN = 'the session could not begin in time: the database may be away'
const U32 = 2 ** 32
const HEARTBEAT_ACK = 0x11

export class Mailbox implements Socket {
  readonly id: string
  readonly role: Role
  readonly remote: string
  readonly inbox: Inbox
  readonly links: Links
  /** When the agent was last heard, ms since 1970 UTC. */
  heardAtMs: number
  /** Until when it is spoken for, monotonic ms. */
  goodUntilMs = 0
  gauges: Gauges = {}
  /** A node: how it says that it is, and how often it would like to be heard, s. */
  said: 'online' | 'degraded' | 'offline' | null = null
  wishedEveryS: number | null = null
  /** A node: when it gets a new token, ms since 1970 UTC; this process has given it none yet. */
  renewAtMs = 0
  /** Where its last request came from, as the notes have it. */
  notedRemote: string | null = null
  /** A client: routes that it has asked for. */
  requests = 0
  readonly #options: MailboxOptions
  readonly #waiters = new Set<Waiter>()
  readonly #beganAtMs: number
  #outgoing: Uint8Array[] = []
  #connection: Connection | null = null
  #session: WireOf<'registered'> | null = null
  /** What becomes of requests, once the session is carried by this mailbox no more. */
  #fault: HttpError | null = null
  #seq = 0

  constructor(options: MailboxOptions) {
    this.#options = options
    this.id = options.id
    this.role = options.role
    this.remote = options.remote
    this.inbox = options.inbox
    this.links = new Links(options.clock, event => this.say(event))
    this.#beganAtMs = options.clock.wallMs()
    this.heardAtMs = this.#beganAtMs
  }

  get isClosed(): boolean {
    return this.#fault !== null
  }

  /** What began the session. */
  get session(): WireOf<'registered'> {
    if (this.#session === null) throw new Error(`the session of ${this.id} has not begun`)
    return this.#session
  }

  // ── what requests do ───────────────────────────────────────────────────────────────────────────

  /** Says something to the mesh when this turn of the event loop is over: an actor that is speaking hears nothing. */
  say(event: Wire): void {
    this.sayBytes(encode(event))
  }

  /** Says what is a value of the wire already. */
  sayBytes(value: Uint8Array): void {
    if (this.#outgoing.push(value) === 1) this.#options.clock.soon(() => this.#flush())
  }

  /** Says that the agent is alive and how it is doing. */
  beat(): void {
    this.#seq = (this.#seq + 1) % U32
    this.say({
      type: 'heartbeat',
      ...this.gauges,
      seq: this.#seq,
      serverId: this.id,
      generatedAt: this.heardAtMs,
      readyAt: this.#beganAtMs,
    })
  }

  /** Resolves with the next thing told that `isIt`; rejects with a 503 when it does not come, or the session is over. */
  answer<T extends Wire>(isIt: (event: Wire) => event is T): Promise<T> {
    if (this.#fault !== null) return Promise.reject(this.#fault)
    return new Promise((resolve, reject) => {
      const { clock } = this.#options
      const late = clock.setTimeout(
        () => waiter.fail(unavailable('no answer came in time', RETRY_AFTER_S)),
        ANSWER_MS,
      )
      const end = () => {
        clock.clearTimeout(late)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        hear(event) {
          if (!isIt(event)) return
          end()
          resolve(event)
        },
        fail(error) {
          end()
          reject(error)
        },
      }
      this.#waiters.add(waiter)
    })
  }

  /** What `MeshApi.enter` returned. */
  opened(connection: Connection | null): void {
    this.#connection = connection
  }

  // ── Socket: what the mesh does ─────────────────────────────────────────────────────────────────

  send(bytes: Uint8Array): (typeof SENT)['ok'] {
    for (let at = 0; at < bytes.length; ) at = this.#take(bytes, at)
    return SENT.ok
  }

  /** What is sent is taken at once. */
  buffered(): number {
    return 0
  }

  close(code: number, reason: string): void {
    if (this.#fault !== null) return
    const fault = this.#faultOf(code, reason)
    this.#fault = fault
    this.#options.clock.soon(() => this.#connection?.closed(code))
    for (const waiter of this.#waiters) waiter.fail(fault)
    this.inbox.close()
    this.links.close()
    this.#options.ended(this)
  }

  #faultOf(code: number, reason: string): HttpError {
    const retry = { 'Retry-After': String(RETRY_AFTER_S) }
    if (code === CLOSE.flooding.code) return new HttpError(429, 'too_many_requests', reason, retry)
    if (this.#session !== null) return new HttpError(503, 'session_ended', reason, retry)
    return new HttpError(503, 'not_begun', NOT_BEGUN, retry)
  }

  #take(bytes: Uint8Array, at: number): number {
    if (isRelayData(bytes, at)) {
      const end = relayEnd(bytes, at)
      this.#arrived(relayLink(bytes, at), bytes.subarray(relayPayload(bytes, at), end))
      return end
    }
    const end = endOfValue(bytes, at)
    // Nobody waits for it, and it comes for every beat.
    if (bytes[at + 1] !== HEARTBEAT_ACK) this.#hear(eventOf(unpackList(bytes.subarray(at, end))))
    return end
  }

  /** A client that is relayed to a node which fetches nothing is better off elsewhere. */
  #arrived(link: LinkId, payload: Uint8Array): void {
    this.inbox.put(link, payload)
    if (this.role === 'node' && this.inbox.isAbandoned) this.links.decline(link, 'nobody fetches its packets')
  }

  #hear(event: Wire): void {
    if (event.type === 'registered') this.#session = event
    this.links.hear(event)
    for (const waiter of this.#waiters) waiter.hear(event)
  }

  #flush(): void {
    const values = this.#outgoing
    this.#outgoing = []
    if (this.#fault === null) for (const value of values) this.#connection?.received(value)
  }
}
