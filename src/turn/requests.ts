/** The four requests of TURN (RFC 8656), from a client that has proved who it is, and the life of what they open. */
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import type { Endpoint, Family } from '../protocol/address.js'
import { readFamily, readLifetime, readWish, type Wish } from './allocate.js'
import { Allocation, DEFAULT_LIFETIME_S, type Relay } from './allocation.js'
import type { Allocations } from './allocations.js'
import { ATTRIBUTE, FAMILY_BYTE, METHOD, readAddress } from './attributes.js'
import type { Admitted } from './auth.js'
import { FIRST_CHANNEL, LAST_OLD_CHANNEL, type StunMessage, valueOf } from './codec.js'
import type { Counters } from './counters.js'
import type { Ask } from './effects.js'
import type { Flow } from './flow.js'
import { type Opened, Openings, type RelaySocket } from './openings.js'
import type { PeerPolicy } from './peer-policy.js'
import type { PortRange } from './ports.js'
import { type QuotaLimits, Quotas } from './quotas.js'
import { BAD_REQUEST, PHRASES, type Refused } from './refused.js'
import { MessageWriter } from './writer.js'

export interface RequestsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly relayAddresses: ReadonlyMap<Family, string>
  readonly ports: PortRange
  readonly policy: PeerPolicy
  readonly limits: QuotaLimits
  readonly allowed: (id: string) => boolean
  readonly allocations: Allocations
  readonly counters: Counters
  readonly ask: Ask
}

/** A request whose signature holds. */
export interface ProvedRequest extends Admitted {
  readonly message: StunMessage
  readonly flow: Flow
}

/** An Allocate request that waits for its sockets. */
interface Pending {
  readonly request: ProvedRequest
  readonly wish: Wish
}

const MISMATCH: Refused = { code: 437, refusal: 'mismatch' }
const OTHER_USER: Refused = { code: 441, refusal: 'other_user' }
const WRONG_FAMILY: Refused = { code: 443, refusal: 'peer_family' }
const FORBIDDEN: Refused = { code: 403, refusal: 'peer' }
const FULL: Refused = { code: 508, refusal: 'capacity' }
const DRAINING: Refused = { code: 508, refusal: 'draining' }
const EXPIRED: Refused = { code: 401, refusal: 'expired' }

export class Requests {
  readonly #options: RequestsOptions
  readonly #allocations: Allocations
  readonly #openings: Openings<Pending>
  readonly #quotas: Quotas
  readonly #pending = new Map<string, Pending>()
  #drainedByMs: number | null = null

  constructor(options: RequestsOptions) {
    this.#options = options
    this.#allocations = options.allocations
    this.#openings = new Openings(options.relayAddresses.keys(), options.ports, options.random)
    this.#quotas = new Quotas(options.limits)
  }

  answer(request: ProvedRequest): void {
    switch (request.message.method) {
      case METHOD.allocate:
        return this.#allocate(request)
      case METHOD.refresh:
        return this.#onAllocation(request, allocation => this.#refresh(request, allocation))
      case METHOD.createPermission:
        return this.#onAllocation(request, allocation => this.#permit(request, allocation))
      default:
        return this.#onAllocation(request, allocation => this.#bind(request, allocation))
    }
  }

  refuse(request: ProvedRequest, { code, refusal, types = [] }: Refused): void {
    this.#options.counters.refused[refusal]++
    const { method, transactionId } = request.message
    const writer = new MessageWriter('error', method, transactionId).addError(code, PHRASES[code])
    if (types.length > 0) writer.addUint16s(ATTRIBUTE.unknownAttributes, types)
    this.#reply(request, writer)
  }

  /** Hears what became of a relay's socket. */
  opened(relay: number, isOpen: boolean): void {
    const opened = this.#openings.opened(relay, isOpen, this.#options.ask)
    if (opened !== null) this.#settle(opened)
  }

  /** A relay's socket is not needed any more. */
  closed(socket: RelaySocket): void {
    this.#openings.release(socket)
    this.#options.ask({ type: 'close', relay: socket.id })
  }

  /** Ends what a flow has opened, or is opening. */
  forget(flow: Flow): void {
    const allocation = this.#allocations.ofFlow(flow.key)
    if (allocation !== undefined) this.#end(allocation)
    const pending = this.#pending.get(flow.key)
    if (pending === undefined) return
    this.#openings.cancel(pending, this.#options.ask)
    this.#abandon(pending)
  }

  sweep(): void {
    const { clock, allowed } = this.#options
    const nowMs = clock.now()
    for (const allocation of this.#allocations.all()) {
      if (!allowed(allocation.userId)) this.#end(allocation)
      for (const relay of allocation.relays.values())
        if (relay.expiresMs <= nowMs) this.#endRelay(allocation, relay)
      allocation.sweep(nowMs)
    }
    this.#allocations.sweepReservations(nowMs)
  }

  review(): void {
    const { allowed, policy } = this.#options
    for (const allocation of this.#allocations.all()) {
      if (!allowed(allocation.userId)) this.#end(allocation)
      else allocation.withdraw(address => !mayReach(policy, allocation, address))
    }
  }

  drain(withinMs: number): void {
    const { clock, random } = this.#options
    const nowMs = clock.now()
    this.#drainedByMs = nowMs + withinMs
    for (const allocation of this.#allocations.all()) {
      allocation.leaveByMs = nowMs + withinMs * (0.5 + random.float() / 2)
      for (const relay of allocation.relays.values())
        relay.expiresMs = Math.min(relay.expiresMs, allocation.leaveByMs)
    }
  }

  #allocate(request: ProvedRequest): void {
    const { flow, message, id } = request
    const existing = this.#allocations.ofFlow(flow.key)
    const transactionId = message.transactionId.toString('hex')
    if (existing?.transactionId === transactionId) return this.#sendAgain(existing)
    if (existing !== undefined) return this.refuse(request, MISMATCH)
    if (this.#pending.has(flow.key)) return // its answer is on the way
    if (request.expired) return this.refuse(request, EXPIRED)
    const wish = readWish(message, new Set(this.#options.relayAddresses.keys()))
    if ('code' in wish) return this.refuse(request, wish)
    if (this.#drainedByMs !== null) return this.refuse(request, DRAINING)
    const over = this.#quotas.take(id, flow)
    if (over !== null) return this.refuse(request, over)
    const pending: Pending = { request, wish }
    if (wish.token !== null) return this.#claim(pending, wish.token)
    this.#pending.set(flow.key, pending)
    const served = wish.families.filter(family => this.#options.relayAddresses.has(family))
    const opened = this.#openings.begin(pending, served, wish.port, this.#options.ask)
    if (opened !== null) this.#settle(opened)
  }

  /** Opens an allocation on the port that an earlier one kept for it. */
  #claim(pending: Pending, token: string): void {
    const relay = this.#allocations.claim(token, pending.request.id)
    if (relay !== null) return this.#grant(pending, [{ relay, next: null }])
    this.#abandon(pending)
    this.refuse(pending.request, FULL)
  }

  #settle({ owner, sockets }: Opened<Pending>): void {
    this.#pending.delete(owner.request.flow.key)
    if (sockets.length > 0) return this.#grant(owner, sockets)
    this.#abandon(owner)
    this.refuse(owner.request, FULL)
  }

  #abandon({ request }: Pending): void {
    this.#pending.delete(request.flow.key)
    this.#quotas.give(request.id, request.flow)
  }

  #grant({ request, wish }: Pending, sockets: Opened<Pending>['sockets']): void {
    const { clock, random, relayAddresses } = this.#options
    const nowMs = clock.now()
    const { flow, message } = request
    const allocation = new Allocation({
      flow,
      userId: request.id,
      transactionId: message.transactionId.toString('hex'),
    })
    // A drain may have begun while the sockets were opening.
    allocation.leaveByMs = this.#drainedByMs ?? Number.POSITIVE_INFINITY
    const writer = new MessageWriter('success', METHOD.allocate, message.transactionId)
    const lifetimeS = wish.lifetimeS === 0 ? DEFAULT_LIFETIME_S : wish.lifetimeS
    const expiresMs = Math.min(nowMs + lifetimeS * 1_000, allocation.leaveByMs)
    for (const { relay, next } of sockets) {
      const endpoint = { address: relayAddresses.get(relay.family) ?? '', port: relay.port }
      allocation.relays.set(relay.family, { id: relay.id, family: relay.family, endpoint, expiresMs })
      writer.addXorAddress(ATTRIBUTE.xorRelayedAddress, endpoint)
      if (next === null) continue
      const token = Buffer.from(random.bytes(8))
      this.#allocations.reserve(token.toString('hex'), next, request.id, nowMs)
      writer.add(ATTRIBUTE.reservationToken, token)
    }
    if (wish.token === null) addMissingFamilies(writer, wish, allocation, relayAddresses)
    writer
      .addUint32(ATTRIBUTE.lifetime, Math.floor((expiresMs - nowMs) / 1_000))
      .addXorAddress(ATTRIBUTE.xorMappedAddress, flow)
    this.#allocations.add(allocation)
    allocation.granted = this.#reply(request, writer)
  }

  #sendAgain({ flow, granted }: Allocation): void {
    this.#options.ask({ type: 'reply', to: flow, listener: flow.listener, data: granted, relayed: false })
  }

  /** Finds the allocation that a request is about. */
  #onAllocation(request: ProvedRequest, answer: (allocation: Allocation) => Refused | null): void {
    const allocation = this.#allocations.ofFlow(request.flow.key)
    const refused =
      allocation === undefined ? MISMATCH : allocation.userId === request.id ? answer(allocation) : OTHER_USER
    if (refused !== null) this.refuse(request, refused)
  }

  #refresh(request: ProvedRequest, allocation: Allocation): Refused | null {
    const lifetimeS = readLifetime(request.message)
    const value = valueOf(request.message, ATTRIBUTE.requestedAddressFamily)
    const family = value === undefined ? undefined : readFamily(value)
    if (lifetimeS === null || family === null) return BAD_REQUEST
    const relays = [...allocation.relays.values()].filter(
      relay => family === undefined || relay.family === family,
    )
    if (relays.length === 0) return WRONG_FAMILY
    const nowMs = this.#options.clock.now()
    const expiresMs = Math.min(nowMs + lifetimeS * 1_000, allocation.leaveByMs)
    for (const relay of relays) {
      if (lifetimeS === 0) this.#endRelay(allocation, relay)
      else relay.expiresMs = expiresMs
    }
    const { method, transactionId } = request.message
    const granted = lifetimeS === 0 ? 0 : Math.max(0, Math.floor((expiresMs - nowMs) / 1_000))
    this.#reply(
      request,
      new MessageWriter('success', method, transactionId).addUint32(ATTRIBUTE.lifetime, granted),
    )
    return null
  }

  #permit(request: ProvedRequest, allocation: Allocation): Refused | null {
    const values = request.message.attributes.filter(({ type }) => type === ATTRIBUTE.xorPeerAddress)
    const peers = values.map(({ value }) => readAddress(value, request.message.transactionId))
    if (peers.length === 0 || peers.includes(null)) return BAD_REQUEST
    const wanted = peers as readonly Endpoint[] // no null, as just checked
    const refused = wanted.map(peer => this.#peerRefusal(allocation, peer)).find(one => one !== null)
    if (refused) return refused
    const addresses = wanted.map(({ address }) => address)
    if (!allocation.permit(addresses, this.#options.clock.now())) return FULL
    this.#succeed(request)
    return null
  }

  #bind(request: ProvedRequest, allocation: Allocation): Refused | null {
    const { message } = request
    const number = valueOf(message, ATTRIBUTE.channelNumber)
    const peer = readAddress(valueOf(message, ATTRIBUTE.xorPeerAddress), message.transactionId)
    if (number?.length !== 4 || peer === null || peer.port === 0) return BAD_REQUEST
    const channel = number.readUInt16BE(0)
    if (channel < FIRST_CHANNEL || channel > LAST_OLD_CHANNEL) return BAD_REQUEST
    const refused = this.#peerRefusal(allocation, peer)
    if (refused !== null) return refused
    if (isRelayed(allocation, peer.address) && !this.#allocations.relayAt(peer)) return FORBIDDEN
    const outcome = allocation.bind(channel, peer, this.#options.clock.now())
    if (outcome === 'taken') return BAD_REQUEST
    if (outcome === 'full') return FULL
    this.#succeed(request)
    return null
  }

  #peerRefusal(allocation: Allocation, peer: Endpoint): Refused | null {
    if (allocation.relayTo(peer) === undefined) return WRONG_FAMILY
    return mayReach(this.#options.policy, allocation, peer.address) ? null : FORBIDDEN
  }

  #succeed(request: ProvedRequest): void {
    const { method, transactionId } = request.message
    this.#reply(request, new MessageWriter('success', method, transactionId))
  }

  #reply({ flow, message, signature }: ProvedRequest, writer: MessageWriter): Buffer {
    writer.sign(signature)
    if (message.attributes.at(-1)?.type === ATTRIBUTE.fingerprint) writer.addFingerprint()
    const data = writer.finish()
    this.#options.ask({ type: 'reply', to: flow, listener: flow.listener, data, relayed: false })
    return data
  }

  #end(allocation: Allocation): void {
    for (const relay of allocation.relays.values()) this.#endRelay(allocation, relay)
  }

  #endRelay(allocation: Allocation, relay: Relay): void {
    if (this.#allocations.removeRelay(allocation, relay))
      this.#quotas.give(allocation.userId, allocation.flow)
  }
}

/**
 * Returns whether an allocation's client may reach this address. The server's own relayed address is the one
 * address of its own that may be a peer: two clients meet there, each behind its own relay.
 */
export function mayReach(policy: PeerPolicy, allocation: Allocation, address: string): boolean {
  const refusal = policy.refusal(allocation.userId, address)
  return refusal === null || (refusal === 'own' && isRelayed(allocation, address))
}

/** Returns whether this is the address that the server's relays have. */
export function isRelayed(allocation: Allocation, address: string): boolean {
  for (const { endpoint } of allocation.relays.values()) if (endpoint.address === address) return true
  return false
}

/** Says which of two families could not be had: 440 when it is not served, 508 when no port was left. */
function addMissingFamilies(
  writer: MessageWriter,
  { families }: Wish,
  { relays }: Allocation,
  served: ReadonlyMap<Family, string>,
): void {
  for (const family of families)
    if (!relays.has(family)) writer.addAddressError(FAMILY_BYTE[family], served.has(family) ? 508 : 440)
}
