/**
 * TURN over TCP and TLS: one connection is one flow. A connection has to say something whole soon, and go on
 * saying it, or it is closed; one address holds few of them, and a slow one loses packets rather than memory.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import { type Clock, every } from '../kit/clock.js'
import { type Endpoint, ipBytes, ipText } from '../protocol/address.js'
import type { Flow } from './flow.js'
import { FrameReader } from './framing.js'

export interface StreamOptions extends Endpoint {
  readonly clock: Clock
  readonly listener: number
  /** Makes it TLS; asked for each connection, so that a certificate can be renewed. */
  readonly secure: (() => SecureContext) | null
  readonly received: (frame: Buffer, flow: Flow) => void
  readonly closed: (flow: Flow) => void
  /** Whether the flow has opened something: then it may be silent. */
  readonly serves: (flow: Flow) => boolean
  readonly limits?: Partial<StreamLimits>
}

export interface StreamLimits {
  /** A frame, and before the first one the TLS handshake, has to be whole in this time, ms. */
  readonly frameMs: number
  /** A connection that has opened nothing may be silent for so long, ms. */
  readonly idleMs: number
  /** Connections of one address, and of all. */
  readonly perAddress: number
  readonly total: number
  /** Bytes waiting to be sent: beyond, packets of peers are lost; beyond four times that, the connection. */
  readonly queuedBytes: number
}

export const STREAM_LIMITS: StreamLimits = {
  frameMs: 10_000,
  idleMs: 30_000,
  perAddress: 32,
  total: 2_048,
  queuedBytes: 262_144,
}
/** How often deadlines are looked at, ms. */
const SWEEP_MS = 1_000

interface Connection {
  readonly flow: Flow
  readonly socket: Socket
  readonly reader: FrameReader
  /** When the last whole frame came, or the connection began. */
  heardMs: number
  /** When the frame that is being received began; null between frames. */
  begunMs: number | null
}

export class StreamListener {
  readonly endpoint: Endpoint
  readonly #options: StreamOptions
  readonly #limits: StreamLimits
  readonly #server: Server
  readonly #connections = new Map<string, Connection>()
  readonly #stopSweeping: () => void
  #count = 0

  private constructor(server: Server, options: StreamOptions) {
    const { address, port } = server.address() as Endpoint // it listens on an IP address
    this.endpoint = { address, port }
    this.#options = options
    this.#limits = { ...STREAM_LIMITS, ...options.limits }
    this.#server = server
    server.on('connection', socket => this.#accept(socket))
    this.#stopSweeping = every(options.clock, SWEEP_MS, () => this.#sweep())
  }

  /** Resolves once it listens; rejects when the address or port cannot be had. */
  static async open(options: StreamOptions): Promise<StreamListener> {
    const server = createServer({ noDelay: true })
    const { address: host, port } = options
    server.listen({ host, port, ipv6Only: true })
    await once(server, 'listening') // rejects at 'error'
    return new StreamListener(server, options)
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Sends a frame; returns false when it was dropped because the connection is slow or gone. */
  send(flow: Flow, frame: Buffer, relayed: boolean): boolean {
    const connection = this.#connections.get(flow.key)
    if (connection === undefined) return false
    const queued = connection.socket.writableLength
    if (queued > 4 * this.#limits.queuedBytes) connection.socket.destroy()
    else if (!relayed || queued <= this.#limits.queuedBytes) return connection.socket.write(frame) || true
    return false
  }

  close(): void {
    this.#stopSweeping()
    this.#server.close()
    for (const { socket } of this.#connections.values()) socket.destroy()
  }

  #accept(raw: Socket): void {
    const ip = raw.remoteAddress === undefined ? null : ipBytes(raw.remoteAddress)
    const address = ip === null ? '' : ipText(ip)
    if (ip === null || raw.remotePort === undefined || this.#isFull(address)) {
      raw.destroy()
      return
    }
    const { clock, listener, secure, closed } = this.#options
    const socket = secure === null ? raw : new TLSSocket(raw, { isServer: true, secureContext: secure() })
    const flow: Flow = {
      key: `${listener} stream ${++this.#count}`,
      transport: secure === null ? 'tcp' : 'tls',
      listener,
      address,
      port: raw.remotePort,
    }
    const connection = { flow, socket, reader: new FrameReader(), heardMs: clock.now(), begunMs: null }
    this.#connections.set(flow.key, connection)
    socket.on('data', chunk => this.#read(connection, chunk))
    socket.on('error', () => socket.destroy()) // a reset, or no TLS: 'close' follows
    socket.on('end', () => socket.end())
    raw.on('error', () => socket.destroy())
    raw.on('close', () => {
      this.#connections.delete(flow.key)
      closed(flow)
    })
  }

  #isFull(address: string): boolean {
    if (this.#connections.size >= this.#limits.total) return true
    let same = 0
    for (const { flow } of this.#connections.values()) if (flow.address === address) same++
    return same >= this.#limits.perAddress
  }

  #read(connection: Connection, chunk: Buffer): void {
    const frames = connection.reader.read(chunk)
    if (frames === null) {
      connection.socket.destroy()
      return
    }
    const now = this.#options.clock.now()
    if (frames.length > 0) connection.heardMs = now
    connection.begunMs = !connection.reader.partial
      ? null
      : frames.length > 0
        ? now
        : (connection.begunMs ?? now)
    for (const frame of frames) this.#options.received(frame, connection.flow)
  }

  #sweep(): void {
    const { clock, serves } = this.#options
    const now = clock.now()
    for (const { flow, socket, heardMs, begunMs } of this.#connections.values()) {
      const slow = begunMs !== null && now - begunMs >= this.#limits.frameMs
      const idle = now - heardMs >= this.#limits.idleMs && !serves(flow)
      if (slow || idle) socket.destroy()
    }
  }
}
