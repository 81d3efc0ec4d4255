/**
 * A mesh in memory: one coordinator that may crash and start again over the same store and journal, agents on
 * hosts of an in-memory internet, one simulated clock, one seeded chance.
 */
import { createHash } from 'node:crypto'
import { createMesh, type Log, type Mesh, type MeshOptions } from '../../src/app/mesh.js'
import { seededRandom } from '../../src/kit/random.js'
import { MemoryJournal, MemoryStore } from '../../src/store/index.js'
import { RawAgent } from '../support/raw-agent.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { CoordinatorTraversal } from './coordinator-traversal.js'
import { Internet } from './internet.js'
import type { Router } from './router.js'
import type { Place, Site } from './udp-net.js'
import { Process } from './process.js'

export const HOST = 'mesh.test'
export const URL = `wss://${HOST}/mesh`
/** An enrolment key that never runs out. */
export const CREDENTIAL = 'bek_lab_any'

export type LabOptions = Partial<
  Pick<
    MeshOptions,
    'timing' | 'limits' | 'admission' | 'relay' | 'snapshotEveryMs' | 'pathPolicy' | 'natProbeEveryMs'
  >
> & {
  readonly seed?: number
  readonly latencyMs?: number
  /** Whether the coordinator offers TURN beside STUN. */
  readonly turn?: boolean
}

export class Lab {
  readonly clock = new SimulatedClock()
  readonly random
  readonly internet: Internet
  readonly store: MemoryStore
  journal = new MemoryJournal()
  /** Warnings and errors of the coordinator. */
  readonly complaints: { readonly fields: object; readonly message: string }[] = []
  mesh: Mesh
  traversal: CoordinatorTraversal
  #process: Process
  readonly #options: LabOptions

  constructor(options: LabOptions = {}) {
    this.#options = options
    this.random = seededRandom(options.seed ?? 1)
    this.internet = new Internet({
      clock: this.clock,
      latencyMs: options.latencyMs ?? 10,
      ...(options.seed !== undefined && { seed: options.seed }),
    })
    this.store = new MemoryStore({
      overlay4: '10.77.0.0/16',
      overlay6: 'fd77:626f:736f:6e00::/64',
      clock: this.clock,
    })
    this.#process = new Process(this.clock)
    this.traversal = this.#newTraversal()
    this.mesh = this.#newMesh()
  }

  /** Returns a lab whose coordinator serves and whose enrolment key is `CREDENTIAL`. */
  static async start(options: LabOptions = {}): Promise<Lab> {
    const lab = new Lab(options)
    await lab.store.addEnrolmentKey({
      keyId: 'lab',
      secretHash: createHash('sha256').update(CREDENTIAL).digest(),
      role: null,
      usesLeft: null,
      expiresAtMs: null,
      note: 'lab',
      createdAtMs: lab.clock.wallMs(),
      revokedAtMs: null,
    })
    await lab.boot()
    return lab
  }

  /** Gives a host its place in UDP, before its agent starts; later on: it moves there. */
  host(name: string, place: Place = {}): void {
    this.internet.udp.place(name, place)
  }

  /** Returns a router that hosts may stand behind together. */
  router(site: Site): Router {
    return this.internet.udp.router(site)
  }

  /** Starts the coordinator; what the one before left is found again. */
  async boot(): Promise<void> {
    if (this.#process.dead) {
      this.#process = new Process(this.clock)
      this.journal = new MemoryJournal(this.journal)
      this.traversal = this.#newTraversal()
      this.mesh = this.#newMesh()
    }
    await this.mesh.start()
    this.internet.serve(HOST, this.mesh.intake)
    await this.clock.run(1)
  }

  /** Ends the coordinator as kill -9 does: what the journal and the store have is all that stays. */
  crash(): void {
    this.#process.dead = true
    this.internet.crash(HOST)
  }

  /** Ends the coordinator as SIGTERM does. */
  async restart(options: { spreadMs?: number } = {}): Promise<void> {
    const stopping = this.mesh.stop(options)
    await this.clock.run(1_000)
    await stopping
    this.crash()
    await this.boot()
  }

  /** Returns a raw agent that is connected and has heard `welcome`. */
  async raw(role: 'node' | 'client', id: string, keys?: RawAgent['keys']): Promise<RawAgent> {
    const agent = new RawAgent({
      dial: this.internet.dialFrom(id),
      role,
      id,
      ...(keys !== undefined && { keys }),
    })
    agent.connect()
    await this.clock.run(100)
    return agent
  }

  /** Returns a raw agent that has registered. */
  async enrolled(role: 'node' | 'client', id: string, profile: object = {}): Promise<RawAgent> {
    const agent = await this.raw(role, id)
    agent.say(agent.hello({ credential: CREDENTIAL, ...profile }))
    await this.clock.run(100)
    return agent
  }

  /** Lets time pass while these agents beat, as live ones do. */
  async live(agents: readonly RawAgent[], ms: number): Promise<void> {
    const untilMs = this.clock.now() + ms
    for (let seq = 100; this.clock.now() < untilMs; seq++) {
      for (const agent of agents) if (agent.closedWith === null) agent.say(agent.beat(seq))
      await this.clock.run(Math.min(5_000, untilMs - this.clock.now()))
    }
  }

  /** In the coordinator’s process: it ends and starts with it. */
  #newTraversal(): CoordinatorTraversal {
    return new CoordinatorTraversal({
      clock: this.#process,
      random: this.random,
      net: this.internet.udp,
      host: HOST,
      turn: this.#options.turn ?? true,
      allowed: id => this.mesh.isPresent(id),
    })
  }

  #newMesh(): Mesh {
    const { limits, seed: _, latencyMs: __, turn: ___, ...options } = this.#options
    const complain = (fields: object, message: string) => void this.complaints.push({ fields, message })
    const log: Log = { debug: () => {}, info: () => {}, warn: complain, error: complain }
    return createMesh({
      serverId: 'lab',
      clock: this.#process,
      random: this.random,
      store: this.store,
      journal: this.#process.journal(this.journal),
      log,
      traversal: this.traversal,
      limits: { hellosPerSecond: 10_000, helloBurst: 10_000, ...limits },
      ...options,
    })
  }
}
