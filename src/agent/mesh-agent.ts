/**
 * What a node and a client have in common, as a program sees it: start, stop, events, and the links over
 * which packets travel. `MeshNode` and `MeshClient` are this with a role.
 */
import type { Clock } from '../kit/clock.js'
import { type Random, systemRandom } from '../kit/random.js'
import type { Wire, WireOf } from '../protocol/messages.js'
import { meshUrl } from './address.js'
import { Contact, type ContactState, type Refusal } from './contact.js'
import { type Counters, newCounters } from './counters.js'
import { DatagramTunnel } from './datagram-tunnel.js'
import { dialWs } from './dial-ws.js'
import { Emitter, type Listener } from './emitter.js'
import { AgentError, RefusedError } from './errors.js'
import { heldClock } from './held-clock.js'
import { Identity, type IdentityOptions } from './identity.js'
import type { Link, LinkMetrics, LinkState, Tier } from './link.js'
import { Links, type Pressed, type Settled } from './links.js'
import type { AgentMemory, Dial, Gauges, Peer, Prober, Tunnel, Way } from './ports.js'
import { type Carrier, Reporter, type ReportOptions } from './reports/reporter.js'
import { SessionCarrier } from './reports/session-carrier.js'
import { type Standing, volatileMemory } from './session.js'
import { AGENT_TIMING, type AgentTiming } from './timing.js'

export interface MeshAgentOptions extends Omit<IdentityOptions, 'role' | 'can'> {
  /** The coordinator: `https://host`, `wss://host/mesh` or `host:port`. */
  readonly url: string
  /** What carries the packets; without one they are `packet` events and `send`. */
  readonly tunnel?: Tunnel | undefined
  /** Ways off the relay, best first; without any, packets stay on it. The agent stops them when it stops. */
  readonly ways?: readonly Way[] | undefined
  /** Tells the coordinator what the NAT in front of this machine does; without one, it does not know. */
  readonly prober?: Prober | undefined
  /** Keeps the session over a restart of this process; without one, a restart registers anew. */
  readonly memory?: AgentMemory | undefined
  /** Read at every heartbeat; without it, heartbeats carry no figures. */
  readonly gauges?: Gauges | undefined
  /** How `reports` are sent, and where they wait; without it they wait in memory. */
  readonly reports?:
    | (ReportOptions & {
        readonly path?: string | undefined
        /** Who takes them, instead of the coordinator over the session. */
        readonly carrier?: Carrier | undefined
      })
    | undefined
  readonly dial?: Dial | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly timing?: Partial<AgentTiming> | undefined
}

export interface MeshAgentEvents {
  /** The session stands. */
  online: Standing
  /** Not connected; the agent comes back by itself. Links stay, unless its session has ended. */
  offline: { readonly reason: string; readonly retryInMs: number }
  /** A final answer: the agent stays away until `start` is called again. */
  refused: { readonly code: string; readonly reason: string }
  /** This end of a link is set up. */
  link: { readonly link: number; readonly peer: Peer }
  /** Both ends are set up, or the path has moved: packets travel this way now. */
  path: Settled
  linkClosed: { readonly link: number; readonly peer: Peer; readonly reason: string }
  /** The relay drops packets of a link: more is sent than it, or the peer, takes. */
  pressure: Pressed
  /** A packet arrived and no tunnel was given. The bytes are only lent until the listener returns. */
  packet: { readonly link: number; readonly packet: Uint8Array }
  /** Something on this machine failed; the agent goes on without it. */
  fault: { readonly what: string; readonly error: unknown }
}

export interface StopOptions {
  readonly leave?: boolean
  readonly keepTunnel?: boolean
}

/** An agent at a glance. */
export interface MeshAgentStatus {
  readonly state: ContactState
  /** Why it is not online; `online` when it is. */
  readonly reason: string
  /** Why the coordinator would not have it, by the wire's word for it; null while it is not refused. */
  readonly refusal: Refusal | null
  readonly session: Standing | null
  /** Smoothed round trip to the coordinator, ms; null when unknown. */
  readonly rttMs: number | null
  readonly links: readonly LinkStatus[]
  /** What the coordinator made of the last probe of the NAT; null while it has said nothing. */
  readonly nat: WireOf<'nat.classified'> | null
  readonly counters: Counters
}

export interface LinkStatus {
  readonly link: number
  readonly peerId: string
  /** As the coordinator settled it: for both ends. */
  readonly state: LinkState
  /** By which socket, and why not directly; null when the coordinator has not said. */
  readonly via: Link['via']
  readonly reason: string | null
  /** How packets leave this end now; null while it is not set up. */
  readonly tier: Tier | null
  /** Round trip of the way in use, ms, and its checks without an answer, %; null on the relay. */
  readonly rttMs: number | null
  readonly lossPct: number | null
}

const NO_GAUGES: Gauges = () => ({})

export abstract class MeshAgent<Events extends MeshAgentEvents> {
  readonly id: string
  /** Where the agent dials. */
  readonly url: string
  /** Takes what this agent saw of its own users, and sees that the coordinator counts it once. */
  readonly reports: Reporter
  protected readonly emitter = new Emitter<Events>()
  protected readonly clock: Clock
  protected readonly random: Random
  protected readonly timing: AgentTiming
  protected readonly links: Links
  /** The default tunnel; null when another was given. */
  protected readonly datagrams: DatagramTunnel | null
  readonly #contact: Contact
  readonly #prober: Prober | null
  readonly #reportCarrier: SessionCarrier
  #nat: WireOf<'nat.classified'> | null = null
  readonly #counters = newCounters()
  /** Who waits for the first `online`. */
  readonly #waiting = new Set<(outcome: Standing | AgentError) => void>()

  /** Throws an AgentError that names the option which is wrong. Nothing is dialled before `start`. */
  constructor(role: 'node' | 'client', options: MeshAgentOptions) {
    this.id = options.id
    this.url = meshUrl(options.url)
    this.clock = options.clock ?? heldClock
    this.random = options.random ?? systemRandom
    this.timing = { ...AGENT_TIMING, ...options.timing }
    const datagrams = new DatagramTunnel({
      received: (link, packet) => this.emit('packet', { link, packet }),
    })
    this.datagrams = options.tunnel === undefined ? datagrams : null
    this.links = this.#newLinks(options.tunnel ?? datagrams, options)
    this.#prober = options.prober ?? null
    const can = [...this.links.can, ...(this.#prober === null ? [] : (['probe'] as const))]
    this.#contact = this.#newContact(new Identity({ ...options, role, can }), options)
    this.#reportCarrier = new SessionCarrier({
      clock: this.clock,
      say: event => this.say(event),
      isOnline: () => this.#contact.standing !== null,
    })
    this.reports = new Reporter({
      ...options.reports,
      clock: this.clock,
      random: this.random,
      carrier: options.reports?.carrier ?? this.#reportCarrier.carry,
      // Soon, as whoever made the agent has not begun to listen yet.
      fault: (what, error) => this.clock.soon(() => this.emit('fault', { what, error })),
    })
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
    const { standing } = this.#contact
    if (standing !== null) return Promise.resolve(standing)
    const first = new Promise<Standing>((resolve, reject) => {
      this.#waiting.add(outcome => (outcome instanceof AgentError ? reject(outcome) : resolve(outcome)))
    })
    // Whoever only listens to the events need not wait for the promise.
    first.catch(() => {})
    this.#contact.start()
    return first
  }

  /**
   * Stops and closes every link. With `leave` (the default) the session ends, and the coordinator moves its
   * routes at once; without it, an agent that starts again soon resumes it with routes and links intact. With
   * `keepTunnel` the tunnel stays as it is: the process is about to end, and the next one finds it.
   */
  async stop({ leave = true, keepTunnel = false }: StopOptions = {}): Promise<void> {
    this.reports.stop()
    this.#contact.stop(leave)
    this.#prober?.stop()
    this.#answer(new AgentError('STOPPED', 'stopped before it was online'))
    if (!keepTunnel) await this.links.stop('the agent stops')
  }

  /**
   * The network has changed, says `watchNetwork` or whoever knows: dials now instead of waiting, or asks the
   * coordinator for a sign of life, and dials again when none comes within seconds. Links are on the relay
   * until their ways have proved themselves anew.
   */
  nudge(): void {
    this.links.networkChanged()
    this.#prober?.stop()
    this.#contact.nudge()
  }

  status(): MeshAgentStatus {
    const { state, reason, refusal, standing, rttMs } = this.#contact
    return {
      state,
      reason,
      refusal,
      session: standing,
      rttMs,
      links: [...this.links].map(([id, link]) => statusOf(id, link)),
      nat: this.#nat,
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

  /** Sends to the coordinator; lost when there is no connection. */
  protected say(event: Wire): void {
    this.#contact.say(event)
  }

  /** Events here are MeshAgentEvents, whatever else a role adds. */
  protected emit<K extends keyof MeshAgentEvents>(type: K, event: MeshAgentEvents[K]): void {
    this.emitter.emit(type, event as Events[K]) // Events has all of MeshAgentEvents
  }

  #newContact(identity: Identity, options: MeshAgentOptions): Contact {
    const { url, clock, random, timing } = this
    return new Contact(
      {
        url,
        identity,
        dial: options.dial ?? dialWs(),
        memory: options.memory ?? volatileMemory(),
        gauges: options.gauges ?? NO_GAUGES,
        activeLinks: () => this.links.countActive(),
        counters: this.#counters,
        clock,
        random,
        timing,
      },
      {
        stood: (standing, { overlay4, overlay6, relayMtu: mtu }, links) => {
          this.links.addressed({ overlay4, overlay6, mtu })
          this.links.keep(links)
          this.emit('online', standing)
          this.#answer(standing)
          this.reports.resume()
          this.stood(links)
        },
        fell: () => {
          this.#reportCarrier.fell()
          this.fell()
        },
        waiting: (reason, retryInMs) => this.emit('offline', { reason, retryInMs }),
        ended: reason => this.links.closeAll(reason),
        refused: (code, reason) => {
          this.links.closeAll(`refused: ${reason}`)
          this.emit('refused', { code, reason })
          this.#answer(new RefusedError(code, reason))
        },
        message: event => {
          if (event.type === 'report.ack') this.#reportCarrier.answered(event)
          else if (!this.links.hear(event) && !this.#hearOfNat(event)) this.hear(event)
        },
        packet: (link, payload) => this.links.deliver(link, payload),
        beaten: count => this.links.report(count, timing.reportEveryBeats),
        fault: (what, error) => this.emit('fault', { what, error }),
      },
    )
  }

  /** Returns false when it is about something else. */
  #hearOfNat(event: Wire): boolean {
    if (event.type === 'nat.classified') this.#nat = event
    else if (event.type === 'probe.plan') this.#prober?.probe(event, report => this.say(report))
    else return false
    return true
  }

  #newLinks(tunnel: Tunnel, { ways = [], policy = 'auto' }: MeshAgentOptions): Links {
    return new Links({
      ways,
      policy,
      iceServers: () => this.#contact.iceServers,
      clock: this.clock,
      tunnel,
      counters: this.#counters,
      send: event => this.say(event),
      relay: (link, packet) => this.#contact.relay(link, packet),
      events: {
        opened: (link, peer) => this.emit('link', { link, peer }),
        settled: said => {
          this.emit('path', said)
          this.settled(said.link)
        },
        closed: (link, peer, reason) => {
          this.emit('linkClosed', { link, peer, reason })
          this.unlinked(link, reason)
        },
        pressed: said => this.emit('pressure', said),
        failed: error => this.emit('fault', { what: 'tunnel', error }),
      },
    })
  }

  #answer(outcome: Standing | AgentError): void {
    for (const tell of this.#waiting) tell(outcome)
    this.#waiting.clear()
  }
}

function statusOf(id: number, link: Link): LinkStatus {
  const { peer, state, via, reason, tier, ways } = link
  const { rttMs, lossPct } = ways.measured
  return { link: id, peerId: peer.peerId, state, via, reason, tier, rttMs, lossPct }
}
