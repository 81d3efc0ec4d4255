/** Jobs in the database, which is the truth of them: whoever takes or ends one does so in one statement. */
import { sql, type SqlBool } from 'kysely'
import type { Room } from '../../store/index.js'
import type { RestDatabase } from '../database.js'
import type { Job, JobState, Json, Order } from './job.js'

/** Jobs that one node may have open. */
export const OPEN_MAX = 100
/** How long a delivered job waits for its acknowledgement before it is told again, ms; twice as long each time. */
const AGAIN_AFTER_MS = 60_000

const isOpen = sql<SqlBool>`status in ('pending', 'delivered')`

export interface JobFilter {
  readonly node?: string | undefined
  readonly status?: JobState | undefined
}

export class JobTable {
  readonly #room: Room<RestDatabase>

  constructor(room: Room<RestDatabase>) {
    this.#room = room
  }

  /** Resolves with the new job; null when the node has too many. */
  add(order: Order, nowMs: number): Promise<Job | null> {
    const { server_id, type, key_id, email, payload, created_by, ttlMs } = order
    const now = new Date(nowMs)
    return this.#room.ask(async db => {
      const { rows } = await sql<Job>`
        insert into server_tasks (
          server_id, type, key_id, email, payload, status, created_at, created_by, expires_at, due_at
        )
        select ${server_id}, ${type}, ${key_id}::text, ${email}::text, ${JSON.stringify(payload ?? null)}::jsonb,
          'pending', ${now}::timestamptz, ${created_by}, ${new Date(nowMs + ttlMs)}::timestamptz, ${now}::timestamptz
        where (select count(*) from server_tasks where server_id = ${server_id} and ${isOpen}) < ${OPEN_MAX}
        returning *`.execute(db)
      return rows[0] ?? null
    })
  }

  /** Resolves with when each node has a job to be told next, ms since 1970 UTC. */
  due(nowMs: number): Promise<ReadonlyMap<string, number>> {
    return this.#room.ask(async db => {
      const rows = await db
        .selectFrom('server_tasks')
        .select(({ fn }) => ['server_id', fn.min('due_at').as('due_at')])
        .where(isOpen)
        .where('expires_at', '>', new Date(nowMs))
        .groupBy('server_id')
        .execute()
      return new Map(rows.map(row => [row.server_id, new Date(row.due_at).getTime()]))
    })
  }

  /** Takes what is to be told to a node now, or with `all` whatever is open, the oldest first: it is delivered with this. */
  take(
    nodeId: string,
    nowMs: number,
    { limit, all }: { readonly limit: number; readonly all: boolean },
  ): Promise<readonly RestDatabase['server_tasks'][]> {
    const now = new Date(nowMs)
    return this.#room.ask(async db => {
      const { rows } = await sql<RestDatabase['server_tasks']>`
        update server_tasks set
          status = 'delivered',
          delivered_at = ${now},
          deliveries = deliveries + 1,
          due_at = ${now}::timestamptz + power(2, least(deliveries, 20)) * interval '1 ms' * ${AGAIN_AFTER_MS}::integer
        where id in (
          select id from server_tasks
          where server_id = ${nodeId} and ${isOpen} and (${all} or due_at <= ${now}) and expires_at > ${now}
          order by id limit ${limit} for update skip locked
        )
        returning *`.execute(db)
      return rows.toSorted((a, b) => a.id - b.id)
    })
  }

  /** Its node has it: it is not told again until its time is over, or its node begins anew. */
  async accept(id: number, nowMs: number): Promise<void> {
    await this.#room.ask(db =>
      sql`
        update server_tasks set accepted_at = coalesce(accepted_at, ${new Date(nowMs)}::timestamptz), due_at = expires_at
        where id = ${id} and ${isOpen}`.execute(db),
    )
  }

  /** Ends a job that is open; null when it is not. */
  cancel(id: number, nowMs: number): Promise<Job | null> {
    return this.#room.ask(async db => {
      const { rows } = await sql<Job>`
        update server_tasks set status = 'cancelled', finished_at = ${new Date(nowMs)}
        where id = ${id} and ${isOpen}
        returning *`.execute(db)
      return rows[0] ?? null
    })
  }

  async find(id: number): Promise<Job | null> {
    const found = await this.#room.ask(db =>
      db.selectFrom('server_tasks').selectAll().where('id', '=', id).executeTakeFirst(),
    )
    return found ?? null
  }

  /** Ends a job that is not done or failed yet; one that has expired too, for it was done all the same. Null: it is. */
  finish(id: number, status: 'done' | 'failed', result: Json, nowMs: number): Promise<Job | null> {
    return this.#room.ask(async db => {
      const { rows } = await sql<Job>`
        update server_tasks set
          status = ${status}, result = ${JSON.stringify(result ?? null)}::jsonb, finished_at = ${new Date(nowMs)}
        where id = ${id} and status in ('pending', 'delivered', 'expired')
        returning *`.execute(db)
      return rows[0] ?? null
    })
  }

  /** Ends at most `limit` jobs whose time is over. */
  expire(nowMs: number, limit: number): Promise<readonly Job[]> {
    const now = new Date(nowMs)
    return this.#room.ask(async db => {
      const { rows } = await sql<Job>`
        update server_tasks set status = 'expired', finished_at = ${now}
        where id in (
          select id from server_tasks where ${isOpen} and expires_at <= ${now}
          order by id limit ${limit} for update skip locked
        )
        returning *`.execute(db)
      return rows
    })
  }

  /** Resolves with at most `limit` jobs, the newest first unless `oldestFirst`, beyond the one with the id `after`. */
  list(
    { node, status }: JobFilter,
    {
      limit,
      after,
      oldestFirst,
    }: { readonly limit: number; readonly after: number | null; readonly oldestFirst: boolean },
  ): Promise<{ readonly rows: readonly Job[]; readonly total: number }> {
    return this.#room.ask(async db => {
      let all = db.selectFrom('server_tasks')
      if (node !== undefined) all = all.where('server_id', '=', node)
      if (status !== undefined) all = all.where('status', '=', status)
      const { total } = await all
        .select(({ fn }) => fn.countAll<string | number>().as('total'))
        .executeTakeFirstOrThrow()
      let rows = all.selectAll()
      if (after !== null) rows = rows.where('id', oldestFirst ? '>' : '<', after)
      return {
        rows: await rows
          .orderBy('id', oldestFirst ? 'asc' : 'desc')
          .limit(limit)
          .execute(),
        total: Number(total),
      }
    })
  }

  /** Deletes at most `limit` jobs that were over before this moment; resolves with whether there may be more. */
  async prune(beforeMs: number, limit: number): Promise<boolean> {
    const { numAffectedRows = 0n } = await this.#room.ask(db =>
      sql`
        delete from server_tasks where id in (
          select id from server_tasks where finished_at < ${new Date(beforeMs)} limit ${limit}
        )`.execute(db),
    )
    return numAffectedRows === BigInt(limit)
  }
}
