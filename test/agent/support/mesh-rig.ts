/**
 * Real agents and a real coordinator's core, joined by sockets in memory on one simulated clock. The
 * coordinator can be killed and started again over the same store and journal.
 */
import type { Test } from 'tap'
import type { Connection } from '../../../src/actors/ports.js'
import type { MeshAgentOptions } from '../../../src/agent/mesh-agent.js'
import { MeshClient } from '../../../src/agent/mesh-client.js'
import { MeshNode } from '../../../src/agent/mesh-node.js'
import type { Dial, SocketEvents } from '../../../src/agent/ports.js'
import { createMesh, type Mesh, type MeshOptions } from '../../../src/app/mesh.js'
import { seededRandom } from '../../../src/kit/random.js'
import { newKeyPair } from '../../../src/protocol/proof.js'
import { MemoryJournal } from '../../../src/store/memory-journal.js'
import { MemoryStore } from '../../../src/store/memory-store.js'
import { SimulatedClock } from '../../support/simulated-clock.js'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

export class MeshRig {
  readonly clock = new SimulatedClock()
  readonly random = seededRandom(7)
  readonly #store = new MemoryStore({ overlay4: '10.77.0.0/16', overlay6: 'fd77::/64', clock: this.clock })
  readonly #wires = new Set<Wire>()
  readonly #t: Test
  #journal = new MemoryJournal()
  /** null while the coordinator is down. */
  mesh: Mesh | null = null
  credential = ''

  private constructor(t: Test) {
    this.#t = t
  }

  static async start(t: Test): Promise<MeshRig> {
    const rig = new MeshRig(t)
    await rig.boot()
    t.teardown(() => rig.shutDown())
    const wish = { role: null, uses: null, ttlMs: null, note: 'test', actor: 'test' }
    rig.credential = (await rig.running.createEnrolmentKey(wish)).secret
    return rig
  }

  get running(): Mesh {
    if (this.mesh === null) throw new Error('the coordinator is down')
    return this.mesh
  }

  async boot(): Promise<void> {
    const options: MeshOptions = {
      serverId: 'coordinator-1',
      clock: this.clock,
      random: this.random,
      store: this.#store,
      journal: this.#journal,
      log: quiet,
      relay: { payload: 'any' },
    }
    this.mesh = createMesh(options)
    await this.mesh.start()
  }

  /** Stops as on SIGTERM: every session hears its slot first. */
  async shutDown(): Promise<void> {
    const { mesh } = this
    this.mesh = null
    const stopped = mesh?.stop({ spreadMs: 1_000, tryForMs: 60_000 })
    await this.clock.run(1_000)
    await stopped
  }

  /** Ends as on SIGKILL: nobody hears anything, and what the store has not taken is in the journal. */
  kill(): void {
    this.mesh = null
    this.#journal = new MemoryJournal(this.#journal)
    for (const wire of this.#wires) wire.cut()
  }

  node(id: string, options: Partial<MeshAgentOptions> = {}): MeshNode {
    const node = new MeshNode(this.#options(id, options))
    this.#t.teardown(() => node.stop())
    return node
  }

  client(id: string, options: Partial<MeshAgentOptions> = {}): MeshClient {
    const client = new MeshClient(this.#options(id, options))
    this.#t.teardown(() => client.stop())
    return client
  }

  readonly dial: Dial = (_url, events) => {
    const wire = new Wire(this, events, () => this.#wires.delete(wire))
    this.#wires.add(wire)
    return wire.agentEnd
  }

  #options(id: string, options: Partial<MeshAgentOptions>): MeshAgentOptions {
    return {
      url: 'wss://mesh.example',
      id,
      privateKey: newKeyPair().privateKey,
      credential: this.credential,
      clock: this.clock,
      random: this.random,
      dial: this.dial,
      ...options,
    }
  }
}

/** A socket in memory: ordered, without delay, its bytes copied as a network would. */
class Wire {
  readonly #rig: MeshRig
  readonly #events: SocketEvents
  readonly #ended: () => void
  #connection: Connection | null = null
  #open = true
  readonly agentEnd = {
    send: (bytes: Uint8Array) => {
      const message = Uint8Array.from(bytes)
      this.#later(() => this.#connection?.received(message))
    },
    buffered: () => 0,
    close: (code: number, reason: string) => this.#later(() => this.#end(code, reason)),
  }

  constructor(rig: MeshRig, events: SocketEvents, ended: () => void) {
    this.#rig = rig
    this.#events = events
    this.#ended = ended
    this.#later(() => this.#connect())
  }

  /** Both ends learn of it as of a cable that is cut: at once, and without a word. */
  cut(): void {
    this.#end(1006, '')
  }

  #connect(): void {
    const { mesh } = this.#rig
    const admitted = mesh?.intake.admit('192.0.2.1')
    if (mesh === null || !admitted?.ok) return this.#end(1006, 'unreachable')
    this.#events.opened()
    this.#connection = mesh.intake.opened({
      remote: '192.0.2.1',
      send: bytes => {
        const message = Uint8Array.from(bytes)
        this.#later(() => this.#events.received(message))
        return 1
      },
      buffered: () => 0,
      close: (code, reason) => this.#later(() => this.#end(code, reason)),
    })
  }

  #later(run: () => void): void {
    this.#rig.clock.soon(() => {
      if (this.#open) run()
    })
  }

  #end(code: number, reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#ended()
    this.#connection?.closed(code)
    this.#events.closed(code, reason)
  }
}
