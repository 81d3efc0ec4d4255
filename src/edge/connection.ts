/**
 * One WebSocket, from its first byte to its last. Takes messages apart and hands each value to where it
 * belongs; the lanes' values never leave this file's loop.
 *
 *   greeting ─ register | resume ─→ waiting ─ attach ─→ session ─→ gone
 */
import type { Challenge } from '../actors/admission/challenges.js'
import type { Connection, Hello, Slot, Socket, Vouch } from '../actors/ports.js'
import type { Line } from '../actors/session/cell.js'
import type { Turns } from '../kit/turns.js'
import { mayBeBeat } from '../lanes/heartbeat-frame.js'
import { CLOSE, type CloseName } from '../protocol/close-codes.js'
import { encode, endOfValue, eventOf, FrameError, unpackList } from '../protocol/codec.js'
import type { Wire, WireOf } from '../protocol/messages.js'
import { isRelayData } from '../protocol/relay-frame.js'
import { SENT } from '../protocol/sent.js'
import { GREETING_MESSAGE_MAX } from '../protocol/timing.js'
import type { EdgeLimits } from './limits.js'

export type Overhear = (slot: Slot, kind: 'said' | 'told', event: Wire) => void

/** Where a connection's values go. One for all connections. */
export interface Door {
  readonly limits: EdgeLimits
  now(): number
  /** Returns the time as of this turn of the event loop, where that is known without reading a clock. */
  turn(): number
  register(line: Line, challenge: Challenge, hello: WireOf<'register'>): void
  resume(line: Line, hello: WireOf<'resume'>): void
  enter(line: Line, hello: Hello, vouch: Vouch): void
  /** Greetings and losses come in floods. */
  readonly turns: Turns
  /** Hears what sessions say and are told, packets and heartbeats apart, while somebody watches one of them. */
  overheard: Overhear | null
  /** Called between events that come in floods, for what shall not wait until all of them are served. */
  between(): void
  /** Takes one hello from the address's allowance. */
  mayGreet(remote: string): boolean
  /** A control message of an established session; false when it may not say that now. */
  control(slot: Slot, event: Wire): boolean
  forward(slot: Slot, message: Uint8Array, at: number): number
  /** Takes a heartbeat of the usual shape; returns where it ends, or -1 when `beatList` must look at it. */
  beat(slot: Slot, message: Uint8Array, at: number, now: number): number
  /** Takes any heartbeat, or throws a FrameError. */
  beatList(slot: Slot, list: readonly unknown[], now: number): void
  /** What answers the last heartbeat. */
  readonly ack: Uint8Array
  heard(slot: Slot, now: number): void
  /** How many links the session is an end of. */
  linksOf(slot: Slot): number
  drained(slot: Slot): void
  established(connection: SocketConnection): void
  /** The socket of a session broke; what follows from it, `lost`, comes in its turn. */
  broke(connection: SocketConnection, slot: Slot): void
  lost(connection: SocketConnection, slot: Slot): void
  count(reason: string): void
  /** Our own code threw while it handled this connection. */
  faulted(connection: SocketConnection, slot: Slot, error: unknown): void
}

/**
 * Control messages are given up, and the reader with them, when this much waits in the socket, bytes, and for each link
 * that it is an end of: a node that comes back is told of all of them at once, in about 150 bytes each.
 */
const CONTROL_LIMIT = { base: 512 * 1024, perLink: 256 }
const HEARTBEAT = 0x10
const ANSWERING = 'the first message is being answered'
/** What a link adds to the control allowance, 1/s and at once: it is set up, tries its ways, and is reported on. */
const LINK_CONTROL = { perSecond: 1, burst: 8 }

export class SocketConnection implements Connection, Line {
  readonly socket: Socket
  readonly #door: Door
  /** null: it has not been welcomed yet, or its proof is being looked at. */
  #challenge: Challenge | null = null
  #slot: Slot = -1
  #gone = false
  #waits = false
  /** Control allowance: a token bucket written out, since there is one for every socket. */
  #tokens = 0
  #tokensMs = 0
  /** Links that the tokens above are for. */
  #tokenLinks = 0
  #strikes = 0
  #strikesMs = 0
  #pings = 0
  #pingsMs = 0
  #complainedMs = Number.NEGATIVE_INFINITY

  constructor(socket: Socket, door: Door) {
    this.socket = socket
    this.#door = door
    this.#tokens = door.limits.controlBurst
    this.#tokensMs = door.now()
  }

  /** Says who we are, and what a proof of the key is to be about. */
  welcome(challenge: Challenge, serverId: string, timeMs: number): void {
    this.#challenge = challenge
    this.tell({ type: 'welcome', serverId, challenge: challenge.publicKey, nonce: challenge.nonce, timeMs })
  }

  get gone(): boolean {
    return this.#gone
  }

  /** Whether its greeting is here, and waits for its turn. */
  get waits(): boolean {
    return this.#waits
  }

  get isSession(): boolean {
    return this.#slot >= 0
  }

  // ── Line: what the actors say ──────────────────────────────────────────────────────────────────

  tell(event: Wire): void {
    if (this.#gone) return
    this.#door.overheard?.(this.#slot, 'told', event)
    if (this.socket.send(encode(event)) !== SENT.dropped && !this.#isStuck()) return
    this.#door.count('slow_consumer')
    this.close('slowConsumer', CLOSE.slowConsumer.doc)
  }

  attach(slot: Slot): void {
    this.#slot = slot
    this.#challenge = null
    this.#door.established(this)
  }

  close(name: CloseName, reason: string): void {
    if (this.#gone) return
    this.#gone = true
    this.socket.close(CLOSE[name].code, reason)
  }

  // ── Connection: what the socket brings ─────────────────────────────────────────────────────────

  received(message: Uint8Array): void {
    if (this.#slot >= 0) this.#hear(message)
    else this.#await(message)
  }

  /** Hears a greeting in its turn. Apart from `received`, which would allocate for these closures at every message. */
  #await(message: Uint8Array): void {
    const { turns } = this.#door
    this.#door.between()
    if (turns.isFree) return turns.run(() => this.#hear(message))
    // One may wait, or whoever sends more before it registers could fill the memory.
    if (this.#waits) return this.#gone ? undefined : this.#strike('not_now', ANSWERING)
    this.#waits = true
    const own = message.slice(0, GREETING_MESSAGE_MAX + 1)
    turns.run(() => {
      this.#waits = false
      this.#hear(own)
    })
  }

  /** Greets for an agent whose socket is a mailbox. */
  enter(hello: Hello, vouch: Vouch): void {
    if (!this.#door.mayGreet(this.socket.remote)) return this.#flooding('hello_flood')
    this.#challenge = null
    this.#door.enter(this, hello, vouch)
  }

  receivedText(): void {
    if (!this.#gone) this.#strike('malformed', 'messages are binary')
  }

  pinged(): void {
    const now = this.#door.now()
    if (now - this.#pingsMs > 1_000) {
      this.#pings = 0
      this.#pingsMs = now
    }
    if (!this.#gone && ++this.#pings > this.#door.limits.pingsPerSecond) this.#flooding('ping_flood')
  }

  drained(): void {
    if (this.#slot >= 0) this.#door.drained(this.#slot)
  }

  closed(): void {
    this.#gone = true
    this.#door.between()
    if (this.#slot >= 0) this.#door.broke(this, this.#slot)
    this.#door.turns.run(() => this.#door.lost(this, this.#slot))
  }

  #hear(message: Uint8Array): void {
    if (this.#gone) return
    try {
      if (this.#slot < 0) this.#greet(message)
      else this.#take(message)
    } catch (error) {
      if (error instanceof FrameError) this.#strike(error.code, error.message, error.about)
      else this.#door.faulted(this, this.#slot, error)
    }
  }

  #greet(message: Uint8Array): void {
    if (message.length > GREETING_MESSAGE_MAX)
      throw new FrameError('malformed', `at most ${GREETING_MESSAGE_MAX} bytes before the session stands`)
    if (endOfValue(message, 0) !== message.length)
      throw new FrameError('malformed', 'one value, and nothing after it')
    const event = eventOf(unpackList(message))
    const challenge = this.#challenge
    if (challenge === null) return this.#strike('not_now', ANSWERING)
    if (event.type !== 'register' && event.type !== 'resume') {
      return this.#strike('not_now', 'the first message is `register` or `resume`')
    }
    if (!this.#door.mayGreet(this.socket.remote)) return this.#flooding('hello_flood')
    this.#challenge = null // a nonce serves one proof
    if (event.type === 'register') this.#door.register(this, challenge, event)
    else this.#door.resume(this, event)
  }

  /** Takes the values of a message one by one. Only a message that is good to its end counts as a sign of life. */
  #take(message: Uint8Array): void {
    let now = 0 // read when the first control message needs it
    const length = message.length
    if (length === 0) throw new FrameError('malformed', 'an empty message')
    for (let at = 0; at < length; ) {
      if (isRelayData(message, at)) {
        const end = this.#door.forward(this.#slot, message, at)
        if (end < 0) throw new FrameError('malformed', 'relay.data has not its fixed shape', 0x40)
        at = end
        continue
      }
      now ||= this.#door.now()
      if (!this.#mayControl(now)) return
      const beatEnd = mayBeBeat(message, at) ? this.#door.beat(this.#slot, message, at, now) : -1
      if (beatEnd >= 0) {
        at = beatEnd
        this.socket.send(this.#door.ack)
        continue
      }
      const end = endOfValue(message, at)
      const list = unpackList(at === 0 && end === length ? message : message.subarray(at, end))
      at = end
      if (list[0] === HEARTBEAT) {
        this.#door.beatList(this.#slot, list, now)
        this.socket.send(this.#door.ack)
      } else if (!this.#control(eventOf(list))) return
    }
    this.#door.heard(this.#slot, now || this.#door.turn())
  }

  /** Returns false when the connection is over or the message did not belong here. */
  #control(event: Wire): boolean {
    this.#door.overheard?.(this.#slot, 'said', event)
    if (!this.#door.control(this.#slot, event)) {
      this.#strike('not_now', `${event.type} is not for this session to say now`)
      return false
    }
    return !this.#gone
  }

  /** Each link has an allowance of its own: who is asked about thousands of them has thousands of answers to give. */
  #mayControl(now: number): boolean {
    const { controlPerSecond, controlBurst } = this.#door.limits
    const links = this.#door.linksOf(this.#slot)
    const burst = controlBurst + links * LINK_CONTROL.burst
    const perSecond = controlPerSecond + links * LINK_CONTROL.perSecond
    if (links > this.#tokenLinks) this.#tokens += (links - this.#tokenLinks) * LINK_CONTROL.burst
    this.#tokenLinks = links
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#tokensMs) * perSecond) / 1_000)
    this.#tokensMs = now
    if (this.#tokens >= 1) {
      this.#tokens--
      return true
    }
    this.#flooding('control_flood')
    return false
  }

  #isStuck(): boolean {
    const waiting = this.socket.buffered()
    if (waiting <= CONTROL_LIMIT.base) return false
    return waiting > CONTROL_LIMIT.base + this.#door.linksOf(this.#slot) * CONTROL_LIMIT.perLink
  }

  #flooding(reason: string): void {
    this.#door.count(reason)
    this.close('flooding', CLOSE.flooding.doc)
  }

  /** The peer's fault: counted, answered at most once a second, and too many close the socket. */
  #strike(code: WireOf<'error'>['code'], reason: string, about?: number): void {
    this.#door.count(code)
    const now = this.#door.now()
    if (now - this.#strikesMs > 60_000) {
      this.#strikes = 0
      this.#strikesMs = now
    }
    if (now - this.#complainedMs >= 1_000) {
      this.#complainedMs = now
      this.tell({ type: 'error', code, reason: reason.slice(0, 256), ...(about !== undefined && { about }) })
    }
    if (++this.#strikes >= this.#door.limits.strikesPerMinute) this.close('malformed', CLOSE.malformed.doc)
  }
}
