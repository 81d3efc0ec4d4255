/**
 * Datagrams by way of a TURN server: an address on the server that relays to and from us. It looks like a socket, so
 * that checks and packets travel on it as on any other.
 */
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { type Endpoint, endpointText, familyOf } from '../../protocol/address.js'
import { TurnClient } from '../../turn/client.js'
import type { Datagrams, IceServers, OpenDatagrams } from '../ports.js'
import type { DirectSocket } from './direct-socket.js'
import { endpointsOf, type Resolve, type Server, serversOf } from './servers.js'

export interface TurnedOptions {
  readonly clock: Clock
  readonly random: Random
  /** Requests to the server, and what it relays, travel on this. */
  readonly socket: DirectSocket
  readonly resolve: Resolve
  readonly servers: () => IceServers
  /** The server keeps it no more. */
  readonly lost: () => void
}

/** Patience for an allocation, ms: three requests, as the first is answered with a challenge. */
const ALLOCATE_MS = 2_000
/** Peers that may send to us: permissions are asked for one by one. */
const MOST_PEERS = 32
/** Packets to a peer before it is worth a channel, which saves 32 bytes on each. */
const CHANNEL_AFTER = 20

/** Returns what allocates; rejects when no server of the coordinator's does in time. */
export function openTurned(options: TurnedOptions): OpenDatagrams {
  return async received => {
    for (const server of serversOf(options.servers(), 'turn')) {
      for (const endpoint of await endpointsOf(server, options.resolve)) {
        // The socket reaches what this machine has addresses for; relayed addresses are IPv4, which all servers have.
        const local = options.socket.local()
        if (!local.some(({ address }) => familyOf(address) === familyOf(endpoint.address))) continue
        const turned = await allocated(server, endpoint, options, received)
        if (turned !== null) return turned
      }
    }
    throw new Error('no TURN server gave an address')
  }
}

type Received = Parameters<OpenDatagrams>[0]

async function allocated(
  { username, password }: Server,
  at: Endpoint,
  { clock, random, socket, lost }: TurnedOptions,
  received: Received,
): Promise<Datagrams | null> {
  const client = new TurnClient({
    clock,
    random,
    username,
    password,
    send: bytes => socket.send(bytes, at),
    data: (peer, bytes) => received(bytes, peer),
    lost,
  })
  const deafen = socket.onServer(at, bytes => void client.received(bytes))
  const timer = clock.setTimeout(() => client.close(), ALLOCATE_MS)
  try {
    const { relayed } = await client.allocate()
    return new TurnedDatagrams(client, relayed, deafen)
  } catch {
    deafen()
    return null
  } finally {
    clock.clearTimeout(timer)
  }
}

class TurnedDatagrams implements Datagrams {
  readonly #client: TurnClient
  readonly #relayed: Endpoint
  readonly #deafen: () => void
  readonly #permitted = new Set<string>()
  /** Packets that each peer was sent. */
  readonly #sent = new Map<string, number>()

  constructor(client: TurnClient, relayed: Endpoint, deafen: () => void) {
    this.#client = client
    this.#relayed = relayed
    this.#deafen = deafen
  }

  local(): readonly Endpoint[] {
    return [this.#relayed]
  }

  send(datagram: Uint8Array, to: Endpoint): void {
    if (!this.#permitted.has(to.address)) this.#permit(to.address)
    const key = endpointText(to)
    const sent = (this.#sent.get(key) ?? 0) + 1
    this.#sent.set(key, sent)
    // A refusal shows as checks without answers.
    if (sent === CHANNEL_AFTER) this.#client.bind(to).catch(() => {})
    this.#client.send(to, datagram)
  }

  close(): void {
    this.#deafen()
    this.#client.close()
  }

  #permit(address: string): void {
    if (this.#permitted.size >= MOST_PEERS) return
    this.#permitted.add(address)
    this.#client.permit([address]).catch(() => {})
  }
}
