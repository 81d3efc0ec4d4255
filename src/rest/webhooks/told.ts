/** What receivers were told last of who is here, and which of it the database has not yet. */
import type { MeshApi, Role } from '../../actors/ports.js'
import { type MeshEvent, type Presence, presenceOf, subjectOf } from './events.js'

export interface ToldRow {
  readonly subject: string
  readonly presence: Presence
  readonly generation: number
}

export interface ToldChanges {
  /** What the database has counts no more. */
  readonly anew: boolean
  readonly rows: readonly ToldRow[]
}

export class Told {
  readonly #bySubject = new Map<string, ToldRow>()
  readonly #changed = new Set<string>()
  #anew = false

  /** Goes on from what the process before has told. */
  restore(rows: readonly ToldRow[]): void {
    for (const row of rows) this.#bySubject.set(row.subject, row)
  }

  /** Begins anew: who of these is here now counts as told. */
  begin(mesh: Pick<MeshApi, 'identities'>, roles: readonly Role[]): void {
    this.#bySubject.clear()
    this.#changed.clear()
    this.#anew = true
    if (roles.length === 0) return
    for (const { id, role, generation, state } of mesh.identities()) {
      if (!roles.includes(role) || (state !== 'online' && state !== 'lapsed')) continue
      this.#set({ subject: subjectOf(role, id), presence: 'online', generation })
    }
  }

  presenceOf(subject: string): Presence | null {
    return this.#bySubject.get(subject)?.presence ?? null
  }

  /** Returns whether something newer was told of its subject. */
  isStale({ subject, generation }: MeshEvent): boolean {
    return generation !== null && generation < (this.#bySubject.get(subject)?.generation ?? 0)
  }

  note(event: MeshEvent): void {
    const { subject, generation } = event
    const presence = presenceOf(event) ?? this.presenceOf(subject)
    if (presence !== null && generation !== null) this.#set({ subject, presence, generation })
  }

  /** What was told of it was lost on the way. */
  forget(subject: string): void {
    this.#bySubject.delete(subject)
  }

  subjects(): readonly string[] {
    return [...this.#bySubject.keys()]
  }

  /** Returns what the database has not; `giveBack` when it did not take it. */
  takeChanges(): ToldChanges {
    const rows = [...this.#changed].flatMap(subject => this.#bySubject.get(subject) ?? [])
    const changes = { anew: this.#anew, rows }
    this.#changed.clear()
    this.#anew = false
    return changes
  }

  giveBack({ anew, rows }: ToldChanges): void {
    this.#anew ||= anew
    for (const { subject } of rows) this.#changed.add(subject)
  }

  #set(row: ToldRow): void {
    this.#bySubject.set(row.subject, row)
    this.#changed.add(row.subject)
  }
}
