/**
 * An agent's contact with its coordinator: the machine, the line it dials, and the lanes that run beside
 * them while the session stands.
 *
 *   machine ── asks ──▶ line ── bytes ──▶ coordinator
 *      ▲                 │
 *      └─ session events ┼─ packets, paths, routes ──▶ whoever hears
 *                        └─ acks ──▶ beats, silence
 */
import { type Actor, createActor } from 'xstate'
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import { definitionOf } from '../protocol/codec.js'
import type { Wire, WireOf } from '../protocol/messages.js'
import { actorClock } from './actor-clock.js'
import { agentWith } from './agent.effects.js'
import type { agentMachine, SessionEvent } from './agent.machine.js'
import { Beats } from './beats.js'
import type { Counters } from './counters.js'
import type { Identity } from './identity.js'
import { Line } from './line.js'
import type { AgentMemory, Dial, Gauges, IceServers, SavedSession } from './ports.js'
import { Session, type Standing } from './session.js'
import { Silence } from './silence.js'
import type { AgentTiming } from './timing.js'

const FIGURES = definitionOf('heartbeat').fields

export interface ContactOptions {
  readonly url: string
  readonly identity: Identity
  readonly dial: Dial
  readonly memory: AgentMemory
  readonly gauges: Gauges
  /** Links with traffic since the last heartbeat. */
  readonly activeLinks: () => number
  readonly counters: Counters
  readonly clock: Clock
  readonly random: Random
  readonly timing: AgentTiming
}

export interface ContactEvents {
  /** The session stands, with these links. */
  stood(standing: Standing, session: SavedSession, links: readonly number[]): void
  /** It stands no more, or not at the moment. */
  fell(): void
  waiting(reason: string, retryInMs: number): void
  /** The session has ended, and none of its links is left; the agent comes back by itself. */
  ended(reason: string): void
  refused(code: string, reason: string): void
  /** Whatever does not concern the session. */
  message(event: Wire): void
  /** The payload is only lent until the call returns. */
  packet(link: number, payload: Uint8Array): void
  /** A heartbeat has left; `count` of them since the session stood. */
  beaten(count: number): void
  fault(what: string, error: unknown): void
}

/** `retryInMs`: from when the refusal came; null: not by itself. */
export interface Refusal {
  readonly code: string
  readonly retryInMs: number | null
}

export type ContactState = 'offline' | 'dialing' | 'greeting' | 'online' | 'backingOff' | 'refused'

export class Contact {
  readonly #options: ContactOptions
  readonly #hear: ContactEvents
  readonly #session: Session
  readonly #beats: Beats
  readonly #silence: Silence
  readonly #actor: Actor<typeof agentMachine>
  #line: Line | null = null

  constructor(options: ContactOptions, hear: ContactEvents) {
    const { clock, random, timing, identity, memory, activeLinks } = options
    this.#options = options
    this.#hear = hear
    // Soon, as whoever made the agent has not begun to listen yet.
    this.#session = new Session(memory, error => clock.soon(() => hear.fault('memory', error)))
    this.#beats = new Beats({
      clock,
      id: identity.id,
      gauges: () => this.#gauges(),
      activeLinks,
      send: beat => this.say(beat),
      beaten: count => hear.beaten(count),
    })
    this.#silence = new Silence({
      clock,
      lastHeardMs: () => this.#line?.lastValidMs ?? clock.now(),
      silent: () => this.#actor.send({ type: 'socket.silent', nowMs: clock.now() }),
    })
    this.#actor = createActor(this.#machine(), {
      input: { timing, random, holdsTicket: this.#session.saved !== null },
      clock: actorClock(clock),
    }).start()
  }

  get state(): ContactState {
    const { value } = this.#actor.getSnapshot()
    if (typeof value === 'string') return value
    return 'online' in value ? 'online' : 'greeting'
  }

  /** Why there is no session, for people. */
  get reason(): string {
    return this.#actor.getSnapshot().context.reason
  }

  /** The coordinator's last answer while there is no session, when it was a refusal, and when it is asked again, ms. */
  get refusal(): Refusal | null {
    const { value, context } = this.#actor.getSnapshot()
    const { refusal, waitMs } = context
    if (refusal === null || (value !== 'backingOff' && value !== 'refused')) return null
    return { code: refusal.code, retryInMs: value === 'refused' ? null : waitMs }
  }

  get standing(): Standing | null {
    return this.#session.standing
  }

  /** Smoothed round trip to the coordinator, ms; null when unknown. */
  get rttMs(): number | null {
    return this.#beats.rttMs
  }

  /** STUN and TURN servers as the coordinator gave them last. */
  get iceServers(): IceServers {
    return this.#session.saved?.iceServers ?? []
  }

  start(): void {
    this.#actor.send({ type: 'start' })
  }

  stop(leave: boolean): void {
    this.#actor.send({ type: 'stop', leave })
  }

  nudge(): void {
    this.#actor.send({ type: 'nudge' })
  }

  /** Sends to the coordinator; lost when there is no connection. */
  say(event: Wire): void {
    this.#line?.send(event)
  }

  /** Takes a packet for the other end of `link`; false when it was dropped, which is counted. */
  relay(link: number, packet: Uint8Array): boolean {
    const { dropped } = this.#options.counters
    const { standing, saved } = this.#session
    if (this.#line === null || standing === null || saved === null) {
      dropped.offline++
      return false
    }
    if (packet.length > saved.relayMtu) {
      dropped.oversize++
      return false
    }
    return this.#line.relay(link, packet)
  }

  #machine() {
    return agentWith({
      line: {
        dial: () => this.#dial(),
        hangUp: (code, reason) => this.#line?.end(code, reason),
        send: event => this.say(event),
      },
      session: {
        resume: () => this.#resume(),
        register: welcome => this.#register(welcome),
        stand: said => this.#session.stand(said),
        renewed: said => this.#session.renewed(said),
        forget: () => this.#session.forget(),
      },
      lanes: {
        open: () => this.#openLanes(),
        probe: () => this.#probe(),
        close: () => this.#closeLanes(),
      },
      tell: this.#hear,
    })
  }

  #dial(): void {
    const { url, dial, clock, counters } = this.#options
    this.#line = new Line(
      { url, dial, clock, counters },
      {
        opened: () => this.#actor.send({ type: 'socket.opened' }),
        message: event => this.#message(event),
        packet: (link, payload) => this.#hear.packet(link, payload),
        closed: (code, reason, retryAfterMs) =>
          this.#actor.send({ type: 'socket.closed', code, reason, retryAfterMs, nowMs: clock.now() }),
      },
    )
  }

  #message(event: Wire): void {
    const session = sessionEvent(event, this.#options.clock.now())
    if (session !== null) this.#actor.send(session)
    else if (event.type === 'heartbeat.ack') this.#beats.acked(event)
    else if (event.type === 'error') {
      this.#hear.fault('coordinator', new Error(`${event.code}: ${event.reason}`))
    } else this.#hear.message(event)
  }

  #resume(): void {
    const { saved } = this.#session
    if (saved !== null) this.say({ type: 'resume', ticket: saved.ticket })
  }

  /** Without an answer the greeting times out, and the agent backs off. */
  #register(welcome: WireOf<'welcome'>): void {
    try {
      this.say(this.#options.identity.register(welcome))
    } catch (error) {
      this.#hear.fault('proof', error)
    }
  }

  #openLanes(): void {
    const { standing, saved, links } = this.#session
    if (standing === null || saved === null) return
    this.#hear.stood(standing, saved, links)
    this.#silence.watch(saved.silenceMs)
    this.#beats.start(saved.beatEveryMs)
  }

  #probe(): void {
    this.#beats.beat()
    this.#silence.expect(this.#options.timing.probeMs)
  }

  #closeLanes(): void {
    this.#beats.stop()
    this.#silence.stop()
    this.#session.fall()
    this.#hear.fell()
  }

  /** Gauges that fail, or figures that the wire does not take, cost themselves and not the heartbeat. */
  #gauges(): ReturnType<Gauges> {
    try {
      const read = Object.entries(this.#options.gauges())
      return Object.fromEntries(read.filter(([name, value]) => FIGURES[name]?.check(value) === undefined))
    } catch (error) {
      this.#hear.fault('gauges', error)
      return {}
    }
  }
}

/** Returns the event for the machine when the message concerns the session, else null. */
function sessionEvent(event: Wire, nowMs: number): SessionEvent | null {
  switch (event.type) {
    case 'welcome':
    case 'registered':
    case 'resumed':
    case 'refused':
    case 'renewed':
    case 'replaced':
    case 'goodbye':
      return event
    case 'restarting':
      return { ...event, nowMs }
    default:
      return null
  }
}
