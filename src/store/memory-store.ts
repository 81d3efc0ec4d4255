/**
 * The store without a database, for tests and for a coordinator that keeps nothing. It answers like the SQL
 * store in every case; the conformance suite runs on both.
 */
import type {
  AuditEvent,
  Change,
  EndedPath,
  EnrolmentKey,
  EnrolOutcome,
  EnrolRequest,
  Identity,
  PathRecord,
  Restored,
  Store,
  StoredRoute,
  StoredSession,
  StoredSteering,
} from '../actors/ports.js'
import { type Clock, systemClock } from '../kit/clock.js'
import { enrolledEvent, newIdentity } from './enrolment.js'
import { StoreConflict } from './errors.js'
import { mergeIdentity, mergeSession, type Newest, newestOf } from './newest.js'
import { FIRST_AGENT_INDEX, type OverlayOptions, OverlayPool } from './overlay-pool.js'
import { RETENTION, type Retention } from './retention.js'

export interface MemoryStoreOptions extends OverlayOptions {
  readonly clock?: Pick<Clock, 'wallMs'>
  readonly retention?: Partial<Retention>
}

export class MemoryStore implements Store {
  readonly #pool: OverlayPool
  readonly #clock: Pick<Clock, 'wallMs'>
  readonly #retention: Retention
  readonly #identities = new Map<string, Identity>()
  readonly #sessions = new Map<string, StoredSession>()
  readonly #routes = new Map<string, StoredRoute>()
  readonly #paths = new Map<string, PathRecord>()
  readonly #steerings = new Map<string, StoredSteering>()
  readonly #audit = new Map<string, AuditEvent>()
  readonly #keys = new Map<string, EnrolmentKey>()
  /** Who holds each value that may exist once. */
  readonly #unique = new Map<string, string>()
  readonly #indexes = new Set<number>()
  #highestIndex = FIRST_AGENT_INDEX - 1
  #prunedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: MemoryStoreOptions) {
    this.#pool = new OverlayPool(options)
    this.#clock = options.clock ?? systemClock
    this.#retention = { ...RETENTION, ...options.retention }
  }

  async load(): Promise<Restored> {
    return structuredClone({
      identities: byKey(this.#identities),
      sessions: byKey(this.#sessions).filter(session => session.state !== 'closed'),
      routes: byKey(this.#routes).filter(route => route.state === 'active'),
      paths: byKey(this.#paths).filter(path => path.closedAtMs === null),
      steerings: byKey(this.#steerings),
    })
  }

  async write(changes: readonly Change[]): Promise<void> {
    const newest = newestOf(structuredClone(changes))
    this.#assertUnique(newest)
    for (const value of newest.identities) this.#putIdentity(value)
    for (const value of newest.sessions) this.#putSession(value)
    for (const value of newest.routes) this.#routes.set(value.routeId, value)
    for (const value of newest.paths) this.#paths.set(value.pathId, value)
    for (const value of newest.steerings) this.#steerings.set(value.identityId, value)
    for (const value of newest.audit) this.#addAudit(value)
    this.#prune()
  }

  async enrol(request: EnrolRequest): Promise<EnrolOutcome> {
    const known = this.#identities.get(request.id)
    if (known !== undefined) {
      if (hex(known.publicKey) !== hex(request.publicKey)) return { ok: false, code: 'key_mismatch' }
      if (known.role !== request.role || known.revokedAtMs !== null)
        return { ok: false, code: 'not_authorised' }
      return { ok: true, identity: structuredClone(known) }
    }
    const admitter = this.#admitter(request)
    if (admitter === null) return { ok: false, code: 'not_authorised' }
    if (this.#unique.has(`public_key ${hex(request.publicKey)}`)) return { ok: false, code: 'key_in_use' }
    const index = this.#freeIndex()
    if (index === null) return { ok: false, code: 'addresses_exhausted' }

    if (typeof admitter !== 'string') this.#spend(admitter)
    const identity = newIdentity(structuredClone(request), this.#pool.addresses(index))
    this.#putIdentity(identity)
    const actor = typeof admitter === 'string' ? admitter : `enrolment_key:${admitter.keyId}`
    this.#addAudit(enrolledEvent(identity, actor))
    return { ok: true, identity: structuredClone(identity) }
  }

  async addEnrolmentKey(key: EnrolmentKey): Promise<void> {
    if (this.#keys.has(key.keyId)) return
    this.#assertFree('enrolment_keys', 'secret_hash', hex(key.secretHash), key.keyId)
    this.#unique.set(`secret_hash ${hex(key.secretHash)}`, key.keyId)
    this.#keys.set(key.keyId, structuredClone(key))
  }

  async enrolmentKeys(): Promise<readonly EnrolmentKey[]> {
    return structuredClone(byKey(this.#keys).sort((a, b) => a.createdAtMs - b.createdAtMs))
  }

  async revokeEnrolmentKey(keyId: string, nowMs: number): Promise<boolean> {
    const key = this.#keys.get(keyId)
    if (key === undefined) return false
    this.#keys.set(keyId, { ...key, revokedAtMs: key.revokedAtMs ?? nowMs })
    return true
  }

  async auditEvents(limit: number): Promise<readonly AuditEvent[]> {
    // The sort is stable: of two events of one moment, the one stored later comes first.
    const newestFirst = [...this.#audit.values()].reverse().sort((a, b) => b.atMs - a.atMs)
    return structuredClone(newestFirst.slice(0, limit))
  }

  async pathsBetween(a: string, b: string, limit: number): Promise<readonly PathRecord[]> {
    const found = byKey(this.#paths).filter(
      ({ clientId, nodeId }) => (clientId === a && nodeId === b) || (clientId === b && nodeId === a),
    )
    return structuredClone(
      found
        .reverse()
        .sort((one, other) => other.openedAtMs - one.openedAtMs)
        .slice(0, limit),
    )
  }

  async endedPaths(sinceMs: number, after: EndedPath | null, limit: number): Promise<readonly PathRecord[]> {
    const endMs = ({ closedAtMs }: EndedPath) => closedAtMs ?? Number.NEGATIVE_INFINITY
    const isPast = (path: EndedPath) =>
      after === null ||
      endMs(path) > endMs(after) ||
      (endMs(path) === endMs(after) && path.pathId > after.pathId)
    const found = byKey(this.#paths)
      .filter(path => endMs(path) >= sinceMs && isPast(path))
      .sort((one, other) => endMs(one) - endMs(other))
    return structuredClone(found.slice(0, limit))
  }

  async ping(): Promise<number> {
    return 0
  }

  async close(): Promise<void> {}

  /** Returns the operator or the key that lets this agent in; null when nobody does. */
  #admitter(request: EnrolRequest): string | EnrolmentKey | null {
    const { by } = request
    if ('operator' in by) return by.operator
    const key = [...this.#keys.values()].find(key => hex(key.secretHash) === hex(by.secretHash))
    return key !== undefined && admits(key, request) ? key : null
  }

  #spend(key: EnrolmentKey): void {
    if (key.usesLeft !== null) this.#keys.set(key.keyId, { ...key, usesLeft: key.usesLeft - 1 })
  }

  #putIdentity(value: Identity): void {
    const stored = this.#identities.get(value.id)
    this.#identities.set(value.id, mergeIdentity(stored, value))
    if (stored !== undefined) return
    for (const [column, mark] of bound(value)) this.#unique.set(`${column} ${mark}`, value.id)
    const index = this.#pool.indexOf(value.overlay4)
    if (index === null) return
    this.#indexes.add(index)
    this.#highestIndex = Math.max(this.#highestIndex, index)
  }

  #putSession(value: StoredSession): void {
    const stored = this.#sessions.get(value.sessionId)
    const merged = mergeSession(stored, value)
    this.#forgetTicket(stored)
    if (merged.ticketHash !== null)
      this.#unique.set(`ticket_hash ${hex(merged.ticketHash)}`, merged.sessionId)
    this.#sessions.set(value.sessionId, merged)
  }

  #forgetTicket(session: StoredSession | undefined): void {
    if (session?.ticketHash != null) this.#unique.delete(`ticket_hash ${hex(session.ticketHash)}`)
  }

  #addAudit(event: AuditEvent): void {
    if (!this.#audit.has(event.auditId)) this.#audit.set(event.auditId, event)
  }

  #freeIndex(): number | null {
    if (this.#highestIndex < this.#pool.lastIndex) return this.#highestIndex + 1
    for (let index = FIRST_AGENT_INDEX; index <= this.#pool.lastIndex; index++) {
      if (!this.#indexes.has(index)) return index
    }
    return null
  }

  /** Throws before anything is changed, as a transaction that is rolled back would. */
  #assertUnique(newest: Newest): void {
    for (const value of newest.identities) {
      if (this.#identities.has(value.id)) continue
      for (const [column, mark] of bound(value)) this.#assertFree('identities', column, mark, value.id)
    }
    for (const value of newest.sessions) {
      if (value.ticketHash === null) continue
      this.#assertFree('sessions', 'ticket_hash', hex(value.ticketHash), value.sessionId)
    }
  }

  #assertFree(table: string, column: string, mark: string, owner: string): void {
    const holder = this.#unique.get(`${column} ${mark}`)
    if (holder !== undefined && holder !== owner) throw new StoreConflict(`${table}_${column}_key`)
  }

  #prune(): void {
    const nowMs = this.#clock.wallMs()
    if (nowMs - this.#prunedAtMs < this.#retention.everyMs) return
    this.#prunedAtMs = nowMs
    const endedBeforeMs = nowMs - this.#retention.endedMs
    const auditBeforeMs = nowMs - this.#retention.auditMs
    for (const [id, session] of this.#sessions) {
      if (session.state !== 'closed' || session.changedAtMs >= endedBeforeMs) continue
      this.#forgetTicket(session)
      this.#sessions.delete(id)
    }
    for (const [id, route] of this.#routes) {
      if (route.state === 'ended' && (route.endedAtMs ?? route.assignedAtMs) < endedBeforeMs)
        this.#routes.delete(id)
    }
    const pathsBeforeMs = nowMs - this.#retention.pathsMs
    for (const [id, { closedAtMs }] of this.#paths) {
      if (closedAtMs !== null && closedAtMs < pathsBeforeMs) this.#paths.delete(id)
    }
    for (const [id, event] of this.#audit) {
      if (event.atMs < auditBeforeMs) this.#audit.delete(id)
    }
  }
}

/** Whether a key lets this agent in now. */
const admits = (key: EnrolmentKey, request: EnrolRequest): boolean =>
  key.revokedAtMs === null &&
  (key.expiresAtMs === null || key.expiresAtMs > request.nowMs) &&
  (key.role === null || key.role === request.role) &&
  (key.usesLeft === null || key.usesLeft > 0)

/** What is bound to an identity for good, and may be bound once. */
const bound = (identity: Identity): [column: string, mark: string][] => [
  ['public_key', hex(identity.publicKey)],
  ['overlay4', identity.overlay4],
  ['overlay6', identity.overlay6],
]

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const byKey = <T>(map: ReadonlyMap<string, T>): T[] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
