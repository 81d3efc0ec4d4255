/**
 * What everyone is entitled to, in memory: who asks gets an answer at once, and who has to follow is told when an answer
 * becomes another, whether by time, by traffic or by somebody's doing.
 */
import type { Terms, TermsOf } from '../../actors/ports.js'
import type { Entitlement } from '../ports.js'
import {
  areSameTerms,
  type Device,
  entitlementOf,
  type Holding,
  isSameHolding,
  termsOfDevices,
  USUAL,
} from './holding.js'
import type { Found } from './reading.js'

export interface RollOptions {
  /** ms since 1970 UTC. */
  readonly nowMs: () => number
  /** Hears of identities whose terms are others than before. */
  readonly termsChanged: (identityId: string) => void
  /** Hears of accounts of which something may be other than before; `before` is null where nothing was known. */
  readonly changed: (holding: Holding, now: Entitlement, before: Entitlement | null) => void
}

interface Cell {
  holding: Holding
  /** As the database has it, and what is charged by now beside. */
  storedBytes: number
  pendingBytes: number
  entitlement: Entitlement
}

/** What the database has as used of what an account has now. */
export interface Stored {
  readonly subscriptionId: number
  readonly usedBytes: number
}

interface Known {
  readonly cell: Cell
  readonly device: Device
  terms: Terms
}

/** In which something can be used. */
const USES = new Set<Entitlement['state']>(['active', 'grace', 'throttled'])

const NOTHING: Entitlement = {
  state: 'none',
  untilMs: null,
  usedBytes: 0,
  limitBytes: null,
  deviceLimit: 0,
}

export class Roll {
  readonly #options: RollOptions
  readonly #cells = new Map<string, Cell>()
  readonly #byIdentity = new Map<string, Known>()
  readonly #byPeer = new Map<number, Cell>()
  readonly #counts = new Map<Entitlement['state'], number>()
  /** When the first entitlement becomes another by itself, ms since 1970 UTC. */
  #nextMs = Number.POSITIVE_INFINITY

  constructor(options: RollOptions) {
    this.#options = options
  }

  readonly termsOf: TermsOf = id => this.#byIdentity.get(id)?.terms ?? null

  of(accountId: string): Entitlement {
    const cell = this.#cells.get(accountId)
    return cell === undefined ? NOTHING : { ...cell.entitlement, usedBytes: usedOf(cell) }
  }

  holding(accountId: string): Holding | undefined {
    return this.#cells.get(accountId)?.holding
  }

  /** Returns whose peer it is, by its number or by its identity; undefined: nobody’s. */
  ownerOf(peer: number | string): { readonly accountId: string; readonly peerId: number } | undefined {
    if (typeof peer === 'number') {
      const cell = this.#byPeer.get(peer)
      return cell && { accountId: cell.holding.accountId, peerId: peer }
    }
    const known = this.#byIdentity.get(peer)
    return known && { accountId: known.cell.holding.accountId, peerId: known.device.peerId }
  }

  /** Returns the name and the state of whoever an identity belongs to. */
  describe(id: string): { readonly name: string; readonly state: Entitlement['state'] } | undefined {
    const known = this.#byIdentity.get(id)
    return known && { name: known.cell.holding.name, state: known.cell.entitlement.state }
  }

  get accountIds(): IterableIterator<string> {
    return this.#cells.keys()
  }

  /** Yields the peers of which it matters how much they use. */
  *limited(): Generator<string, void> {
    for (const { holding, entitlement } of this.#cells.values()) {
      if (entitlement.limitBytes === null || !USES.has(entitlement.state)) continue
      for (const { identityId, standing } of holding.devices) if (standing === 'on') yield identityId
    }
  }

  /** How many accounts there are in each state. */
  get counts(): ReadonlyMap<Entitlement['state'], number> {
    return this.#counts
  }

  /** This is what an account holds from now on. */
  put({ holding, usedBytes }: Found): void {
    const { accountId } = holding
    const known = this.#cells.get(accountId)
    if (known === undefined) {
      const cell: Cell = { holding, storedBytes: usedBytes, pendingBytes: 0, entitlement: NOTHING }
      this.#cells.set(accountId, cell)
      this.#count(cell, 1)
      this.#follow(cell, [], null)
      return
    }
    known.storedBytes = usedBytes
    if (isSameHolding(known.holding, holding)) return this.#look(known)
    const { devices } = known.holding
    known.holding = holding
    this.#follow(known, devices, known.entitlement)
  }

  /** The account is gone. */
  drop(accountId: string): void {
    const cell = this.#cells.get(accountId)
    if (cell === undefined) return
    this.#cells.delete(accountId)
    this.#count(cell, -1)
    for (const { peerId, identityId } of cell.holding.devices) {
      this.#byPeer.delete(peerId)
      this.#byIdentity.delete(identityId)
      this.#options.termsChanged(identityId)
    }
  }

  /** So many bytes are known to be used beside what the database has. */
  use(accountId: string, bytes: number): void {
    const cell = this.#cells.get(accountId)
    if (cell === undefined || bytes === 0) return
    cell.pendingBytes += bytes
    this.#look(cell)
  }

  /** So many more, or fewer, are used beside what the database has by now. Returns false when it has put them down to another subscription than is known. */
  stored(accountId: string, bytes: number, now: Stored | undefined): boolean {
    const cell = this.#cells.get(accountId)
    if (cell === undefined) return true
    cell.pendingBytes += bytes
    const isKnown = now === undefined || now.subscriptionId === cell.holding.plan?.subscriptionId
    if (now !== undefined && isKnown) cell.storedBytes = now.usedBytes
    this.#look(cell)
    return isKnown
  }

  /** Has everything that time has changed be changed. */
  tick(): void {
    if (this.#options.nowMs() < this.#nextMs) return
    this.sweep()
  }

  /** The same, for whoever does not trust that time went on evenly. */
  sweep(): void {
    this.#nextMs = Number.POSITIVE_INFINITY
    for (const cell of this.#cells.values()) this.#look(cell)
  }

  /** Has a cell follow time and traffic. Most have nothing to follow. */
  #look(cell: Cell): void {
    const before = cell.entitlement
    const now = entitlementOf(cell.holding, usedOf(cell), this.#options.nowMs())
    if (now.untilMs !== null) this.#nextMs = Math.min(this.#nextMs, now.untilMs)
    if (now.state === before.state && now.untilMs === before.untilMs) return
    this.#follow(cell, cell.holding.devices, before)
  }

  #follow(cell: Cell, devicesBefore: readonly Device[], before: Entitlement | null): void {
    const { holding } = cell
    const now = entitlementOf(holding, usedOf(cell), this.#options.nowMs())
    if (now.untilMs !== null) this.#nextMs = Math.min(this.#nextMs, now.untilMs)
    this.#count(cell, -1)
    cell.entitlement = now
    this.#count(cell, 1)
    const others: string[] = []
    const terms = termsOfDevices(holding, now)
    for (const [i, device] of holding.devices.entries()) {
      const its = terms[i] as Terms // one for each
      const known = this.#byIdentity.get(device.identityId)
      this.#byPeer.set(device.peerId, cell)
      this.#byIdentity.set(device.identityId, { cell, device, terms: its })
      if (!areSameTerms(known?.terms ?? USUAL, its)) others.push(device.identityId)
    }
    for (const { peerId, identityId } of devicesBefore)
      if (!holding.devices.some(device => device.peerId === peerId)) {
        this.#byPeer.delete(peerId)
        this.#byIdentity.delete(identityId)
        others.push(identityId)
      }
    for (const identityId of others) this.#options.termsChanged(identityId)
    this.#options.changed(holding, now, before)
  }

  #count({ entitlement: { state } }: Cell, by: 1 | -1): void {
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + by)
  }
}

const usedOf = ({ storedBytes, pendingBytes }: Cell): number => storedBytes + pendingBytes
