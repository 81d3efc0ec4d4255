/**
 * An internet in memory, on one simulated clock: sockets with latency that keep their order, as TCP does.
 *
 *   internet.serve('mesh.test', intake)     a coordinator listens
 *   internet.dialFrom('laptop')             the `Dial` of an agent on that host
 *   internet.cut('laptop')                  silence: nobody is told, bytes wait as TCP would resend them
 *   internet.heal('laptop')                 what waited arrives
 *   internet.crash('mesh.test')             the process is gone: every socket ends without a close frame
 *   internet.datagramsFrom('laptop')        the `OpenDatagrams` of an agent there, once the host has a place in `udp`
 */
import type { Connection, Intake, Socket } from '../../src/actors/ports.js'
import type { AgentSocket, Dial, OpenDatagrams, SocketEvents } from '../../src/agent/ports.js'
import type { Clock } from '../../src/kit/clock.js'
import { seededRandom } from '../../src/kit/random.js'
import { SENT } from '../../src/protocol/sent.js'
import { UdpNet } from './udp-net.js'

export interface InternetOptions {
  readonly clock: Clock
  /** One way, ms. */
  readonly latencyMs?: number
  /** Of the chance that UDP has: ports of NATs, losses. */
  readonly seed?: number
}

/** No close frame arrived (RFC 6455 §7.1.5). */
const ABNORMAL = 1_006
/** How long a dial to nobody takes to fail, ms. */
const UNREACHABLE_MS = 1_000

export class Internet {
  readonly udp: UdpNet
  readonly #clock: Clock
  readonly #latencyMs: number
  readonly #servers = new Map<string, Intake>()
  readonly #wires = new Set<Wire>()
  readonly #cut = new Set<string>()
  readonly #deaf = new Set<string>()
  readonly #ears = new Set<(host: string, message: Uint8Array) => void>()

  constructor({ clock, latencyMs = 10, seed = 1 }: InternetOptions) {
    this.#clock = clock
    this.#latencyMs = latencyMs
    this.udp = new UdpNet({
      clock,
      latencyMs,
      random: seededRandom(seed),
      isOff: host => this.#cut.has(host),
      isDeaf: host => this.#deaf.has(host),
    })
  }

  serve(host: string, intake: Intake): void {
    this.#servers.set(host, intake)
  }

  /** Sockets that are open or being opened. */
  get open(): number {
    return this.#wires.size
  }

  dialFrom(host: string): Dial {
    return (url, events) => {
      const server = new URL(url).hostname
      const wire = new Wire(this.#clock, host, server, events, {
        remote: this.udp.seenAt(host) ?? host,
        latencyMs: this.#latencyMs,
        silent: () => this.#isCut(host, server),
        deaf: () => this.#deaf.has(host),
        overheard: message => this.#ears.forEach(hear => hear(host, message)),
        gone: () => this.#wires.delete(wire),
      })
      this.#wires.add(wire)
      this.#clock.setTimeout(() => {
        if (wire.over) return
        const intake = this.#servers.get(server)
        if (intake === undefined || this.#isCut(host, server)) {
          this.#clock.setTimeout(() => wire.fail(), UNREACHABLE_MS)
        } else if (intake.admit(wire.remote).ok) wire.accept(intake)
        else wire.fail()
      }, this.#latencyMs)
      return wire.agentEnd
    }
  }

  /** Calls `hear` for every message that a server sends to a host. */
  overhear(hear: (host: string, message: Uint8Array) => void): void {
    this.#ears.add(hear)
  }

  datagramsFrom(host: string): OpenDatagrams {
    return this.udp.datagramsFrom(host)
  }

  /** Whether the host is on the net, and reads. */
  isReachable(host: string): boolean {
    return !this.#cut.has(host) && !this.#deaf.has(host)
  }

  /** Takes the host off the net without telling anyone. */
  cut(host: string): void {
    this.#cut.add(host)
  }

  heal(host: string): void {
    this.#cut.delete(host)
    for (const wire of this.#wires) if (wire.joins(host)) wire.flush()
  }

  /** The host stops reading; what is sent to it fills the sender’s socket. */
  deafen(host: string): void {
    this.#deaf.add(host)
  }

  undeafen(host: string): void {
    this.#deaf.delete(host)
    for (const wire of this.#wires) if (wire.joins(host)) wire.flush()
  }

  /** Ends the host’s process: its sockets break, and nothing listens there any more. An end beyond a cut hears of it when it heals. */
  crash(host: string): void {
    this.#servers.delete(host)
    this.udp.crash(host)
    for (const wire of this.#wires) if (wire.joins(host)) wire.vanish()
  }

  /** Breaks the host’s sockets once; it may dial again at once. */
  drop(host: string): void {
    for (const wire of this.#wires) if (wire.joins(host)) wire.vanish()
  }

  #isCut(host: string, server: string): boolean {
    return this.#cut.has(host) || this.#cut.has(server)
  }
}

interface WireOptions {
  /** Where the server sees the host. */
  readonly remote: string
  readonly latencyMs: number
  readonly silent: () => boolean
  readonly deaf: () => boolean
  /** A message left for the agent. */
  readonly overheard: (message: Uint8Array) => void
  readonly gone: () => void
}

/** One socket, both ends of it. */
class Wire {
  readonly agentEnd: AgentSocket
  readonly #clock: Clock
  readonly #hosts: readonly [string, string]
  readonly #events: SocketEvents
  readonly #options: WireOptions
  #connection: Connection | null = null
  /** What has not arrived yet: toward the agent, toward the server. */
  readonly #toAgent: (() => void)[] = []
  readonly #toServer: (() => void)[] = []
  #bytesToAgent = 0
  /** One end is gone, and the other is beyond a cut and does not know. */
  #broken = false
  /** The agent’s end is closed. */
  #over = false

  constructor(clock: Clock, host: string, server: string, events: SocketEvents, options: WireOptions) {
    this.#clock = clock
    this.#hosts = [host, server]
    this.#events = events
    this.#options = options
    this.agentEnd = {
      send: bytes => {
        const copy = bytes.slice()
        this.#travel(this.#toServer, () => this.#connection?.received(copy))
      },
      buffered: () => 0,
      close: code => {
        // What was sent before arrives, and then the close, even if the process ends now.
        this.#travel(this.#toServer, () => this.#endServer(code))
        this.#clock.soon(() => this.#endAgent(code, ''))
      },
    }
  }

  get remote(): string {
    return this.#options.remote
  }

  get over(): boolean {
    return this.#over
  }

  joins(host: string): boolean {
    return this.#hosts.includes(host)
  }

  accept(intake: Intake): void {
    const socket: Socket = {
      remote: this.remote,
      send: bytes => {
        const copy = bytes.slice()
        this.#options.overheard(copy)
        this.#bytesToAgent += copy.length
        this.#travel(this.#toAgent, () => {
          this.#bytesToAgent -= copy.length
          if (!this.#over) this.#events.received(copy)
          if (this.#bytesToAgent === 0) this.#connection?.drained()
        })
        return this.#stuck() ? SENT.queued : SENT.ok
      },
      buffered: () => (this.#stuck() ? this.#bytesToAgent : 0),
      close: (code, reason) => {
        this.#travel(this.#toAgent, () => this.#endAgent(code, reason))
        this.#clock.soon(() => this.#endServer(code))
      },
    }
    this.#connection = intake.opened(socket)
    this.#travel(this.#toAgent, () => {}) // the handshake’s answer
    this.#events.opened()
  }

  /** Both ends lose the socket, as soon as they can hear of it; no close frame arrives. */
  vanish(): void {
    this.#broken = this.#connection !== null && this.#options.silent()
    if (!this.#broken) this.fail()
  }

  /** Both ends lose the socket at once. */
  fail(): void {
    this.#endServer(ABNORMAL)
    this.#endAgent(ABNORMAL, '')
  }

  flush(): void {
    if (this.#broken && !this.#options.silent()) return this.fail()
    this.#deliver(this.#toAgent)
    this.#deliver(this.#toServer)
  }

  #stuck(): boolean {
    return this.#options.silent() || this.#options.deaf()
  }

  #travel(queue: (() => void)[], arrive: () => void): void {
    if (this.#over) return
    this.#clock.setTimeout(() => {
      queue.push(arrive)
      this.#deliver(queue)
    }, this.#options.latencyMs)
  }

  #deliver(queue: (() => void)[]): void {
    while (
      queue.length > 0 &&
      !this.#broken &&
      !this.#options.silent() &&
      !(queue === this.#toAgent && this.#options.deaf())
    ) {
      queue.shift()?.()
    }
  }

  #endServer(code: number): void {
    const connection = this.#connection
    this.#connection = null
    if (this.#over) this.#options.gone()
    connection?.closed(code)
  }

  #endAgent(code: number, reason: string): void {
    if (this.#over) return
    this.#over = true
    if (this.#connection === null) this.#options.gone()
    this.#events.closed(code, reason)
  }
}
