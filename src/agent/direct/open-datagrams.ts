/**
 * UDP sockets of this machine as one: IPv4 and, where the machine has it, IPv6 on the same port number.
 *
 *   send    one system call, at once: addresses are literals, so the look-up that Node makes for each datagram
 *           is answered on the spot, and without a callback nothing is kept for later
 *   receive what the kernel has, up to 32 datagrams in one turn of the event loop
 */
import { createSocket, type Socket } from 'node:dgram'
import type { LookupOneOptions } from 'node:dns'
import { type Endpoint, familyOf } from '../../protocol/address.js'
import type { Datagrams, OpenDatagrams } from '../ports.js'
import { localAddresses } from './local-addresses.js'

export interface OpenDatagramsOptions {
  /** 0, the default: any that is free. */
  readonly port?: number
  /** Where it can be reached; all usable addresses of this machine unless given. */
  readonly addresses?: () => readonly string[]
  /** Binds to one address of each family only; unless given, to all. */
  readonly bind?: { readonly 4: string; readonly 6: string | null }
  /** Told of the port before anything is sent from it; what it resolves to is called when the port is closed. */
  readonly opened?: (port: number) => Promise<() => void>
}

/** What may wait in the kernel while this process is busy, bytes: 25 ms at 300 Mbit/s. The system caps it. */
const BUFFER_BYTES = 1024 * 1024
/** More than this waiting to be sent and packets are dropped, bytes: late ones are worse than lost ones. */
const BACKLOG_MAX = 262_144
/** The port that IPv4 got may be taken for IPv6: then another is tried, this often. */
const TRIES = 4
const ANY = { 4: '0.0.0.0', 6: '::' } as const

/** Returns what opens them: rejects when not even IPv4 can be had. */
export function openDatagrams(options: OpenDatagramsOptions = {}): OpenDatagrams {
  const { port = 0, addresses = localAddresses, bind = ANY, opened = async () => () => {} } = options
  return async received => {
    const sockets = await openBoth(port, bind)
    const closed = await opened(sockets[0].address().port)
    for (const socket of sockets) {
      socket.on('message', received)
      // A peer whose port is closed makes ICMP errors, which are no news.
      socket.on('error', () => {})
    }
    return new NodeDatagrams(sockets, addresses, closed)
  }
}

type Sockets = readonly [Socket] | readonly [Socket, Socket]

class NodeDatagrams implements Datagrams {
  readonly #four: Socket
  readonly #six: Socket | undefined
  readonly #port: number
  readonly #addresses: () => readonly string[]
  readonly #closed: () => void
  #open = true

  constructor(
    [four, six]: readonly [Socket, Socket?],
    addresses: () => readonly string[],
    closed: () => void,
  ) {
    this.#closed = closed
    this.#four = four
    this.#six = six
    this.#port = four.address().port
    this.#addresses = addresses
  }

  local(): readonly Endpoint[] {
    return this.#addresses()
      .filter(address => familyOf(address) === 4 || this.#six !== undefined)
      .map(address => ({ address, port: this.#port }))
  }

  send(datagram: Uint8Array, { address, port }: Endpoint): void {
    const socket = familyOf(address) === 4 ? this.#four : this.#six
    if (!this.#open || socket === undefined || socket.getSendQueueSize() > BACKLOG_MAX) return
    socket.send(datagram, port, address)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#four.close()
    this.#six?.close()
    this.#closed()
  }
}

async function openBoth(port: number, bind: NonNullable<OpenDatagramsOptions['bind']>): Promise<Sockets> {
  for (let tries = 1; ; tries++) {
    const four = await open(4, port, bind[4])
    if (bind[6] === null) return [four]
    try {
      return [four, await open(6, four.address().port, bind[6])]
    } catch (error) {
      // Without IPv6 on this machine there is only the one.
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!taken || port !== 0 || tries === TRIES) return [four]
      four.close()
    }
  }
}

function open(family: 4 | 6, port: number, address: string): Promise<Socket> {
  const socket = createSocket({
    type: `udp${family}`,
    ipv6Only: family === 6,
    recvBufferSize: BUFFER_BYTES,
    sendBufferSize: BUFFER_BYTES,
    lookup: literal,
  })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port, address, exclusive: true }, () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/** Only literals are sent to, so there is nothing to look up, and nothing to wait for. */
function literal(
  address: string,
  options: LookupOneOptions,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, options.family === 6 ? 6 : 4)
}
