/**
 * What agents said over HTTP beyond what the mesh keeps of them, and who was here when. Answers come from memory; the
 * database hears of it a moment later, and once it is back when it was away.
 *
 *   set, online, offline ─→ memory ─→ waiting ── each second ─→ one transaction
 */
import type { IdentityId } from '../../actors/ports.js'
import { type Clock, every } from '../../kit/clock.js'
import type { NotesTable, Presence } from './notes-table.js'

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

export interface NotesOptions {
  readonly clock: Clock
  readonly table: NotesTable
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
    const { clock, table } = this.#options
    for (const { id, note, seenMs } of await table.load()) {
      this.#notes.set(id, note)
      if (seenMs !== null) this.#seen.set(id, seenMs)
    }
    this.#stops = [
      every(clock, WRITE_EVERY_MS, () => void this.flush()),
      every(clock, CLEAR_EVERY_MS, () => void this.#forget()),
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
    const before = this.of(id)
    const after = { ...before, ...note }
    // Most requests say what the one before said.
    if (JSON.stringify(after) === JSON.stringify(before)) return
    this.#notes.set(id, after)
    this.#changed.add(id)
  }

  /** An agent that is about to go was heard then, and not since. */
  heard(id: IdentityId, atMs: number): void {
    this.#seen.set(id, atMs)
  }

  /** A node came, or went. */
  became(presence: Presence): void {
    const { id, atMs, became } = presence
    if (became === 'online') this.#seen.delete(id)
    else if (!this.#seen.has(id)) this.#seen.set(id, atMs)
    this.#changed.add(id)
    if (this.#presence.push(presence) <= WAITING_MAX) return
    this.#presence.shift()
    this.lost++
  }

  /** Resolves with when a node came and went, the newest first. */
  async presenceOf(id: IdentityId, limit: number): Promise<readonly Presence[]> {
    await this.flush()
    return this.#options.table.presenceOf(id, limit)
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
      const ids = [...this.#changed].slice(0, ROWS_MAX)
      const presence = this.#presence.splice(0, ROWS_MAX)
      for (const id of ids) this.#changed.delete(id)
      try {
        const notes = ids.map(id => ({ id, note: this.of(id), seenMs: this.seenMs(id) }))
        await this.#options.table.save(notes, presence)
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

  async #forget(): Promise<void> {
    const { clock, table } = this.#options
    // What is too old today is still there tomorrow: a database that is away is not worth a word here.
    await table.forgetPresence(clock.wallMs() - KEPT_MS).catch(() => undefined)
  }
}
