/** Payments in the database: found, listed, and given up when nobody pays. order-desk.ts makes them, settlement.ts settles them. */
import { type Selectable, sql, type Transaction } from 'kysely'
import { badRequest, notFound } from '../../http/faults.js'
import { cursorOf, type ListCursor } from '../../http/listing.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import { nameKey } from '../accounts/name.js'
import type { AccessTables } from '../tables.js'
import type { Outcome, PaymentStatus, ProviderName } from './payment-provider.js'
import { TIMING } from './timing.js'

type Tx = Transaction<AccessTables>

export interface PaymentRow extends Selectable<AccessTables['payments']> {
  readonly user_id: number
  readonly account_name: string
  readonly tariff_name: string
}

export type EventRow = Selectable<AccessTables['payment_events']>

export interface PaymentQuery {
  readonly limit: number
  readonly after?: string | undefined
  /** `id`, with a minus before it for the newest first. */
  readonly sort?: string | undefined
  /** null: everybody's. */
  readonly accountId: string | null
  readonly user_id?: number | undefined
  readonly tariff_id?: number | undefined
  readonly status?: PaymentStatus | undefined
  readonly provider?: ProviderName | undefined
  /** A part of the account's name, or what the provider calls it. */
  readonly q?: string | undefined
}

export interface EventQuery {
  readonly limit: number
  readonly after?: string | undefined
  /** `received_at`, with a minus before it for the newest first. */
  readonly sort?: string | undefined
  readonly payment_id?: number | undefined
  readonly provider?: ProviderName | undefined
  readonly outcome?: Outcome | undefined
}

export class Payments {
  readonly #room: Room<AccessTables>
  readonly #clock: Pick<Clock, 'wallMs'>

  constructor(parts: { readonly room: Room<AccessTables>; readonly clock: Pick<Clock, 'wallMs'> }) {
    this.#room = parts.room
    this.#clock = parts.clock
  }

  /** Resolves with a payment that the caller may see, or rejects with a 404. `accountId` null: everybody's. */
  async found(paymentId: number, accountId: string | null): Promise<PaymentRow> {
    const row = await this.#room.ask(db => byNumber(db, paymentId))
    if (row === undefined || (accountId !== null && row.account_id !== accountId))
      throw notFound(`there is no payment ${paymentId}`)
    return row
  }

  /** Resolves with what is to be paid for, or null when this provider has no such payment. */
  async order(paymentId: number, provider: ProviderName) {
    const row = await this.#room.ask(db =>
      db
        .selectFrom('payments')
        .innerJoin('tariffs', 'tariffs.tariff_id', 'payments.tariff_id')
        .select(['payments.amount', 'payments.currency', 'payments.status'])
        .select(['tariffs.name as tariff', 'tariffs.duration_days as days'])
        .where('payment_id', '=', paymentId)
        .where('provider', '=', provider)
        .executeTakeFirst(),
    )
    return row === undefined ? null : { paymentId, ...row }
  }

  /** Resolves with the rows of a page and how many there are in all. */
  list({ limit, after, sort = '-id', accountId, q, ...wanted }: PaymentQuery) {
    const isDown = sort.startsWith('-')
    const from = after === undefined ? null : numberOf(after)
    return this.#room.ask(async db => {
      const matching = db
        .selectFrom('payments')
        .innerJoin('accounts', 'accounts.account_id', 'payments.account_id')
        .innerJoin('tariffs', 'tariffs.tariff_id', 'payments.tariff_id')
        .$if(accountId !== null, many => many.where('payments.account_id', '=', accountId ?? ''))
        .$if(wanted.user_id !== undefined, many => many.where('user_id', '=', wanted.user_id ?? 0))
        .$if(wanted.tariff_id !== undefined, many =>
          many.where('payments.tariff_id', '=', wanted.tariff_id ?? 0),
        )
        .$if(wanted.status !== undefined, many => many.where('status', '=', wanted.status ?? 'pending'))
        .$if(wanted.provider !== undefined, many => many.where('provider', '=', wanted.provider ?? 'manual'))
        .$if(q !== undefined, many =>
          many.where(where =>
            where.or([
              where(sql<number>`strpos(name_key, ${nameKey(q ?? '')})`, '>', 0),
              where('provider_payment_id', '=', q ?? ''),
            ]),
          ),
        )
      const { total } = await matching
        .select(many => many.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows: PaymentRow[] = await matching
        .selectAll('payments')
        .select(NAMES)
        .$if(from !== null, many => many.where('payment_id', isDown ? '<' : '>', from))
        .orderBy('payment_id', isDown ? 'desc' : 'asc')
        .limit(limit + 1)
        .execute()
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1)?.payment_id : undefined
      const next: ListCursor | null = last === undefined ? null : [last, String(last)]
      return { rows: page, total: Number(total), next }
    })
  }

  /** Resolves with what providers and operators told: the rows of a page, and how many there are in all. */
  events({ limit, after, sort = '-received_at', ...wanted }: EventQuery) {
    const isDown = sort.startsWith('-')
    const from = after === undefined ? null : momentOf(after)
    const name = sql<string>`provider || ' ' || event_id`
    return this.#room.ask(async db => {
      const matching = db
        .selectFrom('payment_events')
        .$if(wanted.payment_id !== undefined, many => many.where('payment_id', '=', wanted.payment_id ?? 0))
        .$if(wanted.provider !== undefined, many => many.where('provider', '=', wanted.provider ?? 'manual'))
        .$if(wanted.outcome !== undefined, many => many.where('outcome', '=', wanted.outcome ?? 'ignored'))
      const { total } = await matching
        .select(many => many.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows: EventRow[] = await matching
        .selectAll()
        .$if(from !== null, many =>
          many.where(
            sql<boolean>`(received_at, ${name}) ${sql.raw(isDown ? '<' : '>')} (${from?.[0]}, ${from?.[1]})`,
          ),
        )
        .orderBy('received_at', isDown ? 'desc' : 'asc')
        .orderBy(name, isDown ? 'desc' : 'asc')
        .limit(limit + 1)
        .execute()
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      const next: ListCursor | null =
        last === undefined ? null : [last.received_at.getTime(), `${last.provider} ${last.event_id}`]
      return { rows: page, total: Number(total), next }
    })
  }

  /** Gives up what nobody paid in time; resolves with what. */
  expire(): Promise<readonly { readonly payment_id: number; readonly provider: ProviderName }[]> {
    const now = new Date(this.#clock.wallMs())
    return this.#room.ask(db =>
      db
        .updateTable('payments')
        .set({ status: 'expired', changed_at: now })
        .where('status', '=', 'pending')
        .where('expires_at', '<=', now)
        .returning(['payment_id', 'provider'])
        .execute(),
    )
  }

  /** Forgets what providers told long ago. */
  async tidy(): Promise<void> {
    const since = new Date(this.#clock.wallMs() - TIMING.eventsKeptMs)
    await this.#room.ask(db => db.deleteFrom('payment_events').where('received_at', '<', since).execute())
  }
}

/** Resolves with a payment, or undefined when there is none. */
export function byNumber(db: Pick<Tx, 'selectFrom'>, paymentId: number): Promise<PaymentRow | undefined> {
  return named(db).where('payment_id', '=', paymentId).executeTakeFirst()
}

const NAMES = ['user_id', 'accounts.name as account_name', 'tariffs.name as tariff_name'] as const

/** Returns the question for payments, with whose they are and what for. */
export const named = (db: Pick<Tx, 'selectFrom'>) =>
  db
    .selectFrom('payments')
    .innerJoin('accounts', 'accounts.account_id', 'payments.account_id')
    .innerJoin('tariffs', 'tariffs.tariff_id', 'payments.tariff_id')
    .selectAll('payments')
    .select(NAMES)

function numberOf(after: string): number {
  const [key] = cursorOf(after)
  if (!Number.isSafeInteger(key)) throw badRequest('after: wanted `next` of the page before')
  return Number(key)
}

function momentOf(after: string): readonly [Date, string] {
  const [key, name] = cursorOf(after)
  const at = new Date(Number(key))
  if (Number.isNaN(at.getTime())) throw badRequest('after: wanted `next` of the page before')
  return [at, name]
}
