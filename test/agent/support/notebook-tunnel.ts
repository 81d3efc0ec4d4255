import type { Peer, Tunnel } from '../../../src/agent/ports.js'

/** A tunnel that writes down what it is asked, and fails or takes its time when told to. */
export class NotebookTunnel implements Tunnel {
  readonly did: string[] = []
  readonly sends = new Map<number, (packet: Uint8Array) => void>()
  readonly sealed: boolean
  fails = ''
  slow = false
  finish: () => void = () => {}
  metrics?: NonNullable<Tunnel['metrics']>

  constructor({ sealed = false } = {}) {
    this.sealed = sealed
  }

  async addressed(): Promise<void> {
    if (this.fails !== '') throw new Error(this.fails)
    this.did.push('addressed')
  }
  async open(peer: Peer, send: (packet: Uint8Array) => void): Promise<void> {
    if (this.fails !== '') throw new Error(this.fails)
    this.did.push(`open ${peer.link}`)
    this.sends.set(peer.link, send)
    if (this.slow) await new Promise<void>(resolve => (this.finish = resolve))
  }
  deliver(link: number, packet: Uint8Array): void {
    if (this.fails !== '') throw new Error(this.fails)
    this.did.push(`deliver ${link} ${packet.length}`)
  }
  async close(link: number): Promise<void> {
    if (this.fails !== '') throw new Error(this.fails)
    this.did.push(`close ${link}`)
  }
  async stop(): Promise<void> {}
}
