/** One client as a server sees it: a five-tuple over UDP, a connection over TCP or TLS. */
import type { Endpoint } from '../protocol/address.js'

export interface Flow extends Endpoint {
  /** The same for every message of this flow, and for no other. */
  readonly key: string
  readonly transport: 'udp' | 'tcp' | 'tls'
  /** Index of the listener that it came to. */
  readonly listener: number
}

/** Returns the flow of a datagram. */
export const udpFlow = (listener: number, address: string, port: number): Flow => ({
  key: `${listener} ${address} ${port}`,
  transport: 'udp',
  listener,
  address,
  port,
})
