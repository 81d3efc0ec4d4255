/** Deliveries as operators see them: listed, looked at, and made once more. */
import { type Kysely, type SqlBool, sql } from 'kysely'
import type { Room } from '../../store/rooms.js'
import { eventOf } from './deliveries.js'
import type { MeshEvent } from './events.js'
import type { DeliveryStatus, WebhookTables } from './tables.js'

export interface StoredDelivery {
  readonly seq: number
  readonly webhookId: string
  readonly event: MeshEvent
  readonly status: DeliveryStatus
  readonly attempts: number
  readonly dueAtMs: number
  readonly redelivery: boolean
  readonly responseStatus: number | null
  readonly error: string | null
  readonly durationMs: number | null
  readonly createdAtMs: number
  readonly finishedAtMs: number | null
}

export interface DeliveryFilter {
  readonly status?: DeliveryStatus | undefined
  readonly type?: string | undefined
  readonly subject?: string | undefined
}

/** The newest deliveries that a list is made of. */
const LISTED_MAX = 10_000
export class DeliveryLog {
  readonly #room: Room<WebhookTables>

  constructor(room: Room<WebhookTables>) {
    this.#room = room
  }

  /** Returns the newest deliveries of a webhook. */
  async list(
    webhookId: string,
    { status, type, subject }: DeliveryFilter,
  ): Promise<readonly StoredDelivery[]> {
    const rows = await this.#room.ask(db => {
      let query = deliveries(db).where('delivery.webhook_id', '=', webhookId)
      if (status !== undefined) query = query.where('delivery.status', '=', status)
      if (type !== undefined) query = query.where(sql<SqlBool>`event.type = ${type}`)
      if (subject !== undefined) query = query.where('delivery.subject', '=', subject)
      return query.orderBy('delivery.seq', 'desc').limit(LISTED_MAX).execute()
    })
    return rows.map(deliveryOf)
  }

  async find(webhookId: string, seq: number): Promise<StoredDelivery | null> {
    const row = await this.#room.ask(db =>
      deliveries(db)
        .where('delivery.webhook_id', '=', webhookId)
        .where('delivery.seq', '=', seq)
        .executeTakeFirst(),
    )
    return row === undefined ? null : deliveryOf(row)
  }

  /** Resolves with the newest generation of the subject that has arrived; null when none has. */
  async newestDelivered(webhookId: string, subject: string): Promise<number | null> {
    const row = await this.#room.ask(db =>
      deliveries(db)
        .where('delivery.webhook_id', '=', webhookId)
        .where('delivery.subject', '=', subject)
        .where('delivery.status', '=', 'delivered')
        .orderBy(sql`event.generation desc nulls last`)
        .limit(1)
        .executeTakeFirst(),
    )
    return row?.generation ?? null
  }

  /** Adds a delivery that an operator has asked for; its event is added too when it is a new one. */
  async add(webhookId: string, event: MeshEvent, nowMs: number): Promise<StoredDelivery> {
    const now = new Date(nowMs)
    const { seq } = await this.#room.transact(async tx => {
      await tx
        .insertInto('webhook_events')
        .values({
          id: event.id,
          type: event.type,
          subject: event.subject,
          generation: event.generation,
          at: new Date(event.atMs),
          data: JSON.stringify(event.data),
        })
        .onConflict(conflict => conflict.column('id').doNothing())
        .execute()
      return await tx
        .insertInto('webhook_deliveries')
        .values({
          webhook_id: webhookId,
          event_id: event.id,
          subject: event.subject,
          status: 'waiting',
          attempts: 0,
          due_at: now,
          redelivery: true,
          created_at: now,
        })
        .returning('seq')
        .executeTakeFirstOrThrow()
    })
    const added = await this.find(webhookId, seq)
    if (added === null) throw new Error('a delivery was deleted while it was made')
    return added
  }
}

const deliveries = (db: Kysely<WebhookTables>) =>
  db
    .selectFrom('webhook_deliveries as delivery')
    .innerJoin('webhook_events as event', 'event.id', 'delivery.event_id')
    .select([
      'delivery.seq',
      'delivery.webhook_id',
      'delivery.status',
      'delivery.attempts',
      'delivery.due_at',
      'delivery.redelivery',
      'delivery.response_status',
      'delivery.error',
      'delivery.duration_ms',
      'delivery.created_at',
      'delivery.finished_at',
      'event.id',
      'event.type',
      'event.subject',
      'event.generation',
      'event.at',
      'event.data',
    ])

type DeliveryRow = Awaited<ReturnType<ReturnType<typeof deliveries>['executeTakeFirstOrThrow']>>

const deliveryOf = (row: DeliveryRow): StoredDelivery => ({
  seq: row.seq,
  webhookId: row.webhook_id,
  event: eventOf(row),
  status: row.status,
  attempts: row.attempts,
  dueAtMs: row.due_at.getTime(),
  redelivery: row.redelivery,
  responseStatus: row.response_status,
  error: row.error,
  durationMs: row.duration_ms,
  createdAtMs: row.created_at.getTime(),
  finishedAtMs: row.finished_at?.getTime() ?? null,
})
