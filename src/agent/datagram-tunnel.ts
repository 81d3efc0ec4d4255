/** A tunnel for programs: what the peer sends is a call, what the peer shall receive is a call. */
import type { Peer, Tunnel } from './ports.js'

export interface DatagramTunnelOptions {
  /** A packet arrived; the bytes are only lent until the call returns. */
  readonly received: (link: number, packet: Uint8Array) => void
}

export class DatagramTunnel implements Tunnel {
  readonly #received: DatagramTunnelOptions['received']
  readonly #sends = new Map<number, (packet: Uint8Array) => void>()

  constructor({ received }: DatagramTunnelOptions) {
    this.#received = received
  }

  /** Sends a packet to the peer of `link`; returns false when there is no such link. The bytes are copied. */
  send(link: number, packet: Uint8Array): boolean {
    const send = this.#sends.get(link)
    send?.(packet)
    return send !== undefined
  }

  async open(peer: Peer, send: (packet: Uint8Array) => void): Promise<void> {
    this.#sends.set(peer.link, send)
  }

  deliver(link: number, packet: Uint8Array): void {
    this.#received(link, packet)
  }

  async close(link: number): Promise<void> {
    this.#sends.delete(link)
  }

  async stop(): Promise<void> {
    this.#sends.clear()
  }

  async addressed(): Promise<void> {}
}
