/**
 * What is relayed: from a client to its peers, and back. Every packet passes here; what may not pass is counted
 * and forgotten, as nobody can be told.
 *
 *   client ─ ChannelData, Send ─→ permission, policy ─→ peer
 *   client ←─ ChannelData, Data ─ permission ←───────── peer
 *   client ─→ relayed address of this server ─→ its client: over no socket, so also behind a one-to-one NAT
 */
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import type { Endpoint } from '../protocol/address.js'
import type { Allocation, Relay } from './allocation.js'
import type { Allocations } from './allocations.js'
import { ATTRIBUTE, METHOD, readAddress } from './attributes.js'
import { type ChannelData, notUnderstood, type StunMessage, valueOf, writeChannelData } from './codec.js'
import type { Counters, Loss } from './counters.js'
import type { Ask } from './effects.js'
import type { Flow } from './flow.js'
import type { PeerPolicy } from './peer-policy.js'
import { isRelayed, mayReach } from './requests.js'
import { MessageWriter } from './writer.js'

export interface TrafficOptions {
  readonly clock: Clock
  readonly random: Random
  readonly policy: PeerPolicy
  readonly allocations: Allocations
  readonly counters: Counters
  readonly ask: Ask
}

const UNDERSTOOD = new Set<number>([ATTRIBUTE.xorPeerAddress, ATTRIBUTE.data])

export class Traffic {
  readonly #options: TrafficOptions
  /** Indications are never answered, so their ids need only differ: a random start and a count. */
  readonly #transactionId: Buffer

  constructor(options: TrafficOptions) {
    this.#options = options
    this.#transactionId = Buffer.from(options.random.bytes(12))
  }

  /** Relays what a client sent through a channel. */
  fromChannel({ channel: number, data }: ChannelData, from: Flow): void {
    const { allocations, clock } = this.#options
    const allocation = allocations.ofFlow(from.key)
    if (allocation === undefined) return this.#lose('no_allocation')
    const channel = allocation.channel(number, clock.now())
    const relay = channel && allocation.relayTo(channel.peer)
    if (channel === null || !relay) return this.#lose('no_channel')
    this.#toPeer(allocation, relay, channel.peer, data)
  }

  /** Relays what a client sent in a Send indication. */
  fromSend(message: StunMessage, from: Flow): void {
    const { allocations, clock, policy, counters } = this.#options
    const allocation = allocations.ofFlow(from.key)
    if (allocation === undefined) return this.#lose('no_allocation')
    const peer = readAddress(valueOf(message, ATTRIBUTE.xorPeerAddress), message.transactionId)
    const data = valueOf(message, ATTRIBUTE.data)
    if (peer === null || data === undefined || notUnderstood(message, UNDERSTOOD).length > 0) {
      counters.refused.malformed++
      return
    }
    const relay = allocation.relayTo(peer)
    if (relay === undefined || peer.port === 0) return this.#lose('peer')
    if (!allocation.permits(peer.address, clock.now())) return this.#lose('no_permission')
    // The permission was given when the policy allowed it; that may have changed since.
    if (!mayReach(policy, allocation, peer.address)) return this.#lose('peer')
    this.#toPeer(allocation, relay, peer, data)
  }

  /** Relays what a peer sent to a relayed address. */
  fromPeer(id: number, data: Buffer, peer: Endpoint): void {
    const found = this.#options.allocations.ofRelay(id)
    if (found === null) this.#lose('no_allocation')
    else this.#toClient(found.allocation, peer, data)
  }

  #toPeer(allocation: Allocation, relay: Relay, peer: Endpoint, data: Buffer): void {
    const { allocations, counters, ask } = this.#options
    if (!isRelayed(allocation, peer.address)) {
      count(counters.toPeers, data)
      return ask({ type: 'send', relay: relay.id, to: peer, data })
    }
    const other = allocations.relayAt(peer)
    const found = other && allocations.ofRelay(other.id)
    if (!found) return this.#lose('not_ours')
    count(counters.toPeers, data)
    this.#toClient(found.allocation, relay.endpoint, data)
  }

  #toClient(allocation: Allocation, peer: Endpoint, data: Buffer): void {
    const { clock, counters, ask } = this.#options
    const nowMs = clock.now()
    const { flow } = allocation
    const channel = allocation.channelTo(peer, nowMs)
    // The channel's spelling of the address is hashed already.
    if (!allocation.permits((channel?.peer ?? peer).address, nowMs)) return this.#lose('no_permission')
    const bytes =
      channel === null
        ? this.#indication(peer, data)
        : writeChannelData(channel.number, data, flow.transport !== 'udp')
    count(counters.toClients, data)
    ask({ type: 'reply', to: flow, listener: flow.listener, data: bytes, relayed: true })
  }

  #indication(peer: Endpoint, data: Buffer): Buffer {
    this.#transactionId.writeUInt32BE((this.#transactionId.readUInt32BE(8) + 1) >>> 0, 8)
    return new MessageWriter('indication', METHOD.data, this.#transactionId)
      .addXorAddress(ATTRIBUTE.xorPeerAddress, peer)
      .add(ATTRIBUTE.data, data)
      .finish()
  }

  #lose(loss: Loss): void {
    this.#options.counters.lost[loss]++
  }
}

function count(traffic: { packets: number; bytes: number }, data: Buffer): void {
  traffic.packets++
  traffic.bytes += data.length
}
