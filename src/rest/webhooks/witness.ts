/**
 * Hears the mesh for those who are called: facts become events, and who is here is followed for as long as somebody
 * wants to know, so that what could not be told at the time is told later.
 */
import type { Fact, IdentityView, MeshApi, Role } from '../../actors/ports.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import { Damper } from './damper.js'
import { eventOf, PRESENCES, presenceOf } from './events.js'
import { Outbox } from './outbox.js'
import type { WebhookTables } from './tables.js'
import { Told } from './told.js'

export interface WitnessOptions {
  readonly mesh: Pick<MeshApi, 'identity' | 'identities' | 'onFact'>
  readonly room: Room<WebhookTables>
  readonly clock: Clock
  /** How long it waits before it tells who came or went, ms. */
  readonly holdMs: number
  /** Whether anyone wants events of this type now. */
  readonly wants: (type: string) => boolean
  readonly newEventId: () => string
  /** There is something to deliver. */
  readonly written: () => void
  readonly warn: (fields: object, message: string) => void
}

const ROLES: readonly Role[] = ['node', 'client']

export class Witness {
  /** Events that the database could not be given in time. */
  lost = 0
  readonly #options: WitnessOptions
  readonly #told = new Told()
  readonly #damper: Damper
  readonly #outbox: Outbox
  /** Of these it is followed who is here. */
  #followed: readonly Role[] = []
  /** Those of whom something was lost on its way to the database. */
  readonly #missed = new Set<string>()
  #stopHearing: () => void = () => {}

  constructor(options: WitnessOptions) {
    this.#options = options
    const told = this.#told
    this.#outbox = new Outbox({
      ...options,
      told,
      lost: event => {
        this.lost++
        if (presenceOf(event) === null) return
        told.forget(event.subject)
        this.#missed.add(event.subject)
      },
      recovered: () => {
        for (const subject of this.#missed) this.#look(subject)
        this.#missed.clear()
      },
    })
    this.#damper = new Damper({ ...options, told, pass: event => this.#outbox.put(event) })
  }

  get damped(): number {
    return this.#damper.damped
  }

  /** Events that are in memory only. */
  get unwritten(): number {
    return this.#outbox.size
  }

  /** Goes on where the process before has ended, and tells what it could not. */
  async start(): Promise<void> {
    const { mesh, room } = this.#options
    this.#followed = this.#wanted()
    if (this.#followed.length > 0)
      this.#told.restore(await room.ask(db => db.selectFrom('webhook_presence').selectAll().execute()))
    this.#stopHearing = mesh.onFact(fact => this.#hear(fact))
    for (const subject of this.#told.subjects()) this.#look(subject)
  }

  /** What is wanted has changed. Where nobody wanted to know before, whoever is here counts as told. */
  follow(): void {
    const before = this.#followed
    this.#followed = this.#wanted()
    if (before.length === this.#followed.length && before.every(role => this.#followed.includes(role))) return
    this.#told.begin(this.#options.mesh, this.#followed)
    this.#outbox.write()
  }

  /** Resolves when everything that was heard is written, or the database does not take it. */
  async stop(): Promise<void> {
    this.#stopHearing()
    this.#damper.flush()
    await this.#outbox.stop()
  }

  #hear(fact: Fact): void {
    const { wants, newEventId } = this.#options
    const isFollowed = presenceOf(fact) !== null && this.#followed.some(role => fact.type.startsWith(role))
    if (isFollowed || wants(fact.type)) this.#damper.take(eventOf(fact, newEventId()))
  }

  /** Tells where someone stands, if that is not what was told last. */
  #look(subject: string): void {
    const { mesh, clock, newEventId } = this.#options
    const identity = mesh.identity(subject.slice(subject.indexOf(':') + 1))
    const presence = standingOf(identity)
    if (identity === null || presence === null) return
    const { id, role, generation } = identity
    const type = `${role}.${presence}` as const
    const fact = { type, atMs: clock.wallMs(), id, sessionId: null, generation }
    this.#damper.take(eventOf(fact, newEventId()))
  }

  #wanted(): readonly Role[] {
    return ROLES.filter(role => PRESENCES.some(presence => this.#options.wants(`${role}.${presence}`)))
  }
}

/** A session that waits for its socket is neither here nor gone. */
function standingOf(identity: IdentityView | null): 'online' | 'offline' | null {
  if (identity?.state === null) return 'offline'
  return identity?.state === 'online' || identity?.state === 'lapsed' ? 'online' : null
}
