/**
 * The door: turns a `register` or a `resume` into a session, or into a refusal with its reason.
 *
 *   ticket ─────────────────→ paced ─→ takes its session over
 *   paced ─→ proof of the key ─→ known identity? ─ yes → same key? → takes its session over, or begins one
 *                                       └─ no ─→ enrolment key → the store binds id, key and addresses → begins
 *
 * Whoever would begin, or go on, has to be let in by the guard as well.
 * Nothing is said about an id before the proof holds, and nothing is computed for it before its turn has come. A known
 * identity needs no store.
 */
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { WireOf } from '../../protocol/messages.js'
import { proofHolds } from '../../protocol/proof.js'
import type { EnrolOutcome, EnrolRequest, Hello, Identity, Profile, Store, Terms, Vouch } from '../ports.js'
import type { Cell, Line } from '../session/cell.js'
import { hashOf, ticketKey } from '../session/session.effects.js'
import type { RefusalCode } from '../session/session.events.js'
import type { Sessions } from '../session/sessions.js'
import type { Changes } from '../snapshot/snapshots.js'
import type { Bars } from './bars.js'
import type { Challenge, Challenges } from './challenges.js'
import type { Gate } from './gate.js'
import type { Guard } from './guard.js'
import type { Identities } from './identities.js'
import { COST, type Pacing } from './pacing.js'
import { profileOf } from './profile.js'
import { type Answer, answerTo, closeFor } from './refusals.js'

export interface AdmissionOptions {
  readonly serverId: string
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  readonly sessions: Sessions
  readonly identities: Identities
  readonly challenges: Challenges
  readonly changes: Changes
  readonly pacing: Pacing
  readonly bars: Bars
  readonly guard: Guard
  readonly gate: Gate
  /** The coordinator leaves: nobody is let in. */
  readonly draining: () => boolean
  /** Hears of every refusal. */
  readonly count: (reason: string) => void
  /** What an enrolment threw: its session is closed. */
  readonly faulted: (cell: Cell, error: unknown) => void
  readonly info: (fields: object, message: string) => void
}

/** When to come back after a passing refusal that has no slot, ms; drawn per agent so that they do not return together. */
const RETRY_MS = { least: 1_000, spread: 4_000 }

const REASONS: Readonly<Record<RefusalCode, string>> = {
  proof_failed: 'the proof of key possession does not verify',
  key_mismatch: 'this id is bound to another WireGuard key',
  not_authorised: 'the enrolment key is missing, wrong, used up, expired or for another role',
  revoked: 'an operator revoked this identity',
  role_mismatch: 'this id enrolled with another role',
  key_in_use: 'this WireGuard key belongs to another id',
  ticket_unknown: 'the ticket is unknown, used or too old; register again',
  overloaded: 'the coordinator takes no new sessions at the moment',
  store_unavailable: 'first contact needs the database, which does not answer',
  draining: 'the coordinator is restarting',
  addresses_exhausted: 'the address pool of the mesh is used up',
  kept_away: 'an operator ended the session and keeps this identity away for a while',
  not_entitled: 'nothing that would let it in was bought, or it has ended',
  quota_used: 'the traffic that was bought is used up',
  inactive: 'it is switched off',
}

/** How many were let in, by what they came with. */
export type Admissions = Record<'resume' | 'register' | 'first_contact', number>

export class Admission {
  readonly admitted: Admissions = { resume: 0, register: 0, first_contact: 0 }
  readonly #options: AdmissionOptions

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  register(line: Line, challenge: Challenge, { proof, ...hello }: WireOf<'register'>): void {
    this.#admit(line, hello, () => this.#proves(challenge, hello, proof))
  }

  /** Lets in an agent whose socket is a mailbox. */
  enter(line: Line, hello: Hello, vouch: Vouch): void {
    const { challenges, identities } = this.#options
    this.#admit(line, hello, () => {
      if (vouch.by === 'token') return identities.of(hello.id) !== undefined
      // Whoever holds an enrolment key does not thereby hold the key of someone who is known.
      if (vouch.by === 'credential') {
        const known = identities.of(hello.id)
        return known === undefined || !sameBytes(known.publicKey, hello.publicKey)
      }
      const challenge = challenges.redeem(vouch.nonce)
      return challenge !== null && this.#proves(challenge, hello, vouch.proof)
    })
  }

  #proves(challenge: Challenge, { role, id, publicKey }: Hello, proof: Uint8Array): boolean {
    const bound = { nonce: challenge.nonce, role, id, serverId: this.#options.serverId }
    return proofHolds(challenge.privateKey, publicKey, bound, proof)
  }

  #admit(line: Line, hello: Hello, isProven: () => boolean): void {
    const { identities, sessions, pacing, bars, guard } = this.#options
    const { role, id, publicKey } = hello
    if (this.#options.draining()) return this.#refuse(line, 'draining')
    // Of one address: nobody elsewhere can use up the slot of an id that is not theirs.
    const waitMs = pacing.ask('register', `${line.socket.remote} ${id}`, COST.register)
    if (waitMs > 0) return this.#refuse(line, 'overloaded', waitMs)
    if (!isProven()) return this.#refuse(line, 'proof_failed')
    const identity = identities.of(id)
    if (identity === undefined) return this.#firstContact(line, hello)
    if (!sameBytes(identity.publicKey, publicKey)) return this.#keyMismatch(line, hello)
    if (identity.revokedAtMs !== null) return this.#refuse(line, 'revoked')
    if (identity.role !== role) return this.#refuse(line, 'role_mismatch')
    const barredMs = bars.leftMs(id)
    if (barredMs > 0) return this.#refuse(line, 'kept_away', barredMs)
    const cell = sessions.byIdentity(id)
    if (cell !== undefined) return this.#reattach(line, cell, 'register', profileOf(hello))
    const terms = guard.of(id, role)
    if (terms.denial !== null) return this.#turnAway(line, answerTo(terms.denial))
    this.admitted.register++
    this.#begin(line, this.#withProfile(identity, profileOf(hello)), terms)
  }

  resume(line: Line, { ticket }: WireOf<'resume'>): void {
    const { draining, sessions, pacing } = this.#options
    if (draining()) return this.#refuse(line, 'draining')
    const cell = sessions.byTicket(ticketKey(hashOf(ticket)))
    if (cell === undefined) return this.#refuse(line, 'ticket_unknown')
    const waitMs = pacing.ask(cell.role, cell.sessionId, COST.resume)
    if (waitMs > 0) {
      sessions.extendWindow(cell, waitMs)
      return this.#refuse(line, 'overloaded', waitMs)
    }
    this.#reattach(line, cell, 'resume', null)
  }

  #reattach(line: Line, cell: Cell, by: 'register' | 'resume', profile: Profile | null): void {
    if (cell.identity.revokedAtMs !== null) return this.#refuse(line, 'revoked')
    // Its first contact is still being written; whoever proves the key a moment later gets it.
    if (cell.incoming !== null) return this.#refuse(line, 'overloaded')
    const denial = this.#options.gate.look(cell)
    if (denial !== null) return this.#turnAway(line, answerTo(denial))
    if (profile !== null) cell.identity = this.#withProfile(cell.identity, profile)
    cell.incoming = line
    this.#options.sessions.deliver(cell, { type: 'reattached', by })
    if (cell.incoming !== line) return void this.admitted[by]++
    cell.incoming = null // the session was not in a state to take it
    this.#refuse(line, 'overloaded')
  }

  #begin(line: Line, identity: Identity, terms: Terms): void {
    const cell = this.#newCell(line, identity)
    this.#options.gate.admit(cell, terms)
    this.#options.sessions.deliver(cell, { type: 'admitted' })
  }

  #newCell(line: Line, identity: Identity): Cell {
    return this.#options.sessions.begin({
      sessionId: Buffer.from(this.#options.random.bytes(16)).toString('base64url'),
      role: identity.role,
      identity,
      startedAtMs: this.#options.clock.wallMs(),
      incoming: line,
    })
  }

  #firstContact(line: Line, hello: Hello): void {
    const { identities, sessions, clock, pacing } = this.#options
    pacing.charge('register', COST.firstContact - COST.register)
    if (hello.credential === undefined) return this.#refuse(line, 'not_authorised')
    if (identities.ownerOf(hello.publicKey) !== undefined) return this.#refuse(line, 'key_in_use')
    if (sessions.byIdentity(hello.id) !== undefined) return this.#refuse(line, 'overloaded')
    const profile = profileOf(hello)
    const { id, role, publicKey } = hello
    const nowMs = clock.wallMs()
    const cell = this.#newCell(line, {
      id,
      role,
      publicKey,
      profile,
      overlay4: '',
      overlay6: '',
      generation: 0,
      createdAtMs: nowMs,
      revokedAtMs: null,
    })
    this.#enrol(line, cell, {
      id,
      role,
      publicKey,
      profile,
      by: { secretHash: hashOf(Buffer.from(hello.credential)) },
      nowMs,
    }).catch(error => this.#options.faulted(cell, error))
  }

  async #enrol(line: Line, cell: Cell, request: EnrolRequest): Promise<void> {
    const { identities, sessions, store, guard, gate, info } = this.#options
    let outcome: EnrolOutcome
    try {
      outcome = await store.enrol(request)
    } catch {
      return this.#deny(cell, this.#answer('store_unavailable'))
    }
    if (!outcome.ok) return this.#deny(cell, this.#answer(outcome.code))
    const { identity } = outcome
    identities.set(identity)
    cell.identity = identity
    this.admitted.first_contact++
    info({ id: identity.id, role: identity.role, overlay4: identity.overlay4 }, 'identity enrolled')
    const terms = guard.of(identity.id, identity.role)
    if (terms.denial !== null) return this.#deny(cell, answerTo(terms.denial))
    gate.admit(cell, terms)
    sessions.deliver(cell, { type: 'admitted' })
    // Its socket may be gone by now; the session waits for the next one.
    if (line.gone) sessions.deliver(cell, { type: 'socket.lost' })
  }

  #keyMismatch(line: Line, { id, role }: Hello): void {
    this.#options.changes.audit({
      kind: 'identity.key_mismatch',
      actor: line.socket.remote,
      subject: id,
      detail: { role },
    })
    this.#refuse(line, 'key_mismatch')
  }

  #deny(cell: Cell, answer: Answer): void {
    this.#options.count(answer.code)
    this.#options.sessions.deliver(cell, { type: 'denied', ...answer })
  }

  #refuse(line: Line, code: RefusalCode, waitMs?: number): void {
    this.#turnAway(line, this.#answer(code, waitMs))
  }

  #turnAway(line: Line, answer: Answer): void {
    this.#options.count(answer.code)
    line.tell({ type: 'refused', ...answer })
    line.close(closeFor(answer.code), REASONS[answer.code])
  }

  #answer(code: RefusalCode, retryAfterMs = this.#drawnMs()): Answer {
    const passing = closeFor(code) === 'tryLater'
    return { code, reason: REASONS[code], ...(passing && { retryAfterMs }) }
  }

  #drawnMs(): number {
    return Math.round(RETRY_MS.least + this.#options.random.float() * RETRY_MS.spread)
  }

  /** Returns the identity with what the agent says of itself now, and stores it when that is new. */
  #withProfile(identity: Identity, profile: Profile): Identity {
    if (JSON.stringify(identity.profile) === JSON.stringify(profile)) return identity
    const changed = { ...identity, profile }
    this.#options.identities.set(changed)
    this.#options.changes.touch({ kind: 'identity', key: identity.id, value: changed })
    return changed
  }
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
