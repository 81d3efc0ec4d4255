/** A node: carries the traffic of clients. */
import type { Wire } from '../protocol/messages.js'
import { checkFields } from './check.js'
import { Drain, type DrainOptions, type DrainOutcome, type DrainProgress } from './drain.js'
import { AgentError } from './errors.js'
import type { JobMemory } from './jobs/job-memory.js'
import { Jobs } from './jobs/jobs.js'
import {
  MeshAgent,
  type MeshAgentEvents,
  type MeshAgentOptions,
  type MeshAgentStatus,
  type StopOptions,
} from './mesh-agent.js'

export interface MeshNodeOptions extends MeshAgentOptions {
  /** Keeps what jobs were done over a restart of this process; without one, a restart may do one again. */
  readonly jobMemory?: JobMemory | undefined
}
export interface MeshNodeEvents extends MeshAgentEvents {
  /** How far the drain of this node is, whoever asked for it. */
  drain: DrainProgress
}
export interface MeshNodeStatus extends MeshAgentStatus {
  /** null: the node is not drained. */
  readonly drain: DrainProgress | null
}

/**
 * A node of the mesh. What it can carry goes into `profile`; clients come as links.
 *
 *   const node = new MeshNode({ url: 'https://mesh.example', id: 'fra-1', privateKey, credential })
 *   node.on('packet', ({ link, packet }) => node.send(link, packet))
 *   await node.start()
 *   …
 *   await node.drain({ withinMs: 10_000 })
 *   await node.stop()
 */
export class MeshNode extends MeshAgent<MeshNodeEvents> {
  /** What operators may order this node to do: nothing, until `jobs.on(kind, run)` says how. */
  readonly jobs: Jobs
  readonly #drain: Drain

  constructor(options: MeshNodeOptions) {
    super('node', options)
    this.jobs = new Jobs({
      clock: this.clock,
      say: event => this.say(event),
      memory: options.jobMemory,
      fault: (what, error) => this.emit('fault', { what, error }),
    })
    this.#drain = new Drain({
      clock: this.clock,
      say: event => this.say(event),
      isOnline: () => this.status().state === 'online',
    })
  }

  /**
   * Asks the coordinator to move the clients of this node to others and to send no new ones; the node carries their
   * traffic on meanwhile. Resolves when the last one has gone, when time is up, and at once when the coordinator is
   * away. Without `withinMs` it waits for as long as it takes. The node stays up, and drained, until it is stopped
   * or `stay` is called.
   */
  drain(options: DrainOptions = {}): Promise<DrainOutcome> {
    const { withinMs = null, reason = '' } = options
    checkFields('drain.request', { reason, ...(withinMs !== null && { withinMs }) })
    return this.#drain.ask(options)
  }

  /** Takes a `drain` back: clients may come again, unless the operator drains the node too. */
  stay(): void {
    this.#drain.cancel()
  }

  override status(): MeshNodeStatus {
    return { ...super.status(), drain: this.#drain.progress }
  }

  override async stop(options: StopOptions = {}): Promise<void> {
    this.#drain.forget()
    this.jobs.stop()
    await super.stop(options)
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

  protected override hear(event: Wire): void {
    if (event.type === 'job.offer') return this.jobs.offered(event)
    if (event.type !== 'drain.state') return super.hear(event)
    this.#drain.heard(event)
    const { state, by, left, moved, remainingMs = null } = event
    this.emitter.emit('drain', { state, by, left, moved, remainingMs })
  }

  protected override stood(): void {
    this.#drain.stood()
    this.jobs.stood()
  }
}
