/** `/payments`: how payments stand, what was told of them, and by whom one can pay here. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { oneOf, text } from '../../http/fields.js'
import { listQuery, listReply, listReplyOf } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import { isOperator, ownerOf } from '../callers.js'
import {
  EventOut,
  eventOut,
  ONE_PAYMENT,
  PaymentOut,
  paymentNumber,
  paymentOut,
  provider,
  STATUSES,
} from './forms.js'
import { OUTCOMES } from './payment-provider.js'
import type { PaymentRow, Payments } from './payments.js'
import type { Providers } from './providers.js'

export interface PaymentParts {
  readonly payments: Payments
  readonly providers: Providers
}

const access = 'user'
const tag = 'payments'

const Provider = z.object({
  name: provider,
  lacks: z.string().nullable().meta({ description: 'A setting; null: it can be used.' }),
})

export const paymentEndpoints = ({ payments, providers }: PaymentParts): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/payments/status/{payment_id}',
    access,
    tag,
    summary: 'Tells how a payment stands',
    params: z.object({ payment_id: paymentNumber }),
    replies: { 200: ONE_PAYMENT },
    handle: async ({ params: { payment_id }, caller }) =>
      json(
        await told(
          { payments, providers },
          await payments.found(payment_id, ownerOf(caller)),
          isOperator(caller),
        ),
      ),
  }),
  endpoint({
    method: 'GET',
    path: '/payments/',
    access,
    tag,
    summary: 'Lists payments, the newest first',
    description: 'One’s own; operators see everybody’s. What is to be done next, each payment itself tells.',
    query: z.object({
      ...listQuery('id'),
      user_id: paymentNumber.optional(),
      tariff_id: paymentNumber.optional(),
      status: oneOf(...STATUSES).optional(),
      provider: provider.optional(),
      q: text(128)
        .optional()
        .meta({ description: 'A part of the account’s name, or what the provider calls it.' }),
    }),
    replies: { 200: { description: 'A page of payments.', schema: listReply('payments', PaymentOut) } },
    async handle({ query, caller }) {
      const { rows, total, next } = await payments.list({ ...query, accountId: ownerOf(caller) })
      return json(
        listReplyOf('payments', {
          rows: rows.map(row => paymentOut(row, null, isOperator(caller))),
          total,
          next,
        }),
      )
    },
  }),
  endpoint({
    method: 'GET',
    path: '/payments/providers',
    access,
    tag,
    summary: 'Lists by whom one can pay here, and what the others lack for it',
    replies: { 200: { description: 'All.', schema: z.object({ providers: z.array(Provider) }) } },
    handle: () => json({ providers: providers.all.map(({ name, lacks }) => ({ name, lacks })) }),
  }),
  endpoint({
    method: 'GET',
    path: '/payments/events',
    access: 'operator',
    tag,
    summary: 'Lists what providers and operators told of payments, the newest first',
    query: z.object({
      ...listQuery('received_at'),
      payment_id: paymentNumber.optional(),
      provider: provider.optional(),
      outcome: oneOf(...OUTCOMES).optional(),
    }),
    replies: { 200: { description: 'A page of events, each once.', schema: listReply('events', EventOut) } },
    async handle({ query }) {
      const { rows, total, next } = await payments.events(query)
      return json(listReplyOf('events', { rows: rows.map(eventOut), total, next }))
    },
  }),
]

/** Resolves with a payment as it is answered, with what the payer does next. */
export async function told(
  { payments, providers }: PaymentParts,
  row: PaymentRow,
  forOperator: boolean,
): Promise<z.output<typeof PaymentOut>> {
  const order = row.status === 'pending' ? await payments.order(row.payment_id, row.provider) : null
  return paymentOut(row, order === null ? null : providers.next(row.provider, order), forOperator)
}
