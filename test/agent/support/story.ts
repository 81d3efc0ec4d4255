/** A random story of agents and their coordinator, and what must be true when calm has returned. */
import type { Test } from 'tap'
import type { MeshClient } from '../../../src/agent/mesh-client.js'
import type { MeshNode } from '../../../src/agent/mesh-node.js'
import type { AgentMemory } from '../../../src/agent/ports.js'
import { volatileMemory } from '../../../src/agent/session.js'
import { pick, type Random } from '../../../src/kit/random.js'
import { newKeyPair } from '../../../src/protocol/proof.js'
import { MeshRig } from './mesh-rig.js'

/** The longest back-off, and a little for what follows it, ms. */
const CALM_MS = 75_000

interface Cast<A> {
  readonly id: string
  agent: A
  readonly own: { readonly privateKey: Uint8Array; readonly memory: AgentMemory }
  running: boolean
}

export class Story {
  readonly #rig: MeshRig
  readonly #random: Random
  readonly #nodes: Cast<MeshNode>[]
  readonly #clients: Cast<MeshClient>[]
  readonly #told: string[] = []
  #down = false

  private constructor(rig: MeshRig, random: Random) {
    this.#rig = rig
    this.#random = random
    this.#nodes = ['n1', 'n2', 'n3'].map(id => this.#cast(id, own => rig.node(id, own)))
    this.#clients = ['c1', 'c2', 'c3', 'c4'].map(id => this.#cast(id, own => rig.client(id, own)))
  }

  static async begin(t: Test, random: Random): Promise<Story> {
    const story = new Story(await MeshRig.start(t), random)
    for (const cast of [...story.#nodes, ...story.#clients]) cast.agent.start()
    for (const { agent } of story.#clients) agent.route({}, { patient: true })
    await story.#rig.run(1_000)
    return story
  }

  async step(): Promise<void> {
    const { lab } = this.#rig
    const { id } = this.#any()
    switch (pick(this.#random, 10)) {
      case 0:
        this.#tell(`cut ${id}`)
        lab.internet.cut(id)
        break
      case 1:
      case 2:
        this.#tell(`heal ${id}`)
        lab.internet.heal(id)
        break
      case 3:
      case 4:
        this.#tell(`drop ${id}`)
        lab.internet.drop(id)
        break
      case 5:
        await this.#toggle(this.#nodes[pick(this.#random, this.#nodes.length)] as Cast<MeshNode>) // inside
        break
      case 6:
        await this.#toggle(this.#clients[pick(this.#random, this.#clients.length)] as Cast<MeshClient>) // inside
        break
      case 7:
        await this.#power()
        break
      case 8:
        if (this.#down) break
        this.#tell('restart')
        await lab.restart({ spreadMs: 500 })
        break
      default:
        this.#tell(`nudge ${id}`)
        this.#any().agent.nudge()
    }
    await this.#rig.run(pick(this.#random, 2) === 0 ? pick(this.#random, 100) : pick(this.#random, 30_000))
  }

  /** Everything works again, and there is time. */
  async calm(): Promise<void> {
    if (this.#down) await this.#power()
    for (const cast of [...this.#nodes, ...this.#clients]) {
      this.#rig.lab.internet.heal(cast.id)
      if (!cast.running) await this.#toggle(cast)
    }
    await this.#rig.run(CALM_MS)
  }

  async check(t: Test): Promise<void> {
    const { mesh } = this.#rig.lab
    for (const { id, agent } of [...this.#nodes, ...this.#clients]) {
      t.equal(agent.status().state, 'online', `${id} is online`)
    }
    for (const { id, agent } of this.#clients) {
      t.equal(await this.#rig.echoes(agent, 3), 3, `${id} has a route that carries`)
      t.equal(agent.status().links.length, 1, `${id} has one link`)
    }
    t.equal(mesh.routes().length, this.#clients.length, 'one route for each client')
    t.equal(mesh.stats().faults, 0, 'nothing failed inside the coordinator')
    if (!t.passing()) t.comment(this.#told.join('; '))
  }

  async #power(): Promise<void> {
    this.#tell(this.#down ? 'boot' : 'kill')
    if (this.#down) await this.#rig.lab.boot()
    else this.#rig.lab.crash()
    this.#down = !this.#down
  }

  /** Stops an agent, for good or to resume, or starts one that was stopped: now and then as a new process. */
  async #toggle(cast: Cast<MeshNode> | Cast<MeshClient>): Promise<void> {
    if (cast.running) {
      const leave = pick(this.#random, 2) === 0
      this.#tell(`stop ${cast.id}${leave ? ' for good' : ''}`)
      await cast.agent.stop({ leave })
    } else {
      this.#tell(`start ${cast.id}`)
      if ('route' in cast.agent) {
        if (pick(this.#random, 2) === 0) cast.agent = this.#rig.client(cast.id, cast.own)
        cast.agent.route({}, { patient: true })
      } else if (pick(this.#random, 2) === 0) cast.agent = this.#rig.node(cast.id, cast.own)
      cast.agent.start()
    }
    cast.running = !cast.running
  }

  #any(): Cast<MeshNode> | Cast<MeshClient> {
    const all = [...this.#nodes, ...this.#clients]
    return all[pick(this.#random, all.length)] as Cast<MeshNode> // inside
  }

  #cast<A>(id: string, make: (own: Cast<A>['own']) => A): Cast<A> {
    const own = { privateKey: newKeyPair().privateKey, memory: volatileMemory() }
    return { id, own, agent: make(own), running: true }
  }

  #tell(what: string): void {
    this.#told.push(`${Math.round(this.#rig.lab.clock.now())} ${what}`)
  }
}
