/** A node: carries the traffic of clients. */
import { AgentError } from './errors.js'
import { MeshAgent, type MeshAgentEvents, type MeshAgentOptions } from './mesh-agent.js'

export type MeshNodeOptions = MeshAgentOptions
export type MeshNodeEvents = MeshAgentEvents

/**
 * A node of the mesh. What it can carry goes into `profile`; clients come as links.
 *
 *   const node = new MeshNode({ url: 'https://mesh.example', id: 'fra-1', privateKey, credential })
 *   node.on('packet', ({ link, packet }) => node.send(link, packet))
 *   await node.start()
 */
export class MeshNode extends MeshAgent<MeshNodeEvents> {
  constructor(options: MeshNodeOptions) {
    super('node', options)
  }

  /**
   * Sends a packet to the peer of `link`; the bytes are copied. Returns false when there is no such link.
   * Packets are datagrams: they may be lost. Throws when the node was given a tunnel, whose packets they are.
   */
  send(link: number, packet: Uint8Array): boolean {
    if (this.datagrams === null)
      throw new AgentError('BAD_OPTION', 'packets belong to the tunnel of this node')
    return this.datagrams.send(link, packet)
  }
}
