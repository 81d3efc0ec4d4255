/** What the database knows of an event: whether it was told before, of which payment it is, and whose its charge is. */
import { sql, type Transaction } from 'kysely'
import type { AccessTables } from '../tables.js'
import type { Outcome, PaymentEvent } from './payment-provider.js'
import { named, type PaymentRow } from './payments.js'

type Tx = Transaction<AccessTables>

export interface Settled {
  readonly outcome: Outcome
  readonly note: string | null
}

/** Resolves with what came of an event that was told before; undefined: it was not. */
export async function toldBefore(
  db: Pick<Tx, 'selectFrom'>,
  { provider, eventId }: PaymentEvent,
): Promise<Settled | undefined> {
  return await db
    .selectFrom('payment_events')
    .select(['outcome', 'note'])
    .where('provider', '=', provider)
    .where('event_id', '=', eventId)
    .executeTakeFirst()
}

/** Resolves with the payment of an event, which nobody else settles until the transaction ends; null: there is none. */
export async function held(
  tx: Tx,
  { provider, paymentId, providerPaymentId }: PaymentEvent,
): Promise<PaymentRow | null> {
  // Two payments may be told to be of one charge at the same time.
  if (providerPaymentId !== null)
    await sql`select pg_advisory_xact_lock(hashtextextended(${`${provider} charge ${providerPaymentId}`}, 0))`.execute(
      tx,
    )
  const row = await named(tx)
    .$if(paymentId !== null, many => many.where('payment_id', '=', paymentId))
    .$if(paymentId === null, many =>
      many.where('provider', '=', provider).where('provider_payment_id', '=', providerPaymentId),
    )
    .forUpdate('payments')
    .executeTakeFirst()
  return row ?? null
}

/** Resolves with the number of the payment that a charge is of; null: of none yet. */
export async function ownerOfCharge(
  tx: Tx,
  { provider, providerPaymentId }: PaymentEvent,
): Promise<number | null> {
  if (providerPaymentId === null) return null
  const row = await tx
    .selectFrom('payments')
    .select('payment_id')
    .where('provider', '=', provider)
    .where('provider_payment_id', '=', providerPaymentId)
    .executeTakeFirst()
  return row?.payment_id ?? null
}
