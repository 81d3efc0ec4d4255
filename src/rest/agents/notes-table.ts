/** The tables of notes and presence: written many rows in one transaction, read once at the start and a page at a time. */
import { sql } from 'kysely'
import type { IdentityId } from '../../actors/ports.js'
import { column } from '../../kit/column.js'
import type { Room } from '../../store/index.js'
import type { RestDatabase } from '../database.js'
import type { Note } from './notes.js'

export interface StoredNote {
  readonly id: IdentityId
  readonly note: Note
  /** When it was last heard; null while it is here, or when nobody knows. */
  readonly seenMs: number | null
}

/** A node came, or went. */
export interface Presence {
  readonly id: IdentityId
  readonly atMs: number
  readonly became: 'online' | 'offline'
  /** Of its session. */
  readonly generation: number
}

export class NotesTable {
  readonly #room: Room<RestDatabase>

  constructor(room: Room<RestDatabase>) {
    this.#room = room
  }

  async load(): Promise<readonly StoredNote[]> {
    const rows = await this.#room.ask(db => db.selectFrom('agent_notes').selectAll().execute())
    return rows.map(({ id, note, seen_at }) => ({ id, note, seenMs: seen_at?.getTime() ?? null }))
  }

  /** Writes all or nothing; the newest note of an id replaces the one before. */
  save(notes: readonly StoredNote[], presence: readonly Presence[]): Promise<void> {
    // Everyone takes rows in the same order, so that two coordinators never wait for each other in a ring.
    const sorted = notes.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    return this.#room.transact(async tx => {
      if (notes.length > 0)
        await sql`
          insert into agent_notes (id, note, seen_at)
          select id, note::jsonb, to_timestamp(seen_at / 1000)
          from unnest(
            ${column(sorted, ({ id }) => id)}::text::text[],
            ${column(sorted, ({ note }) => JSON.stringify(note))}::text::text[],
            ${column(sorted, ({ seenMs }) => seenMs)}::text::float8[]
          ) as row (id, note, seen_at)
          on conflict (id) do update set note = excluded.note, seen_at = excluded.seen_at`.execute(tx)
      if (presence.length > 0)
        await sql`
          insert into presence (id, at, became, generation)
          select id, to_timestamp(at / 1000), became, generation
          from unnest(
            ${column(presence, ({ id }) => id)}::text::text[],
            ${column(presence, ({ atMs }) => atMs)}::text::float8[],
            ${column(presence, ({ became }) => became)}::text::text[],
            ${column(presence, ({ generation }) => generation)}::text::bigint[]
          ) as row (id, at, became, generation)
          on conflict do nothing`.execute(tx)
    })
  }

  /** Resolves with the comings and goings of one node, the newest first. */
  async presenceOf(id: IdentityId, limit: number): Promise<readonly Presence[]> {
    const rows = await this.#room.ask(db =>
      db
        .selectFrom('presence')
        .selectAll()
        .where('id', '=', id)
        .orderBy('at', 'desc')
        .orderBy('generation', 'desc')
        .limit(limit)
        .execute(),
    )
    return rows.map(({ at, became, generation }) => ({
      id,
      atMs: at.getTime(),
      became: became === 'online' ? 'online' : 'offline',
      generation: Number(generation),
    }))
  }

  async forgetPresence(beforeMs: number): Promise<void> {
    await this.#room.ask(db => db.deleteFrom('presence').where('at', '<', new Date(beforeMs)).execute())
  }
}
