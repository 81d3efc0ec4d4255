/** Every allocation of one server, found by its client's flow, by its relay's socket and by its relayed address. */
import type { Endpoint } from '../protocol/address.js'
import type { Allocation, Relay } from './allocation.js'
import type { RelaySocket } from './openings.js'

/** RFC 8656 §7.2: a port that was kept for later is held this long, ms. */
const RESERVED_MS = 30_000

interface Reservation {
  readonly socket: RelaySocket
  readonly userId: string
  readonly expiresMs: number
}

export class Allocations {
  /** Hears of each relay socket that is not needed any more. */
  readonly #closed: (socket: RelaySocket) => void
  readonly #byFlow = new Map<string, Allocation>()
  readonly #byRelay = new Map<number, Allocation>()
  readonly #relayAt = new Map<string, Relay>()
  readonly #reservations = new Map<string, Reservation>()

  constructor(closed: (socket: RelaySocket) => void) {
    this.#closed = closed
  }

  get size(): number {
    return this.#byFlow.size
  }

  all(): Iterable<Allocation> {
    return this.#byFlow.values()
  }

  ofFlow(key: string): Allocation | undefined {
    return this.#byFlow.get(key)
  }

  ofRelay(id: number): { readonly allocation: Allocation; readonly relay: Relay } | null {
    const allocation = this.#byRelay.get(id)
    for (const relay of allocation?.relays.values() ?? [])
      if (allocation !== undefined && relay.id === id) return { allocation, relay }
    return null
  }

  /** Returns the relay that has this relayed address. */
  relayAt(endpoint: Endpoint): Relay | undefined {
    return this.#relayAt.get(place(endpoint))
  }

  add(allocation: Allocation): void {
    this.#byFlow.set(allocation.flow.key, allocation)
    for (const relay of allocation.relays.values()) {
      this.#byRelay.set(relay.id, allocation)
      this.#relayAt.set(place(relay.endpoint), relay)
    }
  }

  /** Takes one relay away; returns whether that ended the allocation. */
  removeRelay(allocation: Allocation, relay: Relay): boolean {
    allocation.relays.delete(relay.family)
    this.#byRelay.delete(relay.id)
    this.#relayAt.delete(place(relay.endpoint))
    this.#closed({ id: relay.id, family: relay.family, port: relay.endpoint.port })
    if (allocation.relays.size > 0) return false
    this.#byFlow.delete(allocation.flow.key)
    return true
  }

  reserve(token: string, socket: RelaySocket, userId: string, nowMs: number): void {
    this.#reservations.set(token, { socket, userId, expiresMs: nowMs + RESERVED_MS })
  }

  /** Returns the socket that was kept under this token for this user, once. */
  claim(token: string, userId: string): RelaySocket | null {
    const reservation = this.#reservations.get(token)
    if (reservation === undefined || reservation.userId !== userId) return null
    this.#reservations.delete(token)
    return reservation.socket
  }

  /** Closes what was kept for later and not asked for. */
  sweepReservations(nowMs: number): void {
    for (const [token, { socket, expiresMs }] of this.#reservations) {
      if (expiresMs > nowMs) continue
      this.#reservations.delete(token)
      this.#closed(socket)
    }
  }
}

const place = ({ address, port }: Endpoint): string => `${address} ${port}`
