/** A lab with NATs whose coordinator runs, with STUN and TURN, and what can be asked of it and its agents. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { PathStory } from '../../src/actors/ports.js'
import type { PathsPage } from '../../src/app/api/paths.js'
import { shortFolder } from '../support/short-folder.js'
import { NatLab, SERVER, SERVER6 } from './nat-lab.js'
import { type Agent, Coordinator, startAgent } from './processes.js'

export interface NatMeshOptions {
  /** More settings of `boson server`. */
  readonly env?: NodeJS.ProcessEnv
  /** What agents say on their error output: `debug` to find out why. */
  readonly logLevel?: string
}

/** Many agents share the machine's cores: silence of a second means nothing. */
const BEATS = { BOSON_BEAT_EVERY_MS: '2000' }

const TURN = {
  BOSON_TURN_ADDRESS: SERVER[0],
  BOSON_TURN_OTHER_ADDRESS: SERVER[1],
  // The addresses of the lab are for documentation: on the internet nobody has them.
  BOSON_TURN_EXCEPTED: '198.51.100.0/24,203.0.113.0/24,2001:db8::/32',
}

export class NatMesh {
  readonly lab: NatLab
  readonly coordinator: Coordinator
  readonly #root: string
  readonly #logLevel: string
  readonly #agents: [string, Agent][] = []
  /** An enrolment key for any number of agents. */
  credential = ''

  private constructor(lab: NatLab, root: string, { env, logLevel = 'warn' }: NatMeshOptions) {
    this.lab = lab
    this.#root = root
    this.#logLevel = logLevel
    const turn6 = lab.dual ? { BOSON_TURN_ADDRESS6: SERVER6 } : {}
    this.coordinator = new Coordinator(lab.server, join(root, 'server'), {
      ...BEATS,
      ...TURN,
      ...turn6,
      ...env,
    })
  }

  /** Makes the lab that `line` describes and starts its coordinator. Whoever made it removes it. */
  static async make(line: string, options: NatMeshOptions = {}): Promise<NatMesh> {
    const root = shortFolder()
    const mesh = new NatMesh(await NatLab.make(line), root, options)
    try {
      await mesh.coordinator.start()
      mesh.credential = await mesh.coordinator.enrol()
      return mesh
    } catch (error) {
      await mesh.remove()
      throw error
    }
  }

  /** Starts `boson node` on a host, under its name. */
  startNode(host: string, ...options: readonly string[]): Agent {
    return this.#start('node', host, options)
  }

  /** Starts `boson client` on a host, under its name, with a route to one node. */
  startClient(host: string, node: string, ...options: readonly string[]): Agent {
    return this.#start('client', host, ['--node', node, ...options])
  }

  /** Returns what the coordinator's ledger says of the client's path; undefined while it has none. */
  async path(client: string): Promise<PathStory | undefined> {
    const ask = <T>(path: string) => this.coordinator.ask<T>(`/api/v1/paths${path}`)
    const path = (await ask<PathsPage>(`?client=${client}`))?.paths[0]
    return path && ask<PathStory>(`/${path.link}`)
  }

  /** All that its programs said on their error output so far. */
  get said(): string {
    const agents = this.#agents.map(([host, { err }]) => `── ${host}\n${err}`)
    return [`── coordinator\n${this.coordinator.said}`, ...agents].join('\n')
  }

  async remove(): Promise<void> {
    await this.lab.remove()
    rmSync(this.#root, { recursive: true, force: true })
  }

  #start(role: 'node' | 'client', host: string, options: readonly string[]): Agent {
    const own = ['--id', host, '--interface', this.lab.iface(), '--state-dir', join(this.#root, host)]
    const more = ['--credential', this.credential, '--log-level', this.#logLevel]
    const agent = startAgent(this.lab.host(host).space, role, ...own, ...more, ...options)
    this.#agents.push([host, agent])
    return agent
  }
}
