/**
 * A coordinator that says what a test tells it to, over sockets in memory. By itself it greets, registers
 * whoever proves its key, resumes the ticket it gave last and acknowledges heartbeats; each can be turned off.
 */
import type { Dial, SocketEvents } from '../../../src/agent/ports.js'
import { decodeAll, encode } from '../../../src/protocol/codec.js'
import type { Wire, WireOf } from '../../../src/protocol/messages.js'
import { newKeyPair, privateKeyOf, proofHolds } from '../../../src/protocol/proof.js'
import type { SimulatedClock } from '../../support/simulated-clock.js'

export const SERVER_ID = 'coordinator-1'

export class ScriptedCoordinator {
  readonly clock: SimulatedClock
  readonly calls: Call[] = []
  /** Takes calls at all. */
  reachable = true
  /** Says `welcome` and answers `register` and `resume`. */
  answers = true
  acknowledges = true
  /** Links that `registered` and `resumed` list. */
  links: readonly number[] = []
  iceServers: NonNullable<WireOf<'registered'>['iceServers']> | null = null
  tickets = 0
  #ticket: Uint8Array | null = null

  constructor(clock: SimulatedClock) {
    this.clock = clock
  }

  readonly dial: Dial = (_url, events) => {
    const call = new Call(this, events)
    this.calls.push(call)
    this.clock.soon(() => (this.reachable ? call.open() : call.drop(1006, 'unreachable')))
    return call.socket
  }

  /** The newest call. */
  get call(): Call {
    const call = this.calls.at(-1)
    if (call === undefined) throw new Error('nobody has called')
    return call
  }

  newTicket(): Uint8Array {
    this.#ticket = new Uint8Array(32).fill(++this.tickets)
    return this.#ticket
  }

  /** Returns whether `ticket` is the one given last; it is used up by that. */
  takes(ticket: Uint8Array): boolean {
    const right = this.#ticket !== null && Buffer.compare(ticket, this.#ticket) === 0
    if (right) this.#ticket = null
    return right
  }

  /** Forgets every session, as a coordinator without its store would. */
  forget(): void {
    this.#ticket = null
  }
}

export class Call {
  readonly #coordinator: ScriptedCoordinator
  readonly #events: SocketEvents
  readonly #challenge = newKeyPair()
  readonly #nonce = new Uint8Array(32).fill(7)
  readonly heard: Wire[] = []
  /** WebSocket messages as they came. */
  readonly messages: Uint8Array[] = []
  /** How the agent closed; null while it has not. */
  hungUp: { readonly code: number; readonly reason: string } | null = null
  buffered = 0
  readonly socket = {
    send: (bytes: Uint8Array) => this.#received(Uint8Array.from(bytes)),
    buffered: () => this.buffered,
    close: (code: number, reason: string) => {
      this.hungUp = { code, reason }
    },
  }

  constructor(coordinator: ScriptedCoordinator, events: SocketEvents) {
    this.#coordinator = coordinator
    this.#events = events
  }

  open(): void {
    this.#events.opened()
    if (this.#coordinator.answers) this.say(this.welcome())
  }

  welcome(): WireOf<'welcome'> {
    return {
      type: 'welcome',
      serverId: SERVER_ID,
      challenge: this.#challenge.publicKey,
      nonce: this.#nonce,
      timeMs: 0,
    }
  }

  registered(): WireOf<'registered'> {
    return {
      type: 'registered',
      sessionId: 's-1',
      generation: 1,
      ticket: this.#coordinator.newTicket(),
      overlay4: '10.77.0.2/32',
      overlay6: 'fd77::2/128',
      beatEveryMs: 10_000,
      silenceMs: 25_000,
      resumeWindowMs: 120_000,
      relayMtu: 9_000,
      links: this.#coordinator.links,
      ...this.#given(),
    }
  }

  resumed(): WireOf<'resumed'> {
    const { links } = this.#coordinator
    return {
      type: 'resumed',
      sessionId: 's-1',
      generation: 2,
      ticket: this.#coordinator.newTicket(),
      links,
      ...this.#given(),
    }
  }

  /** Sends events in one WebSocket message. */
  say(...events: readonly Wire[]): void {
    this.sayBytes(Buffer.concat(events.map(encode)))
  }

  sayBytes(message: Uint8Array): void {
    this.#events.received(message)
  }

  /** The socket is gone. */
  drop(code = 1006, reason = '', retryAfterMs?: number): void {
    this.#events.closed(code, reason, retryAfterMs)
  }

  /** What was heard of one type, oldest first. */
  all<T extends Wire['type']>(type: T): WireOf<T>[] {
    return this.heard.filter((event): event is WireOf<T> => event.type === type)
  }

  #given() {
    const { iceServers } = this.#coordinator
    return iceServers === null ? {} : { iceServers }
  }

  #received(message: Uint8Array): void {
    this.messages.push(message)
    for (const event of decodeAll(message)) {
      this.heard.push(event)
      this.#coordinator.clock.soon(() => this.#answer(event))
    }
  }

  #answer(event: Wire): void {
    if (event.type === 'heartbeat' && this.#coordinator.acknowledges) {
      this.say({ type: 'heartbeat.ack', seq: event.seq, stamp: Math.trunc(this.#coordinator.clock.now()) })
    }
    if (!this.#coordinator.answers) return
    if (event.type === 'register') {
      if (this.#proves(event)) this.say(this.registered())
      else this.#refuse('proof_failed', 4502)
    }
    if (event.type === 'resume') {
      if (this.#coordinator.takes(event.ticket)) this.say(this.resumed())
      else this.#refuse('ticket_unknown', 4003)
    }
  }

  #proves({ role, id, publicKey, proof }: WireOf<'register'>): boolean {
    const own = privateKeyOf(this.#challenge.privateKey)
    return proofHolds(own, publicKey, { nonce: this.#nonce, role, id, serverId: SERVER_ID }, proof)
  }

  #refuse(code: WireOf<'refused'>['code'], close: number): void {
    this.say({ type: 'refused', code, reason: code })
    this.drop(close, code)
  }
}
