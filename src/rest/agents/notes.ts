/**
 * What agents said over HTTP beyond what the mesh keeps of them, and who was here when. Answers come from memory; the
 * database hears of it a moment later, and once it is back when it was away.
 *
 *   set, online, offline ─→ memory ─→ waiting ── each second ─→ one transaction
 */
import { sql } from 'kysely'
import type { IdentityId } from '../../actors/ports.js'
import type { Room } from '../../store/index.js'
import { type Clock, every } from '../../kit/clock.js'
import { column } from '../../kit/column.js'
import type { RestDatabase } from '../database.js'

/** Where an agent says it is, and where we saw it. */
export interface NetworkInfo {
  readonly ipv4: string
  readonly ipv6: string | null
  readonly natType: string
  readonly stunMappedAddress: string | null
  /** Port of its WireGuard; clients do not say it. */
  readonly localPort: number | null
  /** As the coordinator sees it; null when that is no public address. */
  readonly publicIp: string | null
}

export interface Capabilities {
  readonly maxConnections: number | null
  readonly bandwidth: { readonly up: number; readonly down: number } | null
  readonly routing: boolean
  readonly natting: boolean
}

/** Where the WireGuard of a client is, as it has registered. */
export interface WireGuardPlace {
  readonly nodeId: IdentityId
  readonly address: string
  readonly port: number
}

/** What one agent said; what it did not is absent. */
export interface Note {
  readonly networkInfo?: NetworkInfo
  readonly capabilities?: Capabilities
  /** What a client asked of its node, in its own words. */
  readonly requirements?: Readonly<Record<string, unknown>>
  readonly wireguard?: WireGuardPlace | null
}

interface Presence {
  readonly id: IdentityId
  readonly atMs: number
  readonly became: 'online' | 'offline'
  readonly generation: number
}

export interface NotesOptions {
  readonly clock: Clock
  readonly room: Room<RestDatabase>
  readonly warn: (fields: object, message: string) => void
}

const WRITE_EVERY_MS = 1_000
/** Comings and goings that wait for the database; the oldest go first. */
const WAITING_MAX = 100_000
/** Rows of one statement. */
const ROWS_MAX = 1_000
/** How long who was here when is kept, ms, and how often older rows are cleared out. */
const KEPT_MS = 90 * 86_400_000
const CLEAR_EVERY_MS = 3_600_000
const NOTHING: Note = {}

export class Notes {
  lost = 0
  readonly #options: NotesOptions
  readonly #notes = new Map<IdentityId, Note>()
  readonly #seen = new Map<IdentityId, number>()
  readonly #changed = new Set<IdentityId>()
  #presence: Presence[] = []
  #writing: Promise<void> | null = null
  #isAway = false
  #stops: (() => void)[] = []

  constructor(options: NotesOptions) {
    this.#options = options
  }

  /** Resolves when what was noted before is in memory again. */
  async start(): Promise<void> {
    const { clock, room } = this.#options
    const rows = await room.ask(db => db.selectFrom('agent_notes').selectAll().execute())
    for (const { id, note, seen_at } of rows) {
      this.#notes.set(id, note)
      if (seen_at !== null) this.#seen.set(id, seen_at.getTime())
    }
    this.#stops = [
      every(clock, WRITE_EVERY_MS, () => void this.flush()),
      every(clock, CLEAR_EVERY_MS, () => void this.#clear()),
    ]
  }

  of(id: IdentityId): Note {
    return this.#notes.get(id) ?? NOTHING
  }

  /** Returns when the agent was last heard, ms since 1970 UTC; null while it is here, or when nobody knows. */
  seenMs(id: IdentityId): number | null {
    return this.#seen.get(id) ?? null
  }

  /** Notes what is given beside what is noted already. */
  set(id: IdentityId, note: Note): void {
    this.#notes.set(id, { ...this.of(id), ...note })
    this.#changed.add(id)
  }

  /** An agent that is about to go was heard then, and not since. */
  heard(id: IdentityId, atMs: number): void {
    this.#seen.set(id, atMs)
  }

  /** An agent came, or went. */
  became(presence: Presence): void {
    const { id, atMs, became } = presence
    if (became === 'online') this.#seen.delete(id)
    else if (!this.#seen.has(id)) this.#seen.set(id, atMs)
    this.#changed.add(id)
    if (this.#presence.push(presence) <= WAITING_MAX) return
    this.#presence.shift()
    this.lost++
  }

  /** Resolves with when an agent came and went, the newest first. */
  async presenceOf(id: IdentityId, limit: number): Promise<readonly Omit<Presence, 'id'>[]> {
    await this.flush()
    const rows = await this.#options.room.ask(db =>
      db.selectFrom('presence').selectAll().where('id', '=', id).orderBy('at', 'desc').limit(limit).execute(),
    )
    return rows.map(({ at, became, generation }) => ({
      atMs: at.getTime(),
      became: became === 'online' ? 'online' : 'offline',
      generation: Number(generation),
    }))
  }

  /** Writes what waits; resolves when that is done, or cannot be done now. */
  flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null
    })
    return this.#writing
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop()
    await this.flush()
  }

  async #write(): Promise<void> {
    while (this.#changed.size > 0 || this.#presence.length > 0) {
      const ids = [...this.#changed].slice(0, ROWS_MAX).sort()
      const presence = this.#presence.splice(0, ROWS_MAX)
      for (const id of ids) this.#changed.delete(id)
      try {
        await this.#save(ids, presence)
        this.#isAway = false
      } catch (error) {
        for (const id of ids) this.#changed.add(id)
        this.#presence = [...presence, ...this.#presence]
        if (!this.#isAway)
          this.#options.warn({ err: error }, 'what agents said over HTTP waits for the database')
        this.#isAway = true
        return
      }
    }
  }

  #save(ids: readonly IdentityId[], presence: readonly Presence[]): Promise<void> {
    return this.#options.room.transact(async tx => {
      if (ids.length > 0)
        await sql`
          insert into agent_notes (id, note, seen_at)
          select id, note::jsonb, to_timestamp(seen_at / 1000)
          from unnest(
            ${column(ids, id => id)}::text::text[],
            ${column(ids, id => JSON.stringify(this.of(id)))}::text::text[],
            ${column(ids, id => this.seenMs(id))}::text::float8[]
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
          ) as row (id, at, became, generation)`.execute(tx)
    })
  }

  async #clear(): Promise<void> {
    const { clock, room } = this.#options
    const before = new Date(clock.wallMs() - KEPT_MS)
    // What is too old today is still there tomorrow: a database that is away is not worth a word here.
    await room.ask(db => db.deleteFrom('presence').where('at', '<', before).execute()).catch(() => undefined)
  }
}
