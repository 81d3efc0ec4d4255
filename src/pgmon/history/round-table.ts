/**
 * When each collector visits each server, in the database: of several coordinators the one that moves a round on to its
 * next moment is the one that does it.
 */
import { sql } from 'kysely'
import { column } from '../../kit/column.js'
import type { Room } from '../../store/rooms.js'
import type { MonitorTables } from '../tables.js'
import type { Collector } from './forms.js'

/** A visit of one collector to one server. */
export interface Round {
  readonly serverId: number
  readonly collector: Collector
  readonly dueAtMs: number
}

/** One that nobody else does any more. */
export interface ClaimedRound extends Round {
  /** What the one before has left. */
  readonly counters: unknown
}

export interface KeptRound extends Round {
  readonly endedAtMs: number | null
  readonly tookMs: number | null
  readonly error: string | null
}

export class RoundTable {
  readonly #room: Room<MonitorTables>

  constructor(room: Room<MonitorTables>) {
    this.#room = room
  }

  /** Adds rounds of servers that are there; those that are there already stay as they are. */
  async add(rounds: readonly Round[]): Promise<void> {
    await this.#room.ask(db =>
      sql`
        insert into pgmon_rounds (server_id, collector, due_at)
        select server_id, collector, to_timestamp(due_at / 1000)
        from ${unnested(rounds, ({ dueAtMs }) => dueAtMs)}
        join pgmon_servers using (server_id)
        order by server_id, collector
        on conflict (server_id, collector) do nothing`.execute(db),
    )
  }

  /** Resolves with rounds that were due by now, the longest due first. */
  due(serverIds: readonly number[], nowMs: number, most: number): Promise<readonly Round[]> {
    return this.#room.ask(async db => {
      const rows = await db
        .selectFrom('pgmon_rounds')
        .select(['server_id', 'collector', 'due_at'])
        .where('due_at', '<=', new Date(nowMs))
        .where('server_id', '=', sql<number>`any (${[...serverIds]}::integer[])`)
        .orderBy('due_at')
        .orderBy('server_id')
        .limit(most)
        .execute()
      return rows.map(({ server_id: serverId, collector, due_at }) => ({
        serverId,
        collector,
        dueAtMs: due_at.getTime(),
      }))
    })
  }

  /** Moves rounds on, and resolves with those that nobody else had moved on since they were seen. */
  async claim(rounds: readonly Round[], nextMs: (round: Round) => number): Promise<readonly ClaimedRound[]> {
    const { rows } = await this.#room.ask(db =>
      sql<{ server_id: number; collector: Collector; counters: unknown }>`
        update pgmon_rounds as kept set due_at = to_timestamp(seen.next_at / 1000)
        from ${unnested(
          rounds,
          ({ dueAtMs }) => dueAtMs,
          round => nextMs(round),
        )}
        where kept.server_id = seen.server_id and kept.collector = seen.collector
          and kept.due_at = to_timestamp(seen.due_at / 1000)
        returning kept.server_id, kept.collector, kept.counters`.execute(db),
    )
    const left = new Map(rows.map(row => [keyOf(row.server_id, row.collector), row.counters]))
    return rounds.flatMap(round => {
      const key = keyOf(round.serverId, round.collector)
      return left.has(key) ? [{ ...round, counters: left.get(key) ?? null }] : []
    })
  }

  /** Resolves with the rounds of a server. */
  of(serverId: number): Promise<readonly Round[]> {
    return this.#kept(serverId)
  }

  all(): Promise<readonly KeptRound[]> {
    return this.#kept(null)
  }

  #kept(serverId: number | null): Promise<readonly KeptRound[]> {
    return this.#room.ask(async db => {
      const rows = await db
        .selectFrom('pgmon_rounds')
        .select(['server_id', 'collector', 'due_at', 'ended_at', 'took_ms', 'error'])
        .$if(serverId !== null, query => query.where('server_id', '=', serverId))
        .orderBy('server_id')
        .orderBy('collector')
        .execute()
      return rows.map(row => ({
        serverId: row.server_id,
        collector: row.collector,
        dueAtMs: row.due_at.getTime(),
        endedAtMs: row.ended_at?.getTime() ?? null,
        tookMs: row.took_ms,
        error: row.error,
      }))
    })
  }
}

/** Rounds as a table `seen`. */
const unnested = (
  rounds: readonly Round[],
  dueMs: (round: Round) => number,
  nextMs: (round: Round) => number = dueMs,
) => sql`unnest(
  ${column(rounds, ({ serverId }) => serverId)}::text::integer[],
  ${column(rounds, ({ collector }) => collector)}::text::text[],
  ${column(rounds, dueMs)}::text::float8[],
  ${column(rounds, nextMs)}::text::float8[]
) as seen (server_id, collector, due_at, next_at)`

const keyOf = (serverId: number, collector: Collector): string => `${serverId} ${collector}`
