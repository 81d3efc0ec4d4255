/**
 * STUN and TURN of the lab’s coordinator: the server of src/turn on sockets of the in-memory internet, at two
 * addresses and two ports, as RFC 5780 wants it; and the `Traversal` over it.
 */
import type { HearSighting, Traversal } from '../../src/actors/ports.js'
import { type Clock, every } from '../../src/kit/clock.js'
import type { Random } from '../../src/kit/random.js'
import type { Endpoint, Family } from '../../src/protocol/address.js'
import { reminder } from '../../src/turn/binding.js'
import type { Effect } from '../../src/turn/effects.js'
import { udpFlow } from '../../src/turn/flow.js'
import { iceServers, urlsOf } from '../../src/turn/ice-servers.js'
import { PeerPolicy } from '../../src/turn/peer-policy.js'
import { TurnServer } from '../../src/turn/server.js'
import type { UdpNet, UdpSocket } from './udp-net.js'

export interface CoordinatorTraversalOptions {
  readonly clock: Clock
  readonly random: Random
  readonly net: UdpNet
  /** The host that it runs on. */
  readonly host: string
  /** Whether TURN is offered beside STUN. */
  readonly turn: boolean
  /** Whether an identity has a live session. */
  readonly allowed: (id: string) => boolean
}

const ADDRESSES = ['20.0.0.1', '20.0.0.2', '2600:2000::1', '2600:2000::2'] as const
const PORTS = [3_478, 3_479] as const
const SECRET = 'a secret of at least thirty-two bytes'
const CREDENTIALS_TTL_S = 600
const SWEEP_MS = 1_000

export class CoordinatorTraversal implements Traversal {
  /** Where STUN listens; the first one is asked first. */
  readonly listeners: readonly Endpoint[] = ADDRESSES.flatMap(address =>
    PORTS.map(port => ({ address, port })),
  )
  readonly #options: CoordinatorTraversalOptions
  readonly #server: TurnServer
  readonly #sockets: (UdpSocket | null)[]
  readonly #relays = new Map<number, UdpSocket>()
  readonly #sightings = new Set<HearSighting>()
  readonly #strays = new Set<(datagram: Uint8Array, from: Endpoint) => void>()
  readonly #stopSweeping: () => void

  constructor(options: CoordinatorTraversalOptions) {
    this.#options = options
    const { clock, random, net, host, allowed } = options
    net.place(host, { addresses: ADDRESSES })
    this.#server = new TurnServer({
      clock,
      random,
      allowed,
      realm: 'lab',
      secrets: [SECRET],
      listeners: this.listeners.map(endpoint => ({ transport: 'udp', endpoint })),
      relayAddresses: new Map<Family, string>([
        [4, ADDRESSES[0]],
        [6, ADDRESSES[2]],
      ]),
      ports: { first: 49_152, last: 50_151 },
      policy: new PeerPolicy({ own: ADDRESSES }),
      limits: {
        perUser: 4,
        perAddress: 64,
        total: 800,
        bindingsPerSecond: 10_000,
        rejectionsPerSecond: 10_000,
        straysPerSecond: 10_000,
      },
      sighted: sighting =>
        this.#sightings.forEach(hear => hear(sighting, () => this.#perform([reminder(sighting)]))),
      strayed: (datagram, from) => this.#strays.forEach(hear => hear(datagram, from)),
    })
    this.#sockets = this.listeners.map((endpoint, index) =>
      net.listen(host, endpoint, (datagram, from) =>
        this.#perform(this.#server.handle(datagram, udpFlow(index, from.address, from.port))),
      ),
    )
    this.#stopSweeping = every(clock, SWEEP_MS, () => this.#perform(this.#server.sweep()))
  }

  iceServers(id: string): ReturnType<Traversal['iceServers']> {
    const { clock, turn } = this.#options
    const { stun, turn: relays } = this.#urls()
    const issued = iceServers({ stun, turn: turn ? relays : [] }, id, {
      clock,
      secret: SECRET,
      ttlS: CREDENTIALS_TTL_S,
    })
    return issued.flatMap(({ urls, username, credential }) =>
      urls.map(url => [url, username ?? null, credential ?? null] as const),
    )
  }

  stunServers(): readonly string[] {
    return this.#urls().stun
  }

  onSighting(hear: HearSighting): () => void {
    this.#sightings.add(hear)
    return () => void this.#sightings.delete(hear)
  }

  onStray(hear: (datagram: Uint8Array, from: Endpoint) => void): () => void {
    this.#strays.add(hear)
    return () => void this.#strays.delete(hear)
  }

  /** Open allocations. */
  get allocations(): number {
    return this.#server.allocations
  }

  stop(): void {
    this.#stopSweeping()
    for (const socket of [...this.#sockets, ...this.#relays.values()]) socket?.close()
  }

  #urls() {
    return urlsOf(this.listeners.map(({ address, port }) => ({ transport: 'udp', host: address, port })))
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'reply':
          this.#sockets[effect.listener]?.send(effect.data, effect.to)
          break
        case 'send':
          this.#relays.get(effect.relay)?.send(effect.data, effect.to)
          break
        case 'open':
          this.#open(effect.relay, effect.family, effect.port)
          break
        case 'close':
          this.#relays.get(effect.relay)?.close()
          this.#relays.delete(effect.relay)
          break
      }
    }
  }

  #open(relay: number, family: Family, port: number): void {
    const address = family === 4 ? ADDRESSES[0] : ADDRESSES[2]
    const { net, host } = this.#options
    const socket = net.listen(host, { address, port }, (datagram, from) =>
      this.#perform(this.#server.fromPeer(relay, Buffer.from(datagram), from.address, from.port)),
    )
    if (socket !== null) this.#relays.set(relay, socket)
    this.#perform(this.#server.opened(relay, socket !== null))
  }
}
