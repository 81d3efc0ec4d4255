/** Operators’ sockets: how many there may be, how long they may take to say who they are, and how they all end. */
import type { Connection, Intake, MeshApi, Socket } from '../../actors/ports.js'
import type { PluginHost } from '../../app/plugin.js'
import { every } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import { OPERATOR_HELLO_MS } from '../../protocol/operator.js'
import { LiveSocket, type SocketParts } from './live-socket.js'
import { Looks } from './looks.js'
import { topics } from './topics.js'

export type OperatorsHost = Pick<
  PluginHost,
  'clock' | 'log' | 'recognise' | 'ask' | 'admit' | 'revocations' | 'tail' | 'version'
>

/** Sockets in all, and of those that have not said who they are from one address. */
const SOCKETS_MAX = { all: 256, strangersPerAddress: 16 }
/** When a refused one may come back, s. */
const RETRY_AFTER_S = 2
/** How often what may have ended unheard is looked for, ms. */
const SWEEP_MS = 2_000
/** Timers count milliseconds in 31 bits; a token that lives longer is looked at again before. */
const TIMER_MAX_MS = 2 ** 30

export class Operators implements Intake {
  readonly looks: Looks
  readonly refused: Record<string, number> = {}
  dropped = 0
  readonly #clock: OperatorsHost['clock']
  readonly #sockets = new Set<LiveSocket>()
  readonly #hellos: Deadlines<LiveSocket>
  readonly #ends: Deadlines<LiveSocket>
  readonly #parts: SocketParts
  readonly #stops: readonly (() => void)[]
  #isShut = false

  constructor(mesh: MeshApi, host: OperatorsHost) {
    const { clock } = host
    this.#clock = clock
    this.looks = new Looks(clock)
    this.#hellos = new Deadlines(clock, socket => socket.end('helloTimeout'))
    this.#ends = new Deadlines(clock, socket => this.#endsAt(socket, socket.expiresAtMs))
    this.#parts = {
      ...host,
      serverId: mesh.serverId,
      looks: this.looks,
      topics: topics(mesh, host),
      known: socket => {
        this.#hellos.clear(socket)
        this.#endsAt(socket, socket.expiresAtMs)
      },
      refused: reason => {
        this.refused[reason] = (this.refused[reason] ?? 0) + 1
      },
      dropped: count => {
        this.dropped += count
      },
      gone: socket => {
        this.#sockets.delete(socket)
        this.#hellos.clear(socket)
        this.#ends.clear(socket)
      },
    }
    this.#stops = [
      host.revocations.on(({ accountId }) => {
        for (const socket of this.#sockets) if (socket.accountId === accountId) socket.recogniseAgain()
      }),
      every(clock, SWEEP_MS, () => {
        for (const socket of this.#sockets) socket.sweep()
      }),
    ]
  }

  get counts(): { readonly sockets: number; readonly watches: number; readonly follows: number } {
    const sockets = [...this.#sockets]
    return {
      sockets: sockets.length,
      watches: sockets.reduce((sum, { watches }) => sum + watches, 0),
      follows: sockets.reduce((sum, { follows }) => sum + follows, 0),
    }
  }

  admit(remote: string): ReturnType<Intake['admit']> {
    let strangers = 0
    for (const socket of this.#sockets) if (!socket.isKnown && socket.remote === remote) strangers++
    const isFull = this.#sockets.size >= SOCKETS_MAX.all || strangers >= SOCKETS_MAX.strangersPerAddress
    return this.#isShut || isFull ? { ok: false, retryAfterS: RETRY_AFTER_S } : { ok: true }
  }

  opened(socket: Socket): Connection {
    const opened = new LiveSocket(socket, this.#parts)
    this.#sockets.add(opened)
    this.#hellos.set(opened, OPERATOR_HELLO_MS)
    return opened
  }

  /** Tells everyone to come back, and takes no more. */
  shut(): void {
    this.#isShut = true
    for (const stop of this.#stops) stop()
    for (const socket of this.#sockets) socket.end('restarting')
    this.#hellos.stop()
    this.#ends.stop()
    this.looks.stop()
  }

  #endsAt(socket: LiveSocket, atMs: number | null): void {
    if (atMs === null) return this.#ends.clear(socket)
    const inMs = atMs - this.#clock.wallMs()
    if (inMs <= 0) socket.end('expired')
    else this.#ends.set(socket, Math.min(inMs, TIMER_MAX_MS))
  }
}
