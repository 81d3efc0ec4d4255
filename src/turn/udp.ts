/** One UDP socket. What goes wrong while sending is told, never thrown: port 0 or a full buffer is a peer's fault. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Endpoint } from '../protocol/address.js'
import { familyOf } from '../protocol/address.js'

export interface UdpOptions extends Endpoint {
  /** Kernel buffers, bytes: bursts wait here while the event loop is busy. The kernel may grant less. */
  readonly bufferBytes: number
  readonly received: (data: Buffer, address: string, port: number) => void
  readonly failed: (error: Error) => void
}

/** How a send went is asked this often while all is well: each answer costs a turn of the tick queue. */
const ASK_EVERY = 16

export class UdpSocket {
  readonly endpoint: Endpoint
  readonly #socket: Socket
  readonly #sent: (error: Error | null) => void
  /** Sends until the next question. */
  #unasked = 0

  private constructor(socket: Socket, failed: (error: Error) => void) {
    const { address, port } = socket.address()
    this.endpoint = { address, port }
    this.#socket = socket
    this.#sent = error => {
      if (!error) return
      this.#unasked = 0
      failed(error)
    }
  }

  /** Resolves once the socket listens; rejects when the address or port cannot be had. */
  static async open({ address, port, bufferBytes, received, failed }: UdpOptions): Promise<UdpSocket> {
    const isV6 = familyOf(address) === 6
    const socket = createSocket({
      type: isV6 ? 'udp6' : 'udp4',
      ipv6Only: isV6, // an IPv4 peer comes in by an IPv4 socket, under its own address
      lookup: literal,
    })
    const listening = once(socket, 'listening') // rejects at 'error'
    socket.bind({ port, address, exclusive: true })
    await listening
    socket.on('error', failed)
    socket.on('message', (data, from) => received(data, from.address, from.port))
    enlarge(socket, bufferBytes)
    return new UdpSocket(socket, failed)
  }

  send(data: Buffer, { address, port }: Endpoint): void {
    try {
      if (this.#unasked-- > 0) return this.#socket.send(data, port, address)
      this.#unasked = ASK_EVERY - 1
      this.#socket.send(data, port, address, this.#sent)
    } catch (error) {
      this.#sent(error as Error) // thrown for a port or a size that cannot be
    }
  }

  close(): void {
    this.#socket.close()
  }
}

/** Addresses are never names here: answered at once instead of by the resolver's next tick. */
function literal(
  address: string,
  _options: object,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, address, familyOf(address))
}

function enlarge(socket: Socket, bytes: number): void {
  try {
    socket.setRecvBufferSize(bytes)
    socket.setSendBufferSize(bytes)
  } catch {
    // Some systems refuse instead of granting less; their default has to do.
  }
}
