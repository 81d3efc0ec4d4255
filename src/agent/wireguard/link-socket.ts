/**
 * The UDP socket on loopback that WireGuard takes for a peer. Node does not tell which address a datagram was
 * sent to, so each peer has a socket of its own. It is connected to WireGuard's port: the kernel drops what any
 * other program sends to it, and sending costs no name look-up.
 */
import { createSocket, type Socket } from 'node:dgram'

/** What may wait in the kernel while this process is busy, bytes: 25 ms at 300 Mbit/s. The system caps it. */
const BUFFER_BYTES = 1024 * 1024

export class LinkSocket {
  readonly #socket: Socket
  #open = true
  /** Packets that the system did not take: no listener, no memory. WireGuard sends again what matters. */
  errors = 0

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Opens a socket to WireGuard's `port`; `heard` gets what WireGuard sends, lent until it returns. */
  static async open(port: number, heard: (packet: Uint8Array) => void): Promise<LinkSocket> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES })
    const link = new LinkSocket(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(0, '127.0.0.1', () => {
        socket.off('error', reject)
        resolve()
      })
    })
    // While WireGuard's port is closed, the kernel answers with ECONNREFUSED, here and from `send`.
    socket.on('error', () => void link.errors++)
    socket.on('message', heard)
    await link.aim(port)
    return link
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** Sends to another port from now on: WireGuard listens elsewhere. */
  async aim(port: number): Promise<void> {
    try {
      if (this.#socket.remoteAddress().port === port) return
      this.#socket.disconnect()
    } catch {
      // Not connected yet.
    }
    await new Promise<void>(resolve => this.#socket.connect(port, '127.0.0.1', resolve))
  }

  /**
   * Hands a packet to WireGuard. The kernel copies it before this returns; in the rare case that it has no room
   * the packet waits, and if its bytes change meanwhile, WireGuard's authentication takes it for lost.
   */
  send(packet: Uint8Array): void {
    if (!this.#open) return
    try {
      this.#socket.send(packet, this.#sent)
    } catch {
      this.errors++
    }
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#socket.close()
  }

  readonly #sent = (error: Error | null): void => {
    if (error !== null) this.errors++
  }
}
