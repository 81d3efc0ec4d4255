/** What befell servers, in the database: each thing once, however many coordinators have seen it. */
import { type Expression, type SqlBool, sql } from 'kysely'
import type { ListCursor } from '../../http/listing.js'
import type { Room } from '../../store/rooms.js'
import type { MonitorTables } from '../tables.js'
import type { LogRow } from './forms.js'
import type { Span } from './width.js'

export interface MonitorEvent {
  readonly serverId: number
  readonly atMs: number
  readonly level: LogRow['level']
  readonly kind: string
  readonly message: string
  /**
   * When it is no news: `said`, when the last one of its kind said the same; kinds that it takes turns with, when it was
   * the last of these; null: it always is.
   */
  readonly unless: 'said' | readonly string[] | null
  /** It ends something: it is no news either when that was never told. */
  readonly ends?: boolean
}

export interface EventFilter extends Span {
  readonly serverId: number | null
  readonly level: LogRow['level'] | null
}

export interface KeptEvent {
  readonly id: number
  readonly serverId: number | null
  readonly atMs: number
  readonly level: LogRow['level']
  readonly kind: string
  readonly message: string
}

/** Coordinators look at a server once a minute, each in its own time: one may write first what it has seen last, ms. */
const APART_MS = 120_000
/** Events that are looked at to find out whether another is news: more of a kind do not happen meanwhile. */
const NEAR_MAX = 20
/** Rows that are deleted at a time. */
const ROWS = 5_000

export class EventLog {
  readonly #room: Room<MonitorTables>

  constructor(room: Room<MonitorTables>) {
    this.#room = room
  }

  /** Adds an event, if it is news. */
  add(event: MonitorEvent): Promise<void> {
    const { serverId, atMs, level, kind, message, unless, ends = false } = event
    return this.#room.transact(async tx => {
      await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || '.pgmon_events', ${serverId}))`.execute(
        tx,
      )
      const kinds = typeof unless === 'object' && unless !== null ? unless : [kind]
      const near = await tx
        .selectFrom('pgmon_events')
        .select(['at', 'kind', 'message'])
        .where('server_id', '=', serverId)
        .where('kind', 'in', kinds)
        .where('at', '<=', new Date(atMs + APART_MS))
        .orderBy('at', 'desc')
        .orderBy('event_id', 'desc')
        .limit(NEAR_MAX)
        .execute()
      const last = near.find(({ at }) => at.getTime() <= atMs)
      const others = near.filter(({ at }) => at.getTime() > atMs)
      const isSame = (told: typeof last): boolean =>
        told?.kind === kind && (unless !== 'said' || told.message === message)
      if (unless !== null && (isSame(last) || others.some(isSame))) return
      if (ends && last === undefined) return
      const lasted = ends && last !== undefined ? `, after ${lasting(atMs - last.at.getTime())}` : ''
      await tx
        .insertInto('pgmon_events')
        .values({
          at: new Date(atMs),
          server_id: serverId,
          level,
          kind,
          message: `${message.slice(0, MESSAGE_MAX)}${lasted}`,
        })
        .execute()
    })
  }

  /** Resolves with the last kind of event of each of these sets that a server has; null where there is none. */
  async lastOf(serverId: number, sets: readonly (readonly string[])[]): Promise<readonly (string | null)[]> {
    const rows = await this.#room.ask(async db => {
      const { rows } = await sql<{ kind: string }>`
        select kind from pgmon_events
        where server_id = ${serverId} and kind = any (${sets.flat()}::text[])
        group by kind order by max(at) desc, max(event_id) desc`.execute(db)
      return rows
    })
    return sets.map(set => rows.find(({ kind }) => set.includes(kind))?.kind ?? null)
  }

  /** Resolves with events, the newest first. */
  page(
    filter: EventFilter,
    limit: number,
    after: ListCursor | null,
  ): Promise<{ readonly rows: readonly KeptEvent[]; readonly total: number }> {
    return this.#room.ask(async db => {
      const all = db.selectFrom('pgmon_events').where(within(filter))
      const { total } = await all
        .select(({ fn }) => fn.countAll<string | number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows = await all
        .select(['event_id', 'server_id', 'at', 'level', 'kind', 'message'])
        .$if(after !== null, query =>
          query.where(
            sql<SqlBool>`(at, event_id) < (${new Date(Number(after?.[0]))}, ${Number(after?.[1])}::bigint)`,
          ),
        )
        .orderBy('at', 'desc')
        .orderBy('event_id', 'desc')
        .limit(limit)
        .execute()
      return {
        total: Number(total),
        rows: rows.map(row => ({
          id: Number(row.event_id),
          serverId: row.server_id,
          atMs: row.at.getTime(),
          level: row.level,
          kind: row.kind,
          message: row.message,
        })),
      }
    })
  }

  /** Resolves with how many there are of each day of UTC, level and kind. */
  counts(
    filter: EventFilter,
  ): Promise<readonly { readonly day: string; level: LogRow['level']; kind: string; count: number }[]> {
    return this.#room.ask(async db => {
      const { rows } = await sql<{ day: string; level: LogRow['level']; kind: string; count: number }>`
        select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, level, kind, count(*)::float8 as count
        from pgmon_events where ${within(filter)}
        group by 1, 2, 3 order by 1, 2, 3`.execute(db)
      return rows
    })
  }

  /** Deletes what is from before a moment. */
  async prune(beforeMs: number): Promise<void> {
    for (let deleted = ROWS; deleted === ROWS; )
      deleted = await this.#room.ask(async db => {
        const { numAffectedRows = 0n } = await sql`
          delete from pgmon_events where event_id in (
            select event_id from pgmon_events where at < ${new Date(beforeMs)} limit ${ROWS}
          )`.execute(db)
        return Number(numAffectedRows)
      })
  }
}

/** Characters: a server may be talkative about what is wrong with it. */
const MESSAGE_MAX = 500

const within = ({ serverId, level, fromMs, toMs }: EventFilter): Expression<SqlBool> => sql<SqlBool>`
  at >= ${new Date(fromMs)} and at < ${new Date(toMs)}
  ${serverId === null ? sql`` : sql`and server_id = ${serverId}`}
  ${level === null ? sql`` : sql`and level = ${level}`}`

/** Returns a time as people say it: `2 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function lasting(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000))
  const [d, h, min] = [Math.floor(s / 86_400), Math.floor(s / 3_600) % 24, Math.floor(s / 60) % 60]
  if (d > 0) return `${d} d ${h} h`
  if (h > 0) return `${h} h ${min} min`
  return min > 0 ? `${min} min ${s % 60} s` : `${s} s`
}
