/** The server of server.ts on real sockets: the default, in the coordinator's own process. */
import { networkInterfaces } from 'node:os'
import type { SecureContext } from 'node:tls'
import type { Sighting } from '../actors/ports.js'
import { type Clock, every } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import { type Endpoint, type Family, familyOf } from '../protocol/address.js'
import { type Listener, reminder } from './binding.js'
import { checkSecrets } from './credentials.js'
import type { Effect } from './effects.js'
import { TurnError } from './errors.js'
import { type Flow, UdpFlows } from './flow.js'
import { iceServers, urlsOf } from './ice-servers.js'
import { PeerPolicy, type PeerPolicyOptions } from './peer-policy.js'
import type { PortRange } from './ports.js'
import { probe } from './probe.js'
import { defaultQuotas } from './quotas.js'
import { type TurnLimits, TurnServer } from './server.js'
import {
  type IceServer,
  NO_STATS,
  type TurnEndpoints,
  type TurnHealth,
  type TurnService,
  type TurnStats,
} from './service.js'
import { type StreamLimits, StreamListener } from './stream.js'
import { UdpSocket } from './udp.js'

export interface EmbeddedOptions {
  readonly clock: Clock
  readonly random: Random
  readonly listen: readonly ListenOptions[]
  /** One relay address per family. */
  readonly relays: readonly RelayOptions[]
  /** Name or address in URLs, of the first listener’s address and of whatever speaks TLS; absent: the address. */
  readonly host?: string
  readonly realm: string
  /** The first signs, all are accepted. */
  readonly secrets: readonly [string, ...string[]]
  /** Whether an identity has a live session. */
  readonly allowed: (id: string) => boolean
  /** How long new credentials open allocations, s. */
  readonly credentialsTtlS?: number
  readonly ports?: PortRange
  readonly peers?: Omit<PeerPolicyOptions, 'own'>
  readonly limits?: Partial<TurnLimits>
  readonly streamLimits?: Partial<StreamLimits>
  /** Needed for listeners over TLS; asked for each connection. */
  readonly secure?: () => SecureContext
  /** Hears of every Binding request over UDP; `remind` sends an indication to where it came from, now or later. */
  readonly sighted?: (sighting: Sighting, remind: () => void) => void
  /** Hears of every datagram that is neither STUN nor TURN; the bytes are only lent. */
  readonly strayed?: (datagram: Buffer, from: Endpoint) => void
  /** Hears what could not be sent; a few in a row are usual, many are not. */
  readonly failed?: (error: Error) => void
}

export interface ListenOptions extends Endpoint {
  readonly transport: Flow['transport']
  /** The address by which clients reach it, where that is another: behind a one-to-one NAT. */
  readonly advertised?: string
  /** Only shows what a NAT does (RFC 5780): TURN answers there too, but is not sent there. */
  readonly onlyProbed?: boolean
}

export interface RelayOptions {
  readonly address: string
  readonly advertised?: string
}

/** The dynamic range of RFC 6335, as coturn uses it. */
const PORTS: PortRange = { first: 49_152, last: 65_535 }
const BINDINGS_PER_SECOND = 50
const REJECTIONS_PER_SECOND = 10
/** A handshake costs its reader about half a millisecond. */
const STRAYS_PER_SECOND = 20
const CREDENTIALS_TTL_S = 600
/** All clients share the listener's buffers; a relay has a few peers. Bytes. */
const LISTENER_BUFFER = 4 << 20
const RELAY_BUFFER = 1 << 20
const SWEEP_MS = 1_000
/** How often it is asked whether routes have ended, ms: each peer of each client is looked up. */
const REVIEW_MS = 5_000
/** How often a drain looks whether it is over, ms. */
const DRAIN_LOOK_MS = 50

type ListenSocket = UdpSocket | StreamListener

export class EmbeddedTurn implements TurnService {
  readonly #options: EmbeddedOptions
  readonly #listeners: ListenSocket[] = []
  /** Relay sockets; null while one is opening. */
  readonly #relays = new Map<number, UdpSocket | null>()
  #server: TurnServer | null = null
  #stopSweeping: () => void = () => {}

  private constructor(options: EmbeddedOptions) {
    this.#options = options
  }

  /** Resolves once every listener is open; rejects, with none left open, when one cannot be had. */
  static async start(options: EmbeddedOptions): Promise<EmbeddedTurn> {
    checkSecrets(options.secrets)
    const turn = new EmbeddedTurn(options)
    try {
      for (const [index, listen] of options.listen.entries())
        turn.#listeners.push(await turn.#listen(listen, index))
    } catch (error) {
      await turn.stop()
      throw new TurnError('cannot_listen', `turn: ${(error as Error).message}`, { cause: error })
    }
    turn.#serve()
    return turn
  }

  issueCredentials(id: string): readonly IceServer[] {
    const { clock, secrets, credentialsTtlS = CREDENTIALS_TTL_S } = this.#options
    return iceServers(this.endpoints(), id, { clock, secret: secrets[0], ttlS: credentialsTtlS })
  }

  endpoints(): TurnEndpoints {
    const { host, listen } = this.#options
    const listeners = this.listeners()
    const first = listeners[0]?.endpoint.address
    return urlsOf(
      listeners.map(({ transport, endpoint: { address, port } }, index) => ({
        transport,
        // A certificate holds for the name, so TLS is always called by it.
        host: address === first || transport === 'tls' ? (host ?? address) : address,
        port,
        onlyProbed: listen[index]?.onlyProbed ?? false,
      })),
    )
  }

  /** Returns what is listened on, as clients see it. */
  listeners(): readonly Listener[] {
    return this.#options.listen.flatMap(({ transport, address, advertised = address }, index) => {
      const socket = this.#listeners[index]
      return socket === undefined
        ? []
        : [{ transport, endpoint: { address: advertised, port: socket.endpoint.port } }]
    })
  }

  async health(): Promise<TurnHealth> {
    const { clock, random } = this.#options
    const udp = this.#listeners.find(socket => socket instanceof UdpSocket)
    if (udp === undefined) return { status: this.#server === null ? 'unhealthy' : 'healthy', latencyMs: null }
    try {
      return { status: 'healthy', latencyMs: await probe(udp.endpoint, clock, random) }
    } catch {
      return { status: 'unhealthy', latencyMs: null }
    }
  }

  async drain(withinMs: number): Promise<void> {
    const { clock } = this.#options
    const server = this.#server
    if (server === null) return
    this.#perform(server.drain(withinMs))
    const giveUpMs = clock.now() + withinMs
    while (server.allocations > 0 && clock.now() < giveUpMs)
      await new Promise<void>(resolve => void clock.setTimeout(resolve, DRAIN_LOOK_MS))
  }

  stats(): TurnStats {
    const streams = this.#listeners.filter(socket => socket instanceof StreamListener)
    const { bindings, strays, toPeers, toClients, refused, lost } = this.#server?.counters ?? NO_STATS
    return {
      allocations: this.#server?.allocations ?? 0,
      connections: streams.reduce((count, { connections }) => count + connections, 0),
      bindings,
      strays,
      toPeers: { ...toPeers },
      toClients: { ...toClients },
      refused: { ...refused },
      lost: { ...lost },
    }
  }

  review(): void {
    if (this.#server !== null) this.#perform(this.#server.review())
  }

  /** Each new connection asks for it. */
  certificateChanged(): void {}

  async stop(): Promise<void> {
    this.#stopSweeping()
    this.#server = null
    for (const socket of this.#listeners.splice(0)) socket.close()
    for (const relay of this.#relays.keys()) this.#close(relay)
  }

  #serve(): void {
    const { clock, relays, listen, ports = PORTS, limits, peers } = this.#options
    const own = [...relays, ...listen].flatMap(({ address, advertised }) => [address, advertised ?? address])
    this.#server = new TurnServer({
      ...this.#options,
      sighted: sighting => this.#options.sighted?.(sighting, () => this.#remind(sighting)),
      listeners: this.listeners(),
      relayAddresses: new Map<Family, string>(
        relays.map(({ address, advertised = address }) => [familyOf(address), advertised]),
      ),
      ports,
      policy: new PeerPolicy({ ...peers, own: [...own, ...hostAddresses()] }),
      limits: {
        ...defaultQuotas(ports),
        bindingsPerSecond: BINDINGS_PER_SECOND,
        rejectionsPerSecond: REJECTIONS_PER_SECOND,
        straysPerSecond: STRAYS_PER_SECOND,
        ...limits,
      },
    })
    const stops = [every(clock, SWEEP_MS, () => this.#perform(this.#server?.sweep() ?? []))]
    if (peers?.routed !== undefined) stops.push(every(clock, REVIEW_MS, () => this.review()))
    this.#stopSweeping = () => stops.forEach(stop => stop())
  }

  #listen({ transport, address, port }: ListenOptions, index: number): Promise<ListenSocket> {
    if (transport === 'udp') {
      const flows = new UdpFlows(index)
      return UdpSocket.open({
        address,
        port,
        bufferBytes: LISTENER_BUFFER,
        received: (data, from, fromPort) => this.#handle(data, flows.of(from, fromPort)),
        failed: error => this.#failed(error),
      })
    }
    const { clock, secure, streamLimits = {} } = this.#options
    if (transport === 'tls' && secure === undefined)
      throw new TurnError('cannot_listen', 'a listener over TLS: wanted a certificate')
    return StreamListener.open({
      address,
      port,
      clock,
      listener: index,
      secure: (transport === 'tls' && secure) || null,
      limits: streamLimits,
      received: (frame, flow) => this.#handle(frame, flow),
      closed: flow => this.#perform(this.#server?.closed(flow) ?? []),
      serves: flow => this.#server?.serves(flow) ?? false,
    })
  }

  #handle(data: Buffer, flow: Flow): void {
    if (this.#server !== null) this.#perform(this.#server.handle(data, flow))
  }

  #remind(sighting: Sighting): void {
    if (this.#server !== null) this.#perform([reminder(sighting)])
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'reply':
          this.#reply(effect.to, effect.listener, effect.data, effect.relayed)
          break
        case 'send':
          this.#relays.get(effect.relay)?.send(effect.data, effect.to)
          break
        case 'open':
          this.#openRelay(effect.relay, effect.family, effect.port)
          break
        case 'close':
          this.#close(effect.relay)
          break
      }
    }
  }

  #reply(to: Flow, listener: number, data: Buffer, relayed: boolean): void {
    const socket = this.#listeners[listener]
    if (socket instanceof UdpSocket) socket.send(data, to)
    else if (socket?.send(to, data, relayed) === false && this.#server !== null)
      this.#server.counters.lost.full++
  }

  #openRelay(id: number, family: Family, port: number): void {
    const address = this.#options.relays.find(relay => familyOf(relay.address) === family)?.address
    this.#relays.set(id, null)
    UdpSocket.open({
      address: address ?? '',
      port,
      bufferBytes: RELAY_BUFFER,
      received: (data, from, fromPort) =>
        this.#perform(this.#server?.fromPeer(id, data, from, fromPort) ?? []),
      failed: error => this.#failed(error),
    })
      .catch(() => null) // taken by another process: the server tries another port
      .then(socket => this.#opened(id, socket))
      .catch((error: Error) => this.#failed(error))
  }

  #opened(id: number, socket: UdpSocket | null): void {
    if (!this.#relays.has(id)) return socket?.close() // closed while it was opening
    if (socket === null) this.#relays.delete(id)
    else this.#relays.set(id, socket)
    this.#perform(this.#server?.opened(id, socket !== null) ?? [])
  }

  #close(id: number): void {
    this.#relays.get(id)?.close()
    this.#relays.delete(id)
  }

  #failed(error: Error): void {
    if (this.#server !== null) this.#server.counters.lost.send_failed++
    this.#options.failed?.(error)
  }
}

/** Every address of this host: none of them may be reached through it. */
const hostAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((of = []) => of.map(({ address }) => address))
