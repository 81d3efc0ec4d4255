/** Where payments are asked for: what is sold, at its price, once for each `Idempotency-Key`, and not without end. */
import type { Transaction } from 'kysely'
import { badRequest, conflict, HttpError, notFound } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { AccessTables } from '../tables.js'
import { isSameAmount } from './money.js'
import type { PaymentProvider } from './payment-provider.js'
import { byNumber, named, type PaymentRow } from './payments.js'

type Tx = Transaction<AccessTables>

export interface Wish {
  readonly accountId: string
  /** null: the only one that costs so much. */
  readonly tariffId: number | null
  /** What the payer believes that it costs; null: whatever it costs. */
  readonly amount: string | null
  readonly currency: string | null
  readonly provider: Pick<PaymentProvider, 'name' | 'next'>
  readonly providerPaymentId: string | null
  readonly publicKey: Uint8Array | null
  /** Who asks: an account, or nobody's for SECRET_TOKEN. */
  readonly by: string
  readonly idempotencyKey: string | null
}

/** Of one account: more at once are no intention to pay. */
const PENDING_MAX = 20

export interface OrderDeskOptions {
  readonly room: Room<AccessTables>
  readonly clock: Pick<Clock, 'wallMs'>
  /** How long a payment can be paid, ms. */
  readonly lifeMs: number
}

export class OrderDesk {
  readonly #options: OrderDeskOptions

  constructor(options: OrderDeskOptions) {
    this.#options = options
  }

  /**
   * Resolves with a payment that waits to be paid; `isNew` is false when it was asked for before by the same key. Rejects with a
   * 404, 409, 422 or 429 that says why there is none.
   */
  async ask(wish: Wish): Promise<{ readonly payment: PaymentRow; readonly isNew: boolean }> {
    const { room, clock, lifeMs } = this.#options
    const nowMs = clock.wallMs()
    return await room.transact(async tx => {
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
      // Nobody is left with a payment that this provider cannot be asked for.
      wish.provider.next({
        paymentId: 0,
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
          provider: wish.provider.name,
          provider_payment_id: wish.providerPaymentId,
          status: 'pending',
          public_key: wish.publicKey,
          subscription_id: null,
          created_by: wish.by,
          idempotency_key: wish.idempotencyKey,
          note: null,
          created_at: new Date(nowMs),
          changed_at: new Date(nowMs),
          expires_at: new Date(nowMs + lifeMs),
        })
        .onConflict(conflicting => conflicting.doNothing())
        .returning('payment_id')
        .executeTakeFirst()
      // Somebody was quicker: with the same key, or with the same name of the provider's.
      const payment = made === undefined ? await askedBefore(tx, wish) : await byNumber(tx, made.payment_id)
      if (payment === undefined)
        throw conflict(
          `${wish.provider.name} payment ${wish.providerPaymentId} belongs to another payment already`,
        )
      return { payment, isNew: made !== undefined }
    })
  }
}

/** Resolves with the payment that was asked for by the same key; rejects with a 422 when it was another one. */
async function askedBefore(tx: Tx, wish: Wish): Promise<PaymentRow | undefined> {
  if (wish.idempotencyKey === null) return undefined
  const row: PaymentRow | undefined = await named(tx)
    .where('created_by', '=', wish.by)
    .where('idempotency_key', '=', wish.idempotencyKey)
    .executeTakeFirst()
  if (row === undefined || isSameWish(row, wish)) return row
  throw new HttpError(422, 'idempotency_key_reused', 'this Idempotency-Key stood for another payment')
}

const isSameWish = (row: PaymentRow, wish: Wish): boolean =>
  row.account_id === wish.accountId &&
  row.provider === wish.provider.name &&
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
