/**
 * Events into the database, in order, before anyone is told: with each goes a delivery for every webhook that wants it.
 * While the database is away they wait here, a bounded number of them.
 */
import { sql, type Transaction } from 'kysely'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { MeshEvent } from './events.js'
import type { WebhookTables } from './tables.js'
import type { Told, ToldChanges } from './told.js'

export interface OutboxOptions {
  readonly room: Room<WebhookTables>
  readonly clock: Clock
  readonly told: Told
  /** There is something to deliver. */
  readonly written: () => void
  /** There was no room for it. */
  readonly lost: (event: MeshEvent) => void
  /** Everything is written, after some was not for a while. */
  readonly recovered: () => void
  readonly warn: (fields: object, message: string) => void
}

/** Events that wait for the database: an hour of a busy mesh, some 10 MB. */
const WAITING_MAX = 10_000
/** Events of one transaction. */
const BATCH = 500
/** How often a database that is away is tried, ms. */
const RETRY_MS = 2_000

export class Outbox {
  readonly #options: OutboxOptions
  readonly #waiting: MeshEvent[] = []
  #writing: Promise<void> | null = null
  #isAway = false
  #stopped = false
  /** Ends the pause before the next try. */
  #resume: () => void = () => {}

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Events that the database does not have yet. */
  get size(): number {
    return this.#waiting.length
  }

  put(event: MeshEvent): void {
    const oldest = this.#waiting.length >= WAITING_MAX ? this.#waiting.shift() : undefined
    if (oldest !== undefined) this.#options.lost(oldest)
    this.#waiting.push(event)
    this.write()
  }

  /** Writes what there is. */
  write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null
      if (this.#waiting.length > 0 && !this.#stopped) this.write()
    })
  }

  /** Resolves when everything is written, or the database has refused once more; nothing is put after this. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#resume()
    this.write()
    await this.#writing
    if (this.#waiting.length > 0)
      this.#options.warn({ events: this.#waiting.length }, 'the database did not take the last events')
  }

  async #writeAll(): Promise<void> {
    // What else happens in this turn of the event loop goes with it.
    await Promise.resolve()
    do {
      const batch = this.#waiting.splice(0, BATCH)
      const changes = this.#options.told.takeChanges()
      try {
        const { room } = this.#options
        await room.transact(tx => write(tx, batch, changes, new Date(this.#options.clock.wallMs())))
        this.#options.written()
      } catch (error) {
        this.#waiting.unshift(...batch)
        this.#options.told.giveBack(changes)
        if (!this.#isAway) this.#options.warn({ err: error }, 'events for webhooks wait for the database')
        this.#isAway = true
        if (this.#stopped) return
        await this.#pause()
      }
    } while (this.#waiting.length > 0)
    if (!this.#isAway) return
    this.#isAway = false
    this.#options.recovered()
  }

  #pause(): Promise<void> {
    return new Promise(resolve => {
      const timer = this.#options.clock.setTimeout(resolve, RETRY_MS)
      this.#resume = () => {
        this.#options.clock.clearTimeout(timer)
        resolve()
      }
    })
  }
}

async function write(
  tx: Transaction<WebhookTables>,
  events: readonly MeshEvent[],
  { anew, rows }: ToldChanges,
  now: Date,
): Promise<void> {
  if (anew) await tx.deleteFrom('webhook_presence').execute()
  if (rows.length > 0)
    await sql`
      insert into webhook_presence as stored (subject, presence, generation)
      select subject, presence, generation
      from json_to_recordset(${JSON.stringify(rows)}::json) as row (subject text, presence text, generation bigint)
      order by subject
      on conflict (subject) do update set presence = excluded.presence, generation = excluded.generation
      where stored.generation <= excluded.generation`.execute(tx)
  if (events.length === 0) return
  // Those that come again, because an answer of the database was lost, are there already.
  await sql`
    with given as (
      select * from json_to_recordset(${JSON.stringify(events.map((event, at) => ({ ...event, place: at })))}::json)
      as row (id text, type text, subject text, generation bigint, "atMs" float8, data jsonb, place int)
    ), happened as (
      insert into webhook_events (id, type, subject, generation, at, data)
      select id, type, subject, generation, to_timestamp("atMs" / 1000), data from given
      where exists (select from webhooks where active and webhooks.events ? given.type)
      order by place
      on conflict (id) do nothing
      returning seq, id, type, subject
    )
    insert into webhook_deliveries
      (webhook_id, event_id, subject, status, attempts, due_at, redelivery, created_at)
    select webhooks.id, happened.id, happened.subject, 'waiting', 0, ${now}, false, ${now}
    from happened join webhooks on webhooks.active and webhooks.events ? happened.type
    order by happened.seq`.execute(tx)
}
