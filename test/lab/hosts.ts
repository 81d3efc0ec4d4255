/**
 * Machines with an agent on each: the library as programs use it, on the lab's internet, clock and chance.
 *
 *   const fra = await nodeOn(lab, 'fra-1')         echoes every packet that it gets
 *   const alice = await clientOn(lab, 'alice')
 *   await alice.routed()                           asks for a route, and waits until it carries
 *   alice.crash(); alice.boot()                    kill -9, and a new process on the same machine
 */
import { DatagramTunnel } from '../../src/agent/datagram-tunnel.js'
import { DirectSocket } from '../../src/agent/direct/direct-socket.js'
import { UdpWay } from '../../src/agent/direct/udp-way.js'
import {
  type AgentMemory,
  type JobMemory,
  type Jobs,
  volatileJobs,
  volatileMemory,
} from '../../src/agent/index.js'
import { MeshClient } from '../../src/agent/mesh-client.js'
import type { MeshAgentEvents, MeshAgentOptions } from '../../src/agent/mesh-agent.js'
import { NatProber } from '../../src/agent/nat/nat-prober.js'
import { MeshNode, type MeshNodeOptions } from '../../src/agent/mesh-node.js'
import type { Route, RouteWish } from '../../src/agent/route.machine.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { CREDENTIAL, type Lab, URL } from './lab.js'
import { Process } from './process.js'
import type { Place } from './udp-net.js'

export interface HostOptions
  extends Partial<Pick<MeshAgentOptions, 'profile' | 'timing' | 'policy' | 'gauges'>> {
  /** Whose identity; the host's own name when not given. */
  readonly id?: string
  readonly privateKey?: Uint8Array
  /** Says what jobs a node does, in each of its processes. */
  readonly does?: (jobs: Jobs) => void
  /** Hears of every packet that arrives. */
  readonly packet?: (link: number, packet: Uint8Array) => void
  /** Hears of every event. */
  readonly happened?: (type: string, event: unknown) => void
}

/** What a host remembers of its agents' events, whichever process they came from. */
export interface Happened {
  readonly atMs: number
  readonly type: string
  readonly event: unknown
}

abstract class Host<A extends MeshNode | MeshClient> {
  readonly name: string
  readonly lab: Lab
  readonly privateKey: Uint8Array
  /** On the disk of the machine: it outlives the process. */
  readonly memory: AgentMemory = volatileMemory()
  readonly jobMemory: JobMemory = volatileJobs()
  readonly happened: Happened[] = []
  agent: A
  #process: Process
  #tunnel: LabTunnel
  readonly #options: HostOptions

  constructor(lab: Lab, name: string, options: HostOptions = {}) {
    this.name = name
    this.lab = lab
    this.privateKey = options.privateKey ?? newKeyPair().privateKey
    this.#options = options
    this.#process = new Process(lab.clock)
    this.#tunnel = this.#newTunnel()
    this.agent = this.#newAgent()
  }

  /** Whether the process runs. */
  get runs(): boolean {
    return !this.#process.dead
  }

  /** Ends the process as kill -9 does. */
  crash(): void {
    this.#process.dead = true
    this.lab.internet.crash(this.name)
  }

  /** Starts a new process; it finds the memory of the one before. */
  boot(): void {
    this.#process.dead = true
    this.#process = new Process(this.lab.clock)
    this.#tunnel = this.#newTunnel()
    this.agent = this.#newAgent()
    void this.agent.start()
  }

  /** Moves to another network: its sockets break, and the system tells the agent. */
  move(place: Place): void {
    this.lab.host(this.name, place)
    this.lab.internet.drop(this.name)
    this.agent.nudge()
  }

  /** Sends a packet to the peer of a link; false when there is no such link. */
  send(link: number, packet: Uint8Array): boolean {
    return this.#tunnel.send(link, packet)
  }

  /** Returns what happened since, by name. */
  since(atMs: number, ...types: string[]): Happened[] {
    return this.happened.filter(it => it.atMs >= atMs && types.includes(it.type))
  }

  protected abstract make(options: MeshNodeOptions, does: HostOptions['does']): A

  /** A packet arrived; the bytes are only lent. */
  protected abstract received(link: number, packet: Uint8Array): void

  protected note(type: string, event: unknown): void {
    this.happened.push({ atMs: this.lab.clock.now(), type, event })
    this.#options.happened?.(type, event)
  }

  #newTunnel(): LabTunnel {
    return new LabTunnel(this.lab.internet.udp.has(this.name), (link, packet) => {
      this.#options.packet?.(link, packet)
      this.received(link, packet)
    })
  }

  /** What an agent does with UDP, where its host has that. */
  #traversal(): Pick<MeshAgentOptions, 'ways' | 'prober'> {
    const { internet, random } = this.lab
    if (!internet.udp.has(this.name)) return {}
    const openDatagrams = internet.datagramsFrom(this.name)
    const clock = this.#process
    const forwardedPort = internet.udp.forwardedTo(this.name)
    const socket = new DirectSocket(internet.udp.datagramsFrom(this.name, forwardedPort))
    const prober = new NatProber({
      clock,
      random,
      shared: socket,
      openDatagrams,
      resolve: async host => [host],
    })
    return {
      ways: [new UdpWay({ socket, clock, random, forwardedPort })],
      prober,
    }
  }

  #newAgent(): A {
    const { id, profile, timing, policy, gauges } = this.#options
    const process = this.#process
    const options: MeshNodeOptions = {
      url: URL,
      id: id ?? this.name,
      privateKey: this.privateKey,
      credential: CREDENTIAL,
      clock: this.#process,
      random: this.lab.random,
      dial: this.lab.internet.dialFrom(this.name),
      memory: this.memory,
      jobMemory: {
        load: () => this.jobMemory.load(),
        save: jobs => process.dead || this.jobMemory.save(jobs),
      },
      tunnel: this.#tunnel,
      ...this.#traversal(),
      profile,
      timing,
      policy,
      gauges,
    }
    const agent = this.make(options, this.#options.does)
    for (const type of ['online', 'offline', 'refused', 'link', 'path', 'linkClosed', 'fault'] as const)
      (agent as MeshNode).on(type, (event: MeshAgentEvents[typeof type]) => this.note(type, event)) // a client has them too
    return agent
  }
}

/** A machine with a node on it, which sends every packet back where it came from. */
export class NodeHost extends Host<MeshNode> {
  protected make(options: MeshNodeOptions, does: HostOptions['does']): MeshNode {
    const node = new MeshNode(options)
    does?.(node.jobs)
    return node
  }

  protected received(link: number, packet: Uint8Array): void {
    this.send(link, packet)
  }
}

export class ClientHost extends Host<MeshClient> {
  /** Numbers of the pings that left, and of those that came back, and when. */
  readonly pings: { readonly n: number; readonly atMs: number }[] = []
  readonly echoes: { readonly n: number; readonly atMs: number }[] = []

  /** Asks for a route and returns it when it carries. */
  async routed(wish: RouteWish = {}): Promise<Route> {
    const route = this.agent.route(wish)
    await this.lab.clock.run(200)
    return route
  }

  /** Sends a numbered packet that the node will echo. */
  ping(): boolean {
    const n = this.pings.length + 1
    this.pings.push({ n, atMs: this.lab.clock.now() })
    const link = this.agent.current?.link
    return link !== undefined && this.send(link, numbered(n))
  }

  /** Pings this often, and returns how long it took from now until the first echo, ms. Throws when none came in time. */
  async firstEchoMs(withinMs: number, everyMs = 50): Promise<number> {
    const sinceMs = this.lab.clock.now()
    const before = this.pings.length
    while (this.lab.clock.now() - sinceMs < withinMs) {
      this.ping()
      await this.lab.clock.run(everyMs)
      const echo = this.echoes.find(({ n }) => n > before)
      if (echo !== undefined) return echo.atMs - sinceMs
    }
    throw new Error(`${this.name} heard no echo within ${withinMs} ms`)
  }

  protected make(options: MeshAgentOptions): MeshClient {
    const client = new MeshClient(options)
    for (const type of ['route', 'switched', 'lost'] as const)
      client.on(type, (event: unknown) => this.note(type, event))
    return client
  }

  protected received(_link: number, packet: Uint8Array): void {
    this.echoes.push({ n: Buffer.from(packet).readUInt32LE(8), atMs: this.lab.clock.now() })
  }
}

/** Returns a node that is online. */
export async function nodeOn(lab: Lab, name: string, options: HostOptions = {}): Promise<NodeHost> {
  return online(new NodeHost(lab, name, options))
}

/** Returns a client that is online. */
export async function clientOn(lab: Lab, name: string, options: HostOptions = {}): Promise<ClientHost> {
  return online(new ClientHost(lab, name, options))
}

async function online<H extends NodeHost | ClientHost>(host: H): Promise<H> {
  const standing = host.agent.start()
  await host.lab.clock.run(200)
  await standing
  return host
}

/** On a host with a place in UDP its packets say that they protect themselves, as WireGuard’s do. */
class LabTunnel extends DatagramTunnel {
  readonly sealed: boolean

  constructor(sealed: boolean, received: (link: number, packet: Uint8Array) => void) {
    super({ received })
    this.sealed = sealed
  }
}

/** Returns a WireGuard transport packet with this counter. */
export function numbered(n: number): Buffer {
  const packet = Buffer.alloc(32)
  packet[0] = 4
  packet.writeUInt32LE(n, 8)
  return packet
}
