/** `/payments`: asking for a payment, and seeing how it stands; operators settle what they saw come in. */
import { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { type Caller, nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, conflict, forbidden, notFound } from '../../http/faults.js'
import { oneOf, text } from '../../http/fields.js'
import { listQuery, listReply, listReplyOf, rows as rowsWanted } from '../../http/listing.js'
import { json, type Reply } from '../../http/reply.js'
import type { Accounts } from '../accounts/accounts.js'
import { accountOf, isOperator, ownerOf } from '../callers.js'
import {
  EventOut,
  eventOut,
  PaymentCreate,
  PaymentOut,
  paymentNumber,
  paymentOut,
  provider,
  STATUSES,
} from './forms.js'
import { OUTCOMES } from './payment-provider.js'
import type { PaymentRow, Payments } from './payments.js'
import type { Providers } from './providers.js'
import type { PaymentCounts } from './figures.js'
import type { Settlement } from './settlement.js'

export interface PaymentParts {
  readonly accounts: Pick<Accounts, 'byUserId'>
  readonly payments: Payments
  readonly providers: Providers
  readonly settlement: Settlement
  readonly counts: PaymentCounts
  readonly audit: PluginHost['audit']
}

const tag = 'payments'
const params = z.object({ payment_id: paymentNumber })
const onePayment = { description: 'The payment.', schema: PaymentOut }
/** A key of the client’s own choosing: RFC 8941 strings and bare ones. */
const KEY = /^"?[\x21\x23-\x7e]{1,128}"?$/
const NOTE_MAX = 500

export function paymentEndpoints(parts: PaymentParts): readonly Endpoint[] {
  const { payments, providers } = parts
  const out = async (row: PaymentRow): Promise<z.output<typeof PaymentOut>> => {
    const order = row.status === 'pending' ? await payments.order(row.payment_id, row.provider) : null
    return paymentOut(row, order === null ? null : providers.next(row.provider, order))
  }
  return [
    endpoint({
      method: 'POST',
      path: '/payments/create',
      access: 'user',
      tag,
      summary: 'Asks for a payment',
      description:
        'What it costs, the tariff says. A header `Idempotency-Key` makes a repetition answer with the same payment.',
      body: PaymentCreate,
      replies: {
        200: { description: 'It was asked for by the same key before.', schema: PaymentOut },
        201: onePayment,
      },
      faults: [404, 409, 422],
      async handle({ body, caller, headers }) {
        const { payment, isNew } = await asked(parts, body, caller, headers)
        return json(await out(payment), isNew ? 201 : 200)
      },
    }),
    endpoint({
      method: 'GET',
      path: '/payments/status/{payment_id}',
      access: 'user',
      tag,
      summary: 'Tells how a payment stands',
      params,
      replies: { 200: onePayment },
      handle: async ({ params: { payment_id }, caller }) =>
        json(await out(await payments.found(payment_id, ownerOf(caller)))),
    }),
    endpoint({
      method: 'GET',
      path: '/payments/',
      access: 'user',
      tag,
      summary: 'Lists payments, the newest first',
      description: 'One’s own; operators see everybody’s.',
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
        // What is to be done next, the payment itself tells.
        return json(listReplyOf('payments', { rows: rows.map(row => paymentOut(row, null)), total, next }))
      },
    }),
    endpoint({
      method: 'GET',
      path: '/payments/providers',
      access: 'user',
      tag,
      summary: 'Lists the providers, and which setting one lacks to be used here',
      replies: {
        200: {
          description: 'All that there are.',
          schema: z.object({
            providers: z.array(
              z.object({
                name: provider,
                lacks: z.string().nullable().meta({ description: 'Null: it can be used.' }),
              }),
            ),
          }),
        },
      },
      handle: () => json({ providers: providers.all.map(({ name, lacks }) => ({ name, lacks })) }),
    }),
    endpoint({
      method: 'GET',
      path: '/payments/events',
      access: 'operator',
      tag,
      summary: 'Lists what providers and operators told of payments, the newest first',
      query: z.object({
        limit: rowsWanted,
        payment_id: paymentNumber.optional(),
        provider: provider.optional(),
        outcome: oneOf(...OUTCOMES).optional(),
      }),
      replies: {
        200: { description: 'Each of them once.', schema: z.object({ events: z.array(EventOut) }) },
      },
      handle: async ({ query }) => json({ events: (await payments.events(query)).map(eventOut) }),
    }),
    ...(['confirm', 'fail', 'refund'] as const).map(verb =>
      endpoint({
        method: 'POST',
        path: `/payments/{payment_id}/${verb}`,
        access: 'operator',
        tag,
        summary: VERBS[verb].summary,
        description: VERBS[verb].description,
        params,
        body: z.strictObject({
          note: text(NOTE_MAX).optional().meta({ description: 'Why; kept with the payment.' }),
        }),
        replies: { 200: onePayment },
        faults: [409],
        handle: async ({ params: { payment_id }, body, caller }): Promise<Reply> => {
          await payments.found(payment_id, null)
          await byHand(parts, payment_id, verb, {
            actor: nameOf(caller),
            ...(body.note && { note: body.note }),
          })
          return json(await out(await payments.found(payment_id, null)))
        },
      }),
    ),
  ]
}

const VERBS = {
  confirm: {
    summary: 'Says that a payment has arrived',
    description: 'Whoever was to be asked for it. The tariff is granted at once. Again, it changes nothing.',
    does: 'complete',
    status: 'completed',
  },
  fail: {
    summary: 'Says that a payment will not arrive',
    description: 'Only while it is pending.',
    does: 'fail',
    status: 'failed',
  },
  refund: {
    summary: 'Says that a payment was paid back',
    description: 'What it had granted is taken back at once. Paying it back is between you and the provider.',
    does: 'refund',
    status: 'refunded',
  },
} as const

async function asked(
  { accounts, payments, providers, counts, audit }: PaymentParts,
  body: z.output<typeof PaymentCreate>,
  caller: Caller,
  headers: ReadonlyMap<string, string>,
) {
  const mayForOthers = isOperator(caller)
  if (body.provider_payment_id !== undefined && !mayForOthers)
    throw forbidden('provider_payment_id: only operators say what the provider calls a payment')
  if (body.tariff_id === undefined && body.amount === undefined) throw badRequest('tariff_id: wanted')
  const accountId = await payerOf(accounts, caller, body.user_id)
  const method = providers.usable(body.provider)
  const { payment, isNew } = await payments.ask(
    {
      accountId,
      tariffId: body.tariff_id ?? null,
      amount: body.amount ?? null,
      currency: body.currency ?? null,
      provider: method.name,
      providerPaymentId: body.provider_payment_id ?? null,
      publicKey: body.wg_public_key ?? null,
      by: ('accountId' in caller ? caller.accountId : null) ?? 'SECRET_TOKEN',
      idempotencyKey: keyOf(headers),
    },
    order => void method.next({ ...order, paymentId: 0 }),
  )
  if (isNew) {
    counts.became(payment.provider, 'pending')
    const { amount, currency, tariff_id, user_id } = payment
    audit({
      kind: 'payment.created',
      actor: nameOf(caller),
      subject: `payment ${payment.payment_id}`,
      detail: { user: user_id, tariff: tariff_id, amount, currency, provider: payment.provider },
    })
  }
  return { payment, isNew }
}

/** Resolves with the account that will have what is paid for: another one’s is not there for those who are no operators. */
async function payerOf(
  accounts: PaymentParts['accounts'],
  caller: Caller,
  userId: number | undefined,
): Promise<string> {
  if (userId === undefined) return accountOf(caller)
  const account = await accounts.byUserId(userId)
  const own = 'accountId' in caller ? caller.accountId : null
  if (account === undefined || (account.account_id !== own && !isOperator(caller)))
    throw notFound(`there is no user ${userId}`)
  return account.account_id
}

function keyOf(headers: ReadonlyMap<string, string>): string | null {
  const key = headers.get('idempotency-key')
  if (key !== undefined && !KEY.test(key))
    throw badRequest('Idempotency-Key: wanted 1 to 128 visible characters')
  return key ?? null
}

/** Settles a payment by the word of an operator; throws a 409 when that is not possible any more. */
async function byHand(
  { settlement, payments }: PaymentParts,
  paymentId: number,
  verb: keyof typeof VERBS,
  by: { readonly actor: string; readonly note?: string },
): Promise<void> {
  const { does, status } = VERBS[verb]
  const before = await payments.found(paymentId, null)
  if (before.status === status) return
  // Not taken back by a slip: what is paid is paid back, what was paid back stays so, and nothing is paid back twice.
  const isPossible = {
    confirm: before.status !== 'refunded',
    fail: before.status === 'pending',
    refund: before.status === 'completed',
  }
  if (!isPossible[verb]) throw conflict(`payment ${paymentId} is ${before.status}`)
  await settlement.settle(
    {
      provider: 'manual',
      // Two who say the same at once have said it once.
      eventId: `payment ${paymentId} ${verb}, was ${before.status}`,
      kind: verb,
      does,
      paymentId,
      providerPaymentId: null,
      money: null,
    },
    by,
  )
}
