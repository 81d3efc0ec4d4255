/**
 * A tunnel of plain UDP on this machine: one loopback socket per link. What an application sends to the
 * link's port goes to the peer; what the peer sends comes from that port to the application's.
 *
 *   application :5000  ⇄  127.0.0.1:portOf(link)  ⇄  relay  ⇄  the peer's tunnel
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { AgentError } from './errors.js'
import type { Peer, Tunnel } from './ports.js'

const LOOPBACK = '127.0.0.1'
/** Kernel buffer of each socket, bytes: a burst of 64 KiB bundles must not overflow it. */
const SOCKET_BUFFER = 1_048_576

export interface UdpTunnelOptions {
  /** Where packets of peers are sent on 127.0.0.1; 0 sends nothing until the application has sent first. */
  readonly applicationPort?: number
  /** The application's packets protect themselves, so that they may travel by plain UDP; false unless given. */
  readonly sealed?: boolean
}

interface Door {
  readonly socket: Socket
  /** Where the application listens: as configured, or where it last sent from. */
  applicationPort: number
  send: (packet: Uint8Array) => void
}

export class UdpTunnel implements Tunnel {
  readonly sealed: boolean
  readonly #applicationPort: number
  readonly #doors = new Map<number, Door>()

  constructor({ applicationPort = 0, sealed = false }: UdpTunnelOptions = {}) {
    if (!Number.isInteger(applicationPort) || applicationPort < 0 || applicationPort > 65_535) {
      throw new AgentError('BAD_OPTION', `applicationPort: wanted a UDP port from 0 to 65535`)
    }
    this.#applicationPort = applicationPort
    this.sealed = sealed
  }

  /** Returns the UDP port on 127.0.0.1 that stands for the peer of `link`; undefined when it is not open. */
  portOf(link: number): number | undefined {
    return this.#doors.get(link)?.socket.address().port
  }

  async open(peer: Peer, send: (packet: Uint8Array) => void): Promise<void> {
    const known = this.#doors.get(peer.link)
    if (known !== undefined) {
      known.send = send
      return
    }
    const socket = createSocket({
      type: 'udp4',
      recvBufferSize: SOCKET_BUFFER,
      sendBufferSize: SOCKET_BUFFER,
    })
    const door: Door = { socket, applicationPort: this.#applicationPort, send }
    socket.on('message', (packet, from) => {
      if (this.#applicationPort === 0) door.applicationPort = from.port
      door.send(packet)
    })
    socket.bind({ address: LOOPBACK, port: 0, exclusive: true })
    await once(socket, 'listening')
    // Datagrams: an application that is not there makes ICMP errors, which are no news.
    socket.on('error', () => {})
    this.#doors.set(peer.link, door)
  }

  deliver(link: number, packet: Uint8Array): void {
    const door = this.#doors.get(link)
    if (door === undefined || door.applicationPort === 0) return
    // Copied: the bytes are lent, and a datagram that cannot leave at once is kept by the socket.
    door.socket.send(Buffer.from(packet), door.applicationPort, LOOPBACK, ignored)
  }

  async close(link: number): Promise<void> {
    const door = this.#doors.get(link)
    if (door === undefined) return
    this.#doors.delete(link)
    await new Promise<void>(resolve => door.socket.close(() => resolve()))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#doors.keys()].map(link => this.close(link)))
  }

  async addressed(): Promise<void> {}
}

/** The kernel had no room, or nobody listens: the datagram is lost, as datagrams are. */
const ignored = (): void => {}
