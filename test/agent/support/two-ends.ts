/**
 * Two ends of one link on hosts of the in-memory internet, each with the way by UDP, and between them a coordinator
 * that does what a test tells it: it hands signals over and asks both to punch.
 */
import type { Test } from 'tap'
import { DirectSocket } from '../../../src/agent/direct/direct-socket.js'
import { UdpWay } from '../../../src/agent/direct/udp-way.js'
import type { IceServers, LinkWay, PathPolicy } from '../../../src/agent/ports.js'
import { seededRandom } from '../../../src/kit/random.js'
import type { Endpoint } from '../../../src/protocol/address.js'
import type { WireOf } from '../../../src/protocol/messages.js'
import { CoordinatorTraversal } from '../../lab/coordinator-traversal.js'
import type { Place } from '../../lab/udp-net.js'
import { Internet } from '../../lab/internet.js'
import { SimulatedClock } from '../../support/simulated-clock.js'
import { pathOpen } from './rig.js'

export const LINK = 0x1_0001
/** One way between an agent and the coordinator, and through the core, ms. */
export const LATENCY_MS = 10
const COORDINATOR = 'coordinator'

export interface TwoEndsOptions {
  readonly client?: Place
  readonly node?: Place
  readonly turn?: boolean
  readonly policy?: PathPolicy
  readonly seed?: number
}

export class TwoEnds {
  readonly clock = new SimulatedClock()
  readonly random
  readonly internet: Internet
  readonly traversal: CoordinatorTraversal
  readonly client: End
  readonly node: End
  #attempt = 0

  constructor(
    t: Test,
    { client = {}, node = {}, turn = false, policy = 'auto', seed = 1 }: TwoEndsOptions = {},
  ) {
    this.random = seededRandom(seed)
    this.internet = new Internet({ clock: this.clock, latencyMs: LATENCY_MS, seed })
    this.traversal = new CoordinatorTraversal({
      clock: this.clock,
      random: this.random,
      net: this.internet.udp,
      host: COORDINATOR,
      turn,
      allowed: () => true,
    })
    this.internet.udp.place('client', client)
    this.internet.udp.place('node', node)
    this.client = new End(this, 'client', policy)
    this.node = new End(this, 'node', policy)
    t.teardown(async () => {
      await Promise.all([this.client.way.stop(), this.node.way.stop()])
      this.traversal.stop()
    })
  }

  /** Both ends open the link and say where they can be reached. */
  async open(): Promise<this> {
    for (const end of [this.client, this.node]) end.open()
    await this.clock.run(200)
    return this
  }

  /** Asks both to try; ends when both have spoken, or the attempt is over. */
  async punch(via: WireOf<'path.punch'>['via'] = 'udp'): Promise<readonly [string, string]> {
    const attempt = ++this.#attempt
    const key = this.random.bytes(32)
    for (const end of [this.client, this.node]) {
      const { candidates } = this.other(end).signals.at(-1) ?? { candidates: [] }
      end.tell({
        type: 'path.punch',
        link: LINK,
        attempt,
        via,
        controlling: end === this.client,
        key,
        startInMs: 0,
        tryForMs: 5_000,
        candidates,
      })
    }
    const said = () =>
      [this.client, this.node].map(end => end.attempts.find(each => each.attempt === attempt))
    for (let ms = 0; ms < 6_000 && said().includes(undefined); ms += 20) await this.clock.run(20)
    const [client, node] = said()
    return [client?.outcome ?? 'nothing', node?.outcome ?? 'nothing']
  }

  other(end: End): End {
    return end === this.client ? this.node : this.client
  }

  get attempt(): number {
    return this.#attempt
  }
}

export class End {
  readonly way: UdpWay
  readonly socket: DirectSocket
  link: LinkWay | null = null
  readonly signals: WireOf<'path.signal'>[] = []
  readonly attempts: WireOf<'path.attempt'>[] = []
  readonly received: { readonly text: string; readonly tier: string; readonly atMs: number }[] = []
  /** Datagrams that it sent, for tests that bring them back. */
  readonly wire: { readonly bytes: Buffer; readonly to: Endpoint }[] = []
  relayedRttMs: number | null = null
  iceServers: IceServers
  readonly #ends: TwoEnds
  readonly #policy: PathPolicy

  constructor(ends: TwoEnds, name: string, policy: PathPolicy) {
    this.#ends = ends
    this.#policy = policy
    const { clock, random, internet, traversal } = ends
    const openDatagrams = internet.udp.datagramsFrom(name)
    this.socket = new DirectSocket(async received => {
      const datagrams = await openDatagrams(received)
      return {
        ...datagrams,
        send: (bytes, to) => {
          this.wire.push({ bytes: Buffer.from(bytes), to })
          datagrams.send(bytes, to)
        },
      }
    })
    this.iceServers = traversal.iceServers(name)
    this.way = new UdpWay({ socket: this.socket, clock, random, resolve: async host => [host] })
  }

  open(): void {
    this.link = this.way.open(pathOpen(LINK), {
      say: event => this.#say(event),
      deliver: (packet, tier) =>
        this.received.push({ text: Buffer.from(packet).toString(), tier, atMs: this.#ends.clock.now() }),
      policy: this.#policy,
      iceServers: () => this.iceServers,
      relayedRttMs: () => this.relayedRttMs,
    })
  }

  /** Sends by the way if it carries; returns whether it did. */
  send(text: string): boolean {
    if (this.link?.tier == null) return false
    // As WireGuard's: the first byte is its type.
    this.link.send(Buffer.from(`\x04${text}`, 'latin1'))
    return true
  }

  /** What the coordinator says arrives a little later. */
  tell(event: Parameters<LinkWay['hear']>[0]): void {
    this.#ends.clock.setTimeout(() => this.link?.hear(event), LATENCY_MS)
  }

  #say(event: WireOf<'path.signal'> | WireOf<'path.attempt'>): void {
    if (event.type === 'path.attempt') this.attempts.push(event)
    else {
      this.signals.push(event)
      this.#ends.clock.setTimeout(() => this.#ends.other(this).tell(event), LATENCY_MS)
    }
  }
}
