/** One client as a server sees it: a five-tuple over UDP, a connection over TCP or TLS. */
import type { Endpoint } from '../protocol/address.js'

export interface Flow extends Endpoint {
  /** The same for every message of this flow, and for no other. */
  readonly key: string
  readonly transport: 'udp' | 'tcp' | 'tls'
  /** Index of the listener that it came to. */
  readonly listener: number
}

/** Flows of clients that were heard lately, by port. More clients than this share the places of others. */
const REMEMBERED = 4_096

/** Knows the flows of one UDP listener again: a packet's flow is its client's, and made once. */
export class UdpFlows {
  readonly #listener: number
  readonly #byPort = new Map<number, Flow>()

  constructor(listener: number) {
    this.#listener = listener
  }

  of(address: string, port: number): Flow {
    const known = this.#byPort.get(port)
    if (known?.address === address) return known
    if (this.#byPort.size >= REMEMBERED) this.#byPort.clear()
    const flow = udpFlow(this.#listener, address, port)
    this.#byPort.set(port, flow)
    return flow
  }
}

/** Returns the flow of a datagram. */
export const udpFlow = (listener: number, address: string, port: number): Flow => ({
  key: `${listener} ${address} ${port}`,
  transport: 'udp',
  listener,
  address,
  port,
})
