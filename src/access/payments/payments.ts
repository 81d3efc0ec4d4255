/** Payments in the database: asked for, found, listed, and given up when nobody pays. Only settlement.ts settles them. */
import { type Selectable, sql, type Transaction } from 'kysely'
import { badRequest, conflict, HttpError, notFound } from '../../http/faults.js'
import { cursorOf, type ListCursor } from '../../http/listing.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import { nameKey } from '../accounts/name.js'
import type { AccessTables } from '../tables.js'
import { isSameAmount } from './money.js'
import type { Order, Outcome, PaymentStatus, ProviderName } from './payment-provider.js'
import { TIMING } from './timing.js'

type Tx = Transaction<AccessTables>

export interface PaymentRow extends Selectable<AccessTables['payments']> {
  readonly user_id: number
}

export type EventRow = Selectable<AccessTables['payment_events']>

export interface Wish {
  readonly accountId: string
  /** null: the only one that costs so much. */
  readonly tariffId: number | null
  /** What the payer believes that it costs; null: whatever it costs. */
  readonly amount: string | null
  readonly currency: string | null
  readonly provider: ProviderName
  readonly providerPaymentId: string | null
  readonly publicKey: Uint8Array | null
  /** Who asks: an account, or nobody's for SECRET_TOKEN. */
  readonly by: string
  readonly idempotencyKey: string | null
}

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
  readonly payment_id?: number | undefined
  readonly provider?: ProviderName | undefined
  readonly outcome?: Outcome | undefined
}

/** Of one account: more at once are no intention to pay. */
const PENDING_MAX = 20

export class Payments {
  readonly #room: Room<AccessTables>
  readonly #clock: Clock
  readonly #lifeMs: number

  constructor(parts: { readonly room: Room<AccessTables>; readonly clock: Clock; readonly lifeMs: number }) {
    this.#room = parts.room
    this.#clock = parts.clock
    this.#lifeMs = parts.lifeMs
  }

  /**
   * Resolves with a payment that waits to be paid; `isNew` is false when it was asked for before by the same key. `check`
   * throws when the provider cannot ask for it. Rejects with a 404, 409, 422 or 429 that says why there is none.
   */
  async ask(
    wish: Wish,
    check: (order: Omit<Order, 'paymentId'>) => void,
  ): Promise<{ readonly payment: PaymentRow; readonly isNew: boolean }> {
    const nowMs = this.#clock.wallMs()
    return await this.#room.transact(async tx => {
      // One account asks for one thing at a time, so that its pending ones are counted exactly.
      await tx
        .selectFrom('accounts')
        .select('account_id')
        .where('account_id', '=', wish.accountId)
        .forNoKeyUpdate()
        .execute()
      const before = await askedBefore(tx, wish)
      if (before !== undefined) return { payment: before, isNew: false }
      const tariff = await tariffOf(tx, wish)
      check({
        amount: tariff.price,
        currency: tariff.currency,
        tariff: tariff.name,
        days: tariff.duration_days,
      })
      await mustHaveRoom(tx, wish.accountId)
      const made = await tx
        .insertInto('payments')
        .values({
          account_id: wish.accountId,
          tariff_id: tariff.tariff_id,
          amount: tariff.price,
          currency: tariff.currency,
          provider: wish.provider,
          provider_payment_id: wish.providerPaymentId,
          status: 'pending',
          public_key: wish.publicKey,
          subscription_id: null,
          created_by: wish.by,
          idempotency_key: wish.idempotencyKey,
          note: null,
          created_at: new Date(nowMs),
          changed_at: new Date(nowMs),
          expires_at: new Date(nowMs + this.#lifeMs),
        })
        .onConflict(conflicting => conflicting.doNothing())
        .returning('payment_id')
        .executeTakeFirst()
      // Somebody was quicker: with the same key, or with the same name of the provider's.
      const payment = made === undefined ? await askedBefore(tx, wish) : await byNumber(tx, made.payment_id)
      if (payment === undefined)
        throw conflict(
          `${wish.provider} payment ${wish.providerPaymentId} belongs to another payment already`,
        )
      return { payment, isNew: made !== undefined }
    })
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
        .$if(accountId !== null, many => many.where('payments.account_id', '=', accountId ?? ''))
        .$if(wanted.user_id !== undefined, many => many.where('user_id', '=', wanted.user_id ?? 0))
        .$if(wanted.tariff_id !== undefined, many => many.where('tariff_id', '=', wanted.tariff_id ?? 0))
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
        .select('user_id')
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

  /** Resolves with what providers told, the newest first. */
  events({ limit, ...wanted }: EventQuery): Promise<readonly EventRow[]> {
    return this.#room.ask(db =>
      db
        .selectFrom('payment_events')
        .selectAll()
        .$if(wanted.payment_id !== undefined, many => many.where('payment_id', '=', wanted.payment_id ?? 0))
        .$if(wanted.provider !== undefined, many => many.where('provider', '=', wanted.provider ?? 'manual'))
        .$if(wanted.outcome !== undefined, many => many.where('outcome', '=', wanted.outcome ?? 'ignored'))
        .orderBy('received_at', 'desc')
        .orderBy('event_id')
        .limit(limit)
        .execute(),
    )
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

function byNumber(db: Pick<Tx, 'selectFrom'>, paymentId: number): Promise<PaymentRow | undefined> {
  return db
    .selectFrom('payments')
    .innerJoin('accounts', 'accounts.account_id', 'payments.account_id')
    .selectAll('payments')
    .select('user_id')
    .where('payment_id', '=', paymentId)
    .executeTakeFirst()
}

/** Resolves with the payment that was asked for by the same key; rejects with a 422 when it was another one. */
async function askedBefore(tx: Tx, wish: Wish): Promise<PaymentRow | undefined> {
  if (wish.idempotencyKey === null) return undefined
  const row: PaymentRow | undefined = await tx
    .selectFrom('payments')
    .innerJoin('accounts', 'accounts.account_id', 'payments.account_id')
    .selectAll('payments')
    .select('user_id')
    .where('created_by', '=', wish.by)
    .where('idempotency_key', '=', wish.idempotencyKey)
    .executeTakeFirst()
  if (row === undefined || isSameWish(row, wish)) return row
  throw new HttpError(422, 'idempotency_key_reused', 'this Idempotency-Key stood for another payment')
}

const isSameWish = (row: PaymentRow, wish: Wish): boolean =>
  row.account_id === wish.accountId &&
  row.provider === wish.provider &&
  (wish.tariffId === null || wish.tariffId === row.tariff_id) &&
  (wish.amount === null || isSameAmount(wish.amount, row.amount)) &&
  (wish.currency === null || wish.currency === row.currency) &&
  keyText(wish.publicKey) === keyText(row.public_key)

const keyText = (key: Uint8Array | null): string => Buffer.from(key ?? []).toString('base64')

/** Resolves with the tariff that is wanted, on the terms that are wanted. */
async function tariffOf(tx: Tx, { tariffId, amount, currency }: Wish) {
  const sold = await tx
    .selectFrom('tariffs')
    .select(['tariff_id', 'name', 'price', 'currency', 'duration_days', 'archived_at'])
    .$if(tariffId !== null, many => many.where('tariff_id', '=', tariffId))
    .$if(tariffId === null, many =>
      many
        .where('archived_at', 'is', null)
        .where('price', '=', amount ?? '0')
        .$if(currency !== null, some => some.where('currency', '=', currency ?? '')),
    )
    .limit(2)
    .execute()
  const [tariff] = sold
  if (tariffId === null && sold.length !== 1)
    throw badRequest(
      `tariff_id: wanted, because ${sold.length === 0 ? 'no tariff costs' : 'several tariffs cost'} ${amount} ${currency ?? ''}`.trimEnd(),
    )
  if (tariff === undefined) throw notFound(`there is no tariff ${tariffId}`)
  if (tariff.archived_at !== null) throw new HttpError(409, 'not_sold', `${tariff.name} is not sold any more`)
  const isOther =
    (amount !== null && !isSameAmount(amount, tariff.price)) ||
    (currency !== null && currency !== tariff.currency)
  if (isOther)
    throw new HttpError(422, 'other_price', `${tariff.name} costs ${tariff.price} ${tariff.currency}`)
  if (isSameAmount(tariff.price, '0'))
    throw new HttpError(409, 'nothing_to_pay', `${tariff.name} costs nothing: an operator assigns it`)
  return tariff
}

async function mustHaveRoom(tx: Tx, accountId: string): Promise<void> {
  const { pending } = await tx
    .selectFrom('payments')
    .select(many => many.fn.countAll<number>().as('pending'))
    .where('account_id', '=', accountId)
    .where('status', '=', 'pending')
    .executeTakeFirstOrThrow()
  if (Number(pending) >= PENDING_MAX)
    throw new HttpError(
      429,
      'too_many_pending',
      `${PENDING_MAX} payments wait already: pay one, or wait until one expires`,
    )
}

function numberOf(after: string): number {
  const [key] = cursorOf(after)
  if (!Number.isSafeInteger(key)) throw badRequest('after: wanted `next` of the page before')
  return Number(key)
}
