/**
 * The UDP socket on loopback that WireGuard takes for a peer. Node does not tell which address a datagram was
 * sent to, so each peer has a socket of its own. It is connected to WireGuard's port: the kernel drops what any
 * other program sends to it, and sending costs no name look-up.
 */
import { createSocket, type Socket } from 'node:dgram'

/** What may wait in the kernel while this process is busy, bytes: 25 ms at 300 Mbit/s. The system caps it. */
const BUFFER_BYTES = 1024 * 1024

export interface LinkSocketOptions {
  /** Where WireGuard listens on loopback. */
  readonly port: number
  /** What WireGuard sends; the bytes are lent until it returns. */
  readonly heard: (packet: Uint8Array) => void
  /** A packet that the system did not take: no listener, no memory. WireGuard sends again what matters. */
  readonly failed: () => void
}

export class LinkSocket {
  readonly #socket: Socket
  readonly #failed: () => void
  #open = true

  private constructor(socket: Socket, failed: () => void) {
    this.#socket = socket
    this.#failed = failed
  }

  static async open({ port, heard, failed }: LinkSocketOptions): Promise<LinkSocket> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES })
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(0, '127.0.0.1', () => {
        socket.off('error', reject)
        socket.connect(port, '127.0.0.1', resolve)
      })
    })
    // While WireGuard's port is closed, the kernel answers with ECONNREFUSED, here and from `send`.
    socket.on('error', failed)
    socket.on('message', heard)
    return new LinkSocket(socket, failed)
  }

  get port(): number {
    return this.#socket.address().port
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
      this.#failed()
    }
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#socket.close()
  }

  readonly #sent = (error: Error | null): void => {
    if (error !== null) this.#failed()
  }
}
