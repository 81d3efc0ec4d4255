/**
 * The page's socket to the coordinator. It comes back by itself, and everything that was watched is watched again:
 * what uses it sees only that its values stand still meanwhile.
 *
 *   hello ─→ ready ─→ call → answer · watch → view … · follow → events … ─→ (lost) ─→ back-off ─→ hello
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import {
  OPERATOR_CLOSE,
  OPERATOR_PATH,
  OPERATOR_SUBPROTOCOL,
  operatorCodec,
  type OperatorWire,
  type OperatorWireOf,
} from '../../../protocol/operator.js'
import type { Role } from './session.js'

export type LineState =
  | { readonly is: 'closed' }
  | { readonly is: 'connecting' }
  | { readonly is: 'open'; readonly who: Who }
  /** Lost, and tried again at `retryAtMs`, ms since 1970 UTC. */
  | { readonly is: 'away'; readonly retryAtMs: number; readonly why: string }

export interface Who {
  readonly name: string
  readonly role: Role
  /** null: who has only what is their own is not told. */
  readonly serverId: string | null
  readonly version: string | null
}

/** What an endpoint answered. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

export type Follow = Omit<OperatorWireOf<'operator.follow'>, 'type' | 'watchId'>
export type Body = NonNullable<OperatorWireOf<'operator.call'>['body']>
export type Method = OperatorWireOf<'operator.call'>['method']

export interface FollowHearer {
  events(events: readonly unknown[], dropped: number): void
  /** It has ended by itself: the actor is gone. */
  ended(reason: string): void
}

/** A way to the coordinator. */
export interface Way {
  readonly state: ReadonlySignal<LineState>
  /** How far the coordinator's clock is ahead of ours, ms. */
  readonly skewMs: number
  open(): void
  close(): void
  /** Resolves with the answer of an endpoint, whatever its status; rejects when there is none. */
  call(method: Method, path: string, body?: Body): Promise<Answer>
  /** Calls `hear` with what a GET answers, now and whenever it differs; returns what ends that. */
  watch(path: string, everyMs: number, hear: (answer: Answer) => void): () => void
  /** Calls `hear` with what happens from now on; returns what ends that. */
  follow(follow: Follow, hear: FollowHearer): () => void
}

type Standing =
  | { readonly is: 'watch'; readonly path: string; readonly everyMs: number; hear(answer: Answer): void }
  | { readonly is: 'follow'; readonly follow: Follow; readonly hear: FollowHearer }

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
  readonly timer: ReturnType<typeof setTimeout>
}

/** An answer that takes longer is not waited for, ms. */
const ANSWER_MAX_MS = 15_000
/** The first wait before coming back, and the longest, ms. */
export const BACKOFF_MS = { first: 500, most: 10_000 }

export class Line implements Way {
  readonly state = signal<LineState>({ is: 'closed' })
  skewMs = 0
  readonly #token: () => Promise<string | null>
  readonly #renewInMs: () => number
  readonly #refused: (reason: string) => void
  readonly #expired: () => boolean
  #socket: WebSocket | null = null
  #number = 0
  #tries = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #renewal: ReturnType<typeof setTimeout> | undefined
  readonly #standing = new Map<number, Standing>()
  readonly #waiting = new Map<number, Waiting>()

  /**
   * `refused` hears when the coordinator does not take the token, and why; `expired` hears when the token has ended, and
   * returns whether there can be another.
   */
  constructor(options: {
    readonly expired: () => boolean
    readonly token: () => Promise<string | null>
    readonly renewInMs: () => number
    readonly refused: (reason: string) => void
  }) {
    this.#token = options.token
    this.#renewInMs = options.renewInMs
    this.#refused = options.refused
    this.#expired = options.expired
  }

  open(): void {
    if (this.#socket !== null) return
    clearTimeout(this.#timer)
    this.state.value = { is: 'connecting' }
    const socket = new WebSocket(
      new URL(OPERATOR_PATH, location.href).href.replace(/^http/, 'ws'),
      OPERATOR_SUBPROTOCOL,
    )
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    socket.onopen = () => this.#sayToken('operator.hello', socket)
    socket.onmessage = ({ data }) => {
      for (const message of operatorCodec.decodeAll(new Uint8Array(data as ArrayBuffer))) this.#hear(message)
    }
    socket.onclose = ({ code, reason }) => this.#lost(socket, code, reason)
  }

  close(): void {
    const socket = this.#socket
    this.#socket = null
    clearTimeout(this.#timer)
    clearTimeout(this.#renewal)
    socket?.close(1000)
    this.#abandon('signed out')
    this.state.value = { is: 'closed' }
  }

  call(method: Method, path: string, body?: Body): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.state.peek().is !== 'open') return reject(new Error('the coordinator is out of reach now'))
      const requestId = ++this.#number
      const timer = setTimeout(() => {
        this.#waiting.delete(requestId)
        reject(new Error('the coordinator has not answered: whether it was done is not known'))
      }, ANSWER_MAX_MS)
      this.#waiting.set(requestId, { resolve, reject, timer })
      this.#send({ type: 'operator.call', requestId, method, path, ...(body !== undefined && { body }) })
    })
  }

  watch(path: string, everyMs: number, hear: (answer: Answer) => void): () => void {
    return this.#stand({ is: 'watch', path, everyMs, hear })
  }

  follow(follow: Follow, hear: FollowHearer): () => void {
    return this.#stand({ is: 'follow', follow, hear })
  }

  #stand(standing: Standing): () => void {
    const watchId = ++this.#number
    this.#standing.set(watchId, standing)
    if (this.state.peek().is === 'open') this.#begin(watchId, standing)
    return () => {
      if (this.#standing.delete(watchId) && this.state.peek().is === 'open')
        this.#send({ type: 'operator.unwatch', watchId })
    }
  }

  #begin(watchId: number, standing: Standing): void {
    this.#send(
      standing.is === 'watch'
        ? { type: 'operator.watch', watchId, path: standing.path, everyMs: standing.everyMs }
        : { type: 'operator.follow', watchId, ...standing.follow },
    )
  }

  #send(message: OperatorWire): void {
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(operatorCodec.encode(message) as Uint8Array<ArrayBuffer>)
  }

  #sayToken(type: 'operator.hello' | 'operator.renew', socket: WebSocket): void {
    this.#token()
      .then(token => {
        if (this.#socket !== socket) return
        if (token === null) this.close()
        else this.#send({ type, token })
      })
      // The token cannot be renewed while the coordinator is away: the socket tells so too.
      .catch(() => socket.close(1000))
  }

  #hear(message: OperatorWire): void {
    switch (message.type) {
      case 'operator.ready':
        return this.#ready(message)
      case 'operator.answer': {
        const waiting = this.#waiting.get(message.requestId)
        if (waiting === undefined) return
        this.#waiting.delete(message.requestId)
        clearTimeout(waiting.timer)
        return waiting.resolve({ status: message.status, body: message.body })
      }
      case 'operator.view': {
        this.skewMs = message.atMs - Date.now()
        const standing = this.#standing.get(message.watchId)
        if (standing?.is === 'watch') standing.hear({ status: message.status, body: message.body })
        return
      }
      case 'operator.events': {
        const standing = this.#standing.get(message.watchId)
        if (standing?.is === 'follow') standing.hear.events(message.events, message.dropped)
        return
      }
      case 'operator.ended': {
        const standing = this.#standing.get(message.watchId)
        this.#standing.delete(message.watchId)
        if (standing?.is === 'follow') standing.hear.ended(message.reason)
        if (standing?.is === 'watch')
          standing.hear({ status: 503, body: { error: { message: message.reason } } })
        return
      }
      default: // the rest is what pages say
    }
  }

  #ready({ name, role, serverId, version }: OperatorWireOf<'operator.ready'>): void {
    const isNew = this.state.peek().is !== 'open'
    this.#tries = 0
    this.state.value = { is: 'open', who: { name, role, serverId, version } }
    if (isNew) for (const [watchId, standing] of this.#standing) this.#begin(watchId, standing)
    clearTimeout(this.#renewal)
    const socket = this.#socket
    const inMs = this.#renewInMs()
    // Browsers count a timeout in 31 bits.
    if (socket !== null && inMs < 2 ** 31)
      this.#renewal = setTimeout(() => this.#sayToken('operator.renew', socket), inMs)
  }

  #lost(socket: WebSocket, code: number, reason: string): void {
    if (this.#socket !== socket) return
    this.#socket = null
    clearTimeout(this.#renewal)
    this.#abandon('the connection was lost: whether it was done is not known')
    if (code === OPERATOR_CLOSE.expired.code && this.#expired()) return this.open()
    // 4500 and above: not to come back until a person acts.
    if (code >= 4500 && code <= 4999) {
      this.state.value = { is: 'closed' }
      return this.#refused(reason)
    }
    const most = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** this.#tries++)
    const waitMs = most * (0.5 + Math.random() / 2)
    this.state.value = {
      is: 'away',
      retryAtMs: Date.now() + waitMs,
      why: reason || 'the coordinator is out of reach',
    }
    this.#timer = setTimeout(() => this.open(), waitMs)
  }

  #abandon(why: string): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(new Error(why))
    }
    this.#waiting.clear()
  }
}
