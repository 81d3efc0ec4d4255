/** The lab with real agents in it: nodes that echo, and clients. */
import type { Test } from 'tap'
import type { MeshAgentOptions } from '../../../src/agent/mesh-agent.js'
import { MeshClient } from '../../../src/agent/mesh-client.js'
import { MeshNode } from '../../../src/agent/mesh-node.js'
import { newKeyPair } from '../../../src/protocol/proof.js'
import { CREDENTIAL, Lab, URL } from '../../lab/lab.js'

export class MeshRig {
  readonly lab: Lab
  readonly #t: Test

  private constructor(t: Test, lab: Lab) {
    this.#t = t
    this.lab = lab
  }

  static async start(t: Test): Promise<MeshRig> {
    return new MeshRig(t, await Lab.start({ relay: { payload: 'any' } }))
  }

  run(ms: number): Promise<void> {
    return this.lab.clock.run(ms)
  }

  /** A node on a host of its own name; it sends every packet back. */
  node(id: string, options: Partial<MeshAgentOptions> = {}): MeshNode {
    const node = new MeshNode(this.#options(id, options))
    node.on('packet', ({ link, packet }) => node.send(link, packet))
    this.#t.teardown(() => node.stop())
    return node
  }

  client(id: string, options: Partial<MeshAgentOptions> = {}): MeshClient {
    const client = new MeshClient(this.#options(id, options))
    this.#t.teardown(() => client.stop())
    return client
  }

  /** Nodes by these names, and a client `alice` that has a route to one of them. */
  async served(ids: readonly string[]) {
    const nodes = new Map(ids.map(id => [id, this.node(id)]))
    for (const node of nodes.values()) node.start()
    const client = this.client('alice')
    client.start()
    await this.run(100)
    const asked = client.route()
    await this.run(200)
    await asked
    return { client, nodes }
  }

  /** Returns how many of `count` packets came back. */
  async echoes(client: MeshClient, count: number): Promise<number> {
    let back = 0
    const off = client.on('packet', () => back++)
    for (let i = 0; i < count; i++) client.send(Uint8Array.of(i))
    await this.run(100)
    off()
    return back
  }

  #options(id: string, options: Partial<MeshAgentOptions>): MeshAgentOptions {
    return {
      url: URL,
      id,
      privateKey: newKeyPair().privateKey,
      credential: CREDENTIAL,
      clock: this.lab.clock,
      random: this.lab.random,
      dial: this.lab.internet.dialFrom(id),
      ...options,
    }
  }
}
