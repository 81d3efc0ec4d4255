/** Payments as they are asked for and answered, in the names of the first VPN API. */
import { z } from 'zod'
import { moment, oneOf } from '../../http/fields.js'
import { currency, Money, money } from '../tariffs/money.js'
import { publicKey } from '../wireguard/public-key.js'
import { hundredthsOf } from './money.js'
import { type NextStep, OUTCOMES, PROVIDERS } from './payment-provider.js'
import type { EventRow, PaymentRow } from './payments.js'

const aDecimal = { error: 'wanted decimal money as text, such as "9.90"' }
export const decimal = z
  .string(aDecimal)
  .refine(text => hundredthsOf(text) !== null, aDecimal)
  .meta({ pattern: '^\\d{1,12}(\\.\\d{1,2})?$', example: '9.90' })

const aNumber = { error: 'wanted a whole number above 0' }
/** Number of a payment, a tariff or a user. */
export const ownNumber = z.int(aNumber).positive(aNumber)

/** The same in a path or a query. */
export const paymentNumber = z.coerce.number(aNumber).pipe(ownNumber)

const aProviderId = { error: 'wanted 1 to 255 visible characters' }
export const providerId = z.string(aProviderId).regex(/^[\x21-\x7e]{1,255}$/, aProviderId)

export const provider = oneOf(...PROVIDERS)
export const STATUSES = ['pending', 'completed', 'failed', 'expired', 'refunded'] as const

export const PaymentCreate = z.strictObject({
  user_id: ownNumber
    .optional()
    .meta({ description: 'Whose it will be; one’s own when absent. Others’: operators.' }),
  tariff_id: ownNumber
    .optional()
    .meta({ description: 'What is bought. When absent, the only tariff that costs `amount`.' }),
  amount: money
    .optional()
    .meta({ description: 'What the payer believes that it costs: refused when it costs something else.' }),
  currency: currency.optional(),
  provider: provider.optional().meta({ description: 'The first that is set up, when absent.' }),
  provider_payment_id: providerId
    .optional()
    .meta({ description: 'What the provider calls it, where it is known before. For operators.' }),
  wg_public_key: publicKey
    .optional()
    .meta({ description: 'Of the device, for the peer that comes with the first payment.' }),
})

const NextOut = z.object({
  text: z.string().meta({ description: 'What the payer does now.' }),
  url: z.string().nullable(),
  invoice: z
    .object({
      title: z.string(),
      description: z.string(),
      payload: z.string(),
      currency: z.string(),
      prices: z.array(
        z.object({
          label: z.string(),
          amount: z.int().meta({ description: 'In the smallest units of the currency.' }),
        }),
      ),
    })
    .nullable()
    .meta({ description: 'What a bot of one’s own gives `sendInvoice`.' }),
})

export const PaymentOut = z
  .object({
    id: z.int(),
    user_id: z.int(),
    email: z.string().meta({ description: 'Name of the account.' }),
    tariff_id: z.int(),
    tariff_name: z.string(),
    amount: Money,
    currency: z.string(),
    status: z.enum(STATUSES),
    provider,
    provider_payment_id: z.string().nullable(),
    user_tariff_id: z.int().nullable().meta({ description: 'The UserTariff that it was granted to.' }),
    note: z
      .string()
      .nullable()
      .meta({ description: 'What the operator who settled it had to say; for operators.' }),
    created_at: moment,
    updated_at: moment,
    expires_at: moment.meta({ description: 'Until when it can be paid, while it is pending.' }),
    next: NextOut.nullable().meta({ description: 'Null: there is nothing left to do.' }),
  })
  .meta({ id: 'PaymentOut' })

export const ONE_PAYMENT = { description: 'The payment.', schema: PaymentOut } as const

/** `isOperator`: sees what operators noted. */
export const paymentOut = (
  row: PaymentRow,
  next: NextStep | null,
  isOperator: boolean,
): z.output<typeof PaymentOut> => ({
  id: row.payment_id,
  user_id: row.user_id,
  email: row.account_name,
  tariff_id: row.tariff_id,
  tariff_name: row.tariff_name,
  amount: row.amount,
  currency: row.currency,
  status: row.status,
  provider: row.provider,
  provider_payment_id: row.provider_payment_id,
  user_tariff_id: row.subscription_id,
  note: isOperator ? row.note : null,
  created_at: row.created_at.toISOString(),
  updated_at: row.changed_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
  next:
    next === null
      ? null
      : {
          ...next,
          invoice: next.invoice && { ...next.invoice, prices: [...next.invoice.prices] },
        },
})

export const EventOut = z
  .object({
    provider,
    event_id: z.string(),
    payment_id: z.int().nullable(),
    kind: z.string().meta({ description: 'As the provider calls it.' }),
    outcome: z.enum(OUTCOMES),
    note: z.string().nullable().meta({ description: 'What was not as expected.' }),
    received_at: moment,
  })
  .meta({ id: 'PaymentEventOut' })

export const eventOut = (row: EventRow): z.output<typeof EventOut> => ({
  ...row,
  received_at: row.received_at.toISOString(),
})
