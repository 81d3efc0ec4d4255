/**
 * Deliveries that wait, in the database. Of one webhook and subject only the oldest that waits may be attempted, so order holds over
 * restarts and several coordinators; whoever attempts it has it for a while, and again when it says so in time.
 */
import { sql } from 'kysely'
import type { Room } from '../../store/rooms.js'
import type { MeshEvent } from './events.js'
import type { WebhookTables } from './tables.js'

/** An attempt that is to be made now. */
export interface Attempt {
  readonly seq: number
  /** 1 is the first. */
  readonly attempt: number
  readonly createdAtMs: number
  readonly event: MeshEvent
}

export type AttemptOutcome =
  | { readonly status: 'delivered' }
  | { readonly status: 'failed' }
  | { readonly status: 'waiting'; readonly dueAtMs: number }

export interface AttemptResult {
  readonly responseStatus: number | null
  /** null when it went well. */
  readonly error: string | null
  readonly durationMs: number
}

/** What is kept. */
export interface DeliveryRetention {
  /** How long a delivery waits before it is given up, ms. */
  readonly giveUpMs: number
  /** How long those that are finished are kept, ms. */
  readonly keptMs: number
}

/** Deliveries of one webhook that wait; the oldest beyond that are given up. */
const WAITING_MAX = 10_000
/** Rows that one statement clears out. */
const PRUNED = 5_000

export class Deliveries {
  readonly #room: Room<WebhookTables>

  constructor(room: Room<WebhookTables>) {
    this.#room = room
  }

  /** Takes at most `limit` deliveries that are due; others may have them again at `untilMs`. */
  async claim(webhookId: string, limit: number, nowMs: number, untilMs: number): Promise<Attempt[]> {
    const now = new Date(nowMs)
    const { rows } = await this.#room.ask(db =>
      sql<EventRow & { seq: number; attempts: number; created_at: Date }>`
        update webhook_deliveries as delivery
        set attempts = attempts + 1, due_at = ${new Date(untilMs)}
        from (
          select seq from webhook_deliveries
          where seq = any(array(
            select seq from (${heads(webhookId)}) as head where due_at <= ${now} order by due_at, seq limit ${limit}
          )) and status = 'waiting' and due_at <= ${now}
          for update skip locked
        ) as due, webhook_events as event
        where delivery.seq = due.seq and event.id = delivery.event_id
        returning delivery.seq, delivery.attempts, delivery.created_at,
          event.id, event.type, event.subject, event.generation, event.at, event.data`.execute(db),
    )
    return rows
      .map(row => ({
        seq: row.seq,
        attempt: row.attempts,
        createdAtMs: row.created_at.getTime(),
        event: eventOf(row),
      }))
      .sort((a, b) => a.seq - b.seq)
  }

  /** Writes down what came of an attempt, unless somebody else has made a later one. */
  async settle(
    { seq, attempt }: Pick<Attempt, 'seq' | 'attempt'>,
    outcome: AttemptOutcome,
    { responseStatus, error, durationMs }: AttemptResult,
    nowMs: number,
  ): Promise<void> {
    await this.#room.ask(db =>
      db
        .updateTable('webhook_deliveries')
        .set({
          status: outcome.status,
          response_status: responseStatus,
          error,
          duration_ms: durationMs,
          ...(outcome.status === 'waiting'
            ? { due_at: new Date(outcome.dueAtMs) }
            : { finished_at: new Date(nowMs) }),
        })
        .where('seq', '=', seq)
        .where('attempts', '=', attempt)
        .where('status', '=', 'waiting')
        .execute(),
    )
  }

  /** Resolves with when the next attempt is due, ms since 1970 UTC; null when nothing waits. */
  async nextDueMs(webhookId: string): Promise<number | null> {
    const { rows } = await this.#room.ask(db =>
      sql<{ due_at: Date | null }>`
        select min(due_at) as due_at from (${heads(webhookId)}) as head`.execute(db),
    )
    return rows[0]?.due_at?.getTime() ?? null
  }

  async waiting(): Promise<number> {
    const { count } = await this.#room.ask(db =>
      db
        .selectFrom('webhook_deliveries')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('status', '=', 'waiting')
        .executeTakeFirstOrThrow(),
    )
    return Number(count)
  }

  /** Gives up what has waited too long, or in too long a line, and forgets what is over; returns how many were given up. */
  async prune({ giveUpMs, keptMs }: DeliveryRetention, nowMs: number): Promise<number> {
    const now = new Date(nowMs)
    const [late, crowded] = await this.#room.transact(async tx => {
      const tooLate = await sql`
        update webhook_deliveries set status = 'failed', error = 'given up: it has waited too long', finished_at = ${now}
        where status = 'waiting' and created_at < ${new Date(nowMs - giveUpMs)} and due_at < ${now}`.execute(
        tx,
      )
      const tooMany = await sql`
        update webhook_deliveries set status = 'failed', error = 'given up: too many were waiting', finished_at = ${now}
        where seq in (
          select seq from (
            select seq, row_number() over (partition by webhook_id order by seq desc) as place
            from webhook_deliveries where status = 'waiting'
          ) as line where place > ${WAITING_MAX}
        )`.execute(tx)
      const over = new Date(nowMs - keptMs)
      await sql`
        delete from webhook_deliveries where seq in (
          select seq from webhook_deliveries where finished_at < ${over} limit ${PRUNED}
        )`.execute(tx)
      await sql`
        delete from webhook_events where seq in (
          select seq from webhook_events as event where at < ${over}
            and not exists (select from webhook_deliveries where event_id = event.id)
          limit ${PRUNED}
        )`.execute(tx)
      return [tooLate, tooMany]
    })
    return Number((late?.numAffectedRows ?? 0n) + (crowded?.numAffectedRows ?? 0n))
  }
}

/** The oldest of each subject: a walk along the index of those that wait, however many stand behind it. */
const heads = (webhookId: string) => sql`
  select distinct on (subject) seq, due_at from webhook_deliveries
  where webhook_id = ${webhookId} and status = 'waiting'
  order by subject, seq`

export interface EventRow {
  readonly id: string
  readonly type: MeshEvent['type']
  readonly subject: string
  readonly generation: number | null
  readonly at: Date
  readonly data: Readonly<Record<string, unknown>>
}

/** Returns an event as it was told. */
export const eventOf = ({ id, type, subject, generation, at, data }: EventRow): MeshEvent => ({
  id,
  type,
  subject,
  generation,
  atMs: at.getTime(),
  data,
})
