/**
 * Bytes that each peer has moved since ever, from counters that begin anew whenever an interface or a peer does. What was
 * read last is kept beside the sum, so that a restart of ours loses nothing either:
 *
 *   read   700, 900, 40, 60      a smaller number is a new beginning
 *   sum    700, 900, 940, 960
 */
import { sql } from 'kysely'
import { column } from '../../kit/column.js'
import type { Room } from '../../store/rooms.js'
import type { AccessTables } from '../tables.js'
import { keyText } from './key.js'

/** What counters say now, by public key in base64. */
type Counts = ReadonlyMap<string, number>

interface Sum {
  readonly key: string
  /** As it was read before; null: it never was. */
  readonly before: number | null
  readonly now: number
  readonly total: number
}

export class Counters {
  readonly #room: Room<AccessTables>
  readonly #source: string

  /** `source` names whose counters they are. */
  constructor(room: Room<AccessTables>, source: string) {
    this.#room = room
    this.#source = source
  }

  /**
   * Reads counters; resolves with the sums. `ending` are about to begin anew. A sum that somebody else has moved on between
   * our looking and the reading stays theirs: the same bytes are never counted twice.
   */
  async read(look: () => Promise<Counts>, ending: readonly Uint8Array[] = []): Promise<Counts> {
    const kept = await this.#kept()
    const counts = await look()
    const ends = new Set(ending.map(keyText))
    const sums = [...counts].map(([key, count]): Sum => {
      const { last, total } = kept.get(key) ?? { last: null, total: 0 }
      const moved = count < (last ?? 0) ? count : count - (last ?? 0)
      return { key, before: last, now: ends.has(key) ? 0 : count, total: total + moved }
    })
    const changed = sums.filter(({ before, now }) => before !== now)
    if (changed.length > 0) await this.#keep(changed)
    return new Map([
      ...[...kept].map(([key, { total }]) => [key, total] as const),
      ...sums.map(({ key, total }) => [key, total] as const),
    ])
  }

  async #kept(): Promise<ReadonlyMap<string, { readonly last: number; readonly total: number }>> {
    const rows = await this.#room.ask(db =>
      db.selectFrom('peer_counters').selectAll().where('source', '=', this.#source).execute(),
    )
    return new Map(
      rows.map(({ public_key, last_bytes, total_bytes }) => [
        public_key,
        { last: Number(last_bytes), total: Number(total_bytes) },
      ]),
    )
  }

  #keep(sums: readonly Sum[]): Promise<void> {
    return this.#room.transact(async tx => {
      const rows = sql`unnest(
        ${column(sums, ({ key }) => key)}::text::text[],
        ${column(sums, ({ before }) => before)}::text::bigint[],
        ${column(sums, ({ now }) => now)}::text::bigint[],
        ${column(sums, ({ total }) => total)}::text::bigint[]
      ) as row (public_key, before, now, total)`
      await sql`
        update peer_counters set last_bytes = row.now, total_bytes = row.total
        from ${rows}
        where source = ${this.#source} and peer_counters.public_key = row.public_key and last_bytes = row.before`.execute(
        tx,
      )
      await sql`
        insert into peer_counters (source, public_key, last_bytes, total_bytes)
        select ${this.#source}::text, public_key, now, total from ${rows} where before is null
        on conflict do nothing`.execute(tx)
    })
  }
}
