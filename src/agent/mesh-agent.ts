/**
 * What a node and a client have in common: the machine, the line, the lanes, and the events that a program
 * hears. `MeshNode` and `MeshClient` are this with a role.
 *
 *   machine ── asks ──▶ line ── bytes ──▶ coordinator
 *      ▲                 │
 *      └─ session events ┼─ packets ──▶ links ──▶ tunnel
 *                        └─ acks ─────▶ beats, silence
 */
import { type Actor, createActor } from 'xstate'
import type { Clock } from '../kit/clock.js'
import { type Random, systemRandom } from '../kit/random.js'
import type { Wire, WireOf } from '../protocol/messages.js'
import { meshUrl } from './address.js'
import { actorClock } from './actor-clock.js'
import { agentWith } from './agent.effects.js'
import type { agentMachine, SessionEvent } from './agent.machine.js'
import { Beats } from './beats.js'
import { type Counters, newCounters } from './counters.js'
import { DatagramTunnel } from './datagram-tunnel.js'
import { dialWs } from './dial-ws.js'
import { Emitter, type Listener } from './emitter.js'
import { AgentError, RefusedError } from './errors.js'
import { heldClock } from './held-clock.js'
import { Identity, type IdentityOptions } from './identity.js'
import type { LinkMetrics, LinkState } from './link.js'
import { Line } from './line.js'
import { Links } from './links.js'
import type { AgentMemory, Dial, Gauges, Peer, Tunnel } from './ports.js'
import { Session, type Standing, volatileMemory } from './session.js'
import { Silence } from './silence.js'
import { AGENT_TIMING, type AgentTiming } from './timing.js'

export interface MeshAgentOptions extends Omit<IdentityOptions, 'role'> {
  /** The coordinator: `https://host`, `wss://host/mesh` or `host:port`. */
  readonly url: string
  /** What carries the packets; without one they are `packet` events and `send`. */
  readonly tunnel?: Tunnel | undefined
  /** Keeps the session over a restart of this process; without one, a restart registers anew. */
  readonly memory?: AgentMemory | undefined
  /** Read at every heartbeat; without it, heartbeats carry no figures. */
  readonly gauges?: Gauges | undefined
  readonly dial?: Dial | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly timing?: Partial<AgentTiming> | undefined
}

export interface MeshAgentEvents {
  /** The session stands. */
  online: Standing
  /** Not connected; the agent comes back by itself. Links stay. */
  offline: { readonly reason: string; readonly retryInMs: number }
  /** A final answer: the agent stays away until `start` is called again. */
  refused: { readonly code: string; readonly reason: string }
  /** This end of a link is set up. */
  link: { readonly link: number; readonly peer: Peer }
  /** Both ends are set up, or the path has moved: packets travel this way now. */
  path: { readonly link: number; readonly tier: WireOf<'path.settled'>['tier'] }
  linkClosed: { readonly link: number; readonly peer: Peer; readonly reason: string }
  /** A packet arrived and no tunnel was given. The bytes are only lent until the listener returns. */
  packet: { readonly link: number; readonly packet: Uint8Array }
  /** Something on this machine failed; the agent goes on without it. */
  fault: { readonly what: string; readonly error: unknown }
}

/** An agent at a glance. */
export interface MeshAgentStatus {
  readonly state: 'offline' | 'dialing' | 'greeting' | 'online' | 'backingOff' | 'refused'
  /** Why it is not online; `online` when it is. */
  readonly reason: string
  readonly session: Standing | null
  /** Smoothed round trip to the coordinator, ms; null when unknown. */
  readonly rttMs: number | null
  readonly links: readonly { readonly link: number; readonly peerId: string; readonly state: LinkState }[]
  readonly counters: Counters
}

const NO_GAUGES: Gauges = () => ({})

export abstract class MeshAgent<Events extends MeshAgentEvents> {
  readonly id: string
  /** Where the agent dials. */
  readonly url: string
  protected readonly emitter = new Emitter<Events>()
  protected readonly clock: Clock
  protected readonly random: Random
  protected readonly timing: AgentTiming
  protected readonly links: Links
  /** The default tunnel; null when another was given. */
  protected readonly datagrams: DatagramTunnel | null
  readonly #identity: Identity
  readonly #dial: Dial
  readonly #tunnel: Tunnel
  readonly #counters = newCounters()
  readonly #session: Session
  readonly #beats: Beats
  readonly #silence: Silence
  readonly #actor: Actor<typeof agentMachine>
  #line: Line | null = null
  /** Who waits for the first `online`. */
  readonly #stopped = new Set<() => void>()
  /** The addresses that the tunnel was given. */
  #addressed = ''

  /** Throws an AgentError that names the option which is wrong. Nothing is dialled before `start`. */
  constructor(role: 'node' | 'client', options: MeshAgentOptions) {
    this.url = meshUrl(options.url)
    this.#identity = new Identity({ ...options, role })
    this.id = options.id
    this.clock = options.clock ?? heldClock
    this.random = options.random ?? systemRandom
    this.timing = { ...AGENT_TIMING, ...options.timing }
    this.#dial = options.dial ?? dialWs()
    this.datagrams = options.tunnel
      ? null
      : new DatagramTunnel({ received: (link, packet) => this.emit('packet', { link, packet }) })
    this.#tunnel = options.tunnel ?? (this.datagrams as DatagramTunnel) // made when none was given
    this.#session = new Session(options.memory ?? volatileMemory(), error => this.fault('memory', error))
    this.links = new Links({
      clock: this.clock,
      tunnel: this.#tunnel,
      counters: this.#counters,
      send: event => this.say(event),
      relay: (link, packet) => this.#relay(link, packet),
      events: {
        opened: (link, peer) => this.emit('link', { link, peer }),
        settled: (link, tier) => {
          this.emit('path', { link, tier })
          this.settled(link)
        },
        closed: (link, peer, reason) => {
          this.emit('linkClosed', { link, peer, reason })
          this.unlinked(link, reason)
        },
        failed: error => this.fault('tunnel', error),
      },
    })
    this.#beats = new Beats({
      clock: this.clock,
      id: this.id,
      gauges: options.gauges ?? NO_GAUGES,
      activeLinks: () => this.links.countActive(),
      send: beat => this.say(beat),
      beaten: count => this.links.report(count, this.timing.reportEveryBeats),
    })
    this.#silence = new Silence({
      clock: this.clock,
      lastHeardMs: () => this.#line?.lastValidMs ?? this.clock.now(),
      silent: () => this.#actor.send({ type: 'socket.silent', nowMs: this.clock.now() }),
    })
    this.#actor = createActor(this.#machine(), {
      input: { timing: this.timing, random: this.random, holdsTicket: this.#session.saved !== null },
      clock: actorClock(this.clock),
    }).start()
  }

  /** Calls `listener` at every `type`; returns what takes it away again. */
  on<K extends keyof Events>(type: K, listener: Listener<Events[K]>): () => void {
    return this.emitter.on(type, listener)
  }

  /**
   * Dials, and resolves when the session stands for the first time. Waits out whatever passes: a coordinator
   * that is away, restarting or busy. Rejects with a RefusedError when it will never have this agent, and
   * when the agent is stopped.
   */
  start(): Promise<Standing> {
    const { standing } = this.#session
    if (standing !== null) return Promise.resolve(standing)
    const first = new Promise<Standing>((resolve, reject) => {
      const settle = (then: () => void) => {
        for (const off of offs) off()
        then()
      }
      const offs = [
        this.on('online', standing => settle(() => resolve(standing))),
        this.on('refused', ({ code, reason }) => settle(() => reject(new RefusedError(code, reason)))),
        this.#onStopped(() =>
          settle(() => reject(new AgentError('STOPPED', 'stopped before it was online'))),
        ),
      ]
    })
    // Whoever only listens to the events need not wait for the promise.
    first.catch(() => {})
    this.#actor.send({ type: 'start' })
    return first
  }

  /**
   * Stops and closes every link. With `leave` (the default) the session ends, and the coordinator moves its
   * routes at once; without it, an agent that starts again soon resumes it with routes and links intact.
   */
  async stop({ leave = true }: { readonly leave?: boolean } = {}): Promise<void> {
    this.#actor.send({ type: 'stop', leave })
    this.links.closeAll('the agent stops')
    for (const stopped of this.#stopped) stopped()
    await this.links.idle()
    await this.#tunnel.stop()
    this.#addressed = ''
  }

  /**
   * The network has changed, says `watchNetwork` or whoever knows: dials now instead of waiting, or asks the
   * coordinator for a sign of life, and dials again when none comes within seconds.
   */
  nudge(): void {
    this.#actor.send({ type: 'nudge' })
  }

  status(): MeshAgentStatus {
    const { value, context } = this.#actor.getSnapshot()
    const state = typeof value === 'string' ? value : 'online' in value ? 'online' : 'greeting'
    return {
      state,
      reason: context.reason,
      session: this.#session.standing,
      rttMs: this.#beats.rttMs,
      links: [...this.links].map(([link, { peer, state }]) => ({ link, peerId: peer.peerId, state })),
      counters: this.#counters,
    }
  }

  /** Returns the figures of a link; null when there is no such link. */
  linkMetrics(link: number): LinkMetrics | null {
    return this.links.metrics(link)
  }

  // ── what a role may care about ─────────────────────────────────────────────────────────────────

  /** Hears what is nothing to agents in general. */
  protected hear(_event: Wire): void {
    this.#counters.faults.misplaced++
  }
  /** The session stands with these links. */
  protected stood(_links: readonly number[]): void {}
  /** The session stands no more, or not at the moment. */
  protected fell(): void {}
  /** Both ends of a link are set up. */
  protected settled(_link: number): void {}
  protected unlinked(_link: number, _reason: string): void {}

  // ── what a role may do ─────────────────────────────────────────────────────────────────────────

  /** Sends to the coordinator; lost when there is no session. */
  protected say(event: Wire): void {
    this.#line?.send(event)
  }

  /** Events here are MeshAgentEvents, whatever else a role adds. */
  protected emit<K extends keyof MeshAgentEvents>(type: K, event: MeshAgentEvents[K]): void {
    this.emitter.emit(type, event as Events[K]) // Events has all of MeshAgentEvents
  }

  protected fault(what: string, error: unknown): void {
    this.emit('fault', { what, error })
  }

  #onStopped(run: () => void): () => void {
    this.#stopped.add(run)
    return () => void this.#stopped.delete(run)
  }

  #machine() {
    return agentWith({
      line: {
        dial: () => this.#dialNow(),
        hangUp: (code, reason) => this.#line?.end(code, reason),
        send: event => this.say(event),
      },
      session: {
        resume: () => this.#resume(),
        register: welcome => this.#register(welcome),
        stand: said => this.#session.stand(said),
        renewed: ticket => this.#session.renewed(ticket),
        forget: () => this.#session.forget(),
      },
      lanes: {
        open: () => this.#openLanes(),
        probe: () => this.#probe(),
        close: () => this.#closeLanes(),
      },
      tell: {
        waiting: (reason, retryInMs) => this.emit('offline', { reason, retryInMs }),
        refused: (code, reason) => {
          this.links.closeAll(`refused: ${reason}`)
          this.emit('refused', { code, reason })
        },
      },
    })
  }

  #dialNow(): void {
    const { clock, url } = this
    this.#line = new Line(
      { url, dial: this.#dial, clock, counters: this.#counters },
      {
        opened: () => this.#actor.send({ type: 'socket.opened' }),
        message: event => this.#message(event),
        packet: (link, payload) => this.links.deliver(link, payload),
        closed: (code, reason, retryAfterMs) =>
          this.#actor.send({ type: 'socket.closed', code, reason, retryAfterMs, nowMs: clock.now() }),
      },
    )
  }

  #message(event: Wire): void {
    const session = sessionEvent(event, this.clock)
    if (session !== null) this.#actor.send(session)
    else if (event.type === 'heartbeat.ack') this.#beats.acked(event)
    else if (event.type === 'error') this.fault('coordinator', new Error(`${event.code}: ${event.reason}`))
    else if (!this.links.hear(event)) this.hear(event)
  }

  #resume(): void {
    const { saved } = this.#session
    if (saved !== null) this.say({ type: 'resume', ticket: saved.ticket })
  }

  /** Without an answer the greeting times out, and the agent backs off. */
  #register(welcome: WireOf<'welcome'>): void {
    try {
      this.say(this.#identity.register(welcome))
    } catch (error) {
      this.fault('proof', error)
    }
  }

  #openLanes(): void {
    const { standing, saved, links } = this.#session
    if (standing === null || saved === null) return
    const { overlay4, overlay6, relayMtu: mtu, beatEveryMs, silenceMs } = saved
    const own = `${overlay4} ${overlay6} ${mtu}`
    if (own !== this.#addressed) this.links.addressed({ overlay4, overlay6, mtu })
    this.#addressed = own
    this.links.keep(links)
    this.#silence.watch(silenceMs)
    this.#beats.start(beatEveryMs)
    this.emit('online', standing)
    this.stood(links)
  }

  #probe(): void {
    this.#beats.beat()
    this.#silence.expect(this.timing.probeMs)
  }

  #closeLanes(): void {
    this.#beats.stop()
    this.#silence.stop()
    this.#session.fall()
    this.fell()
  }

  #relay(link: number, packet: Uint8Array): boolean {
    if (this.#line !== null && this.#session.standing !== null) return this.#line.relay(link, packet)
    this.#counters.dropped.offline++
    return false
  }
}

/** Returns the event for the machine when the message concerns the session, else null. */
function sessionEvent(event: Wire, clock: Clock): SessionEvent | null {
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
      return { ...event, nowMs: clock.now() }
    default:
      return null
  }
}
