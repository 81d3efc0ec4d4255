/** `POST /payments/create`: asking for a payment. */
import type { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { type Caller, nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, forbidden, notFound } from '../../http/faults.js'
import { json } from '../../http/reply.js'
import type { Accounts } from '../accounts/accounts.js'
import { accountOf, isOperator } from '../callers.js'
import type { PaymentCounts } from './figures.js'
import { ONE_PAYMENT, PaymentCreate, PaymentOut } from './forms.js'
import type { OrderDesk } from './order-desk.js'
import { type PaymentParts, told } from './payment-endpoints.js'

export interface CreateParts extends PaymentParts {
  readonly accounts: Pick<Accounts, 'byUserId'>
  readonly desk: Pick<OrderDesk, 'ask'>
  readonly counts: PaymentCounts
  readonly audit: PluginHost['audit']
}

/** A key of the client’s own choosing: RFC 8941 strings and bare ones. */
const KEY = /^"?[\x21\x23-\x7e]{1,128}"?$/

export const createEndpoint = (parts: CreateParts): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/payments/create',
    access: 'user',
    tag: 'payments',
    summary: 'Asks for a payment',
    description:
      'What it costs, the tariff says. With a header `Idempotency-Key`, asking again answers with the same payment.',
    body: PaymentCreate,
    replies: {
      200: { description: 'It was asked for by the same key before.', schema: PaymentOut },
      201: ONE_PAYMENT,
    },
    faults: [404, 409, 422],
    async handle({ body, caller, headers }) {
      const { payment, isNew } = await asked(parts, body, caller, keyOf(headers))
      return json(await told(parts, payment, isOperator(caller)), isNew ? 201 : 200)
    },
  })

async function asked(
  { accounts, desk, providers, counts, audit }: CreateParts,
  body: z.output<typeof PaymentCreate>,
  caller: Caller,
  idempotencyKey: string | null,
) {
  if (body.provider_payment_id !== undefined && !isOperator(caller))
    throw forbidden('provider_payment_id: only operators say what the provider calls a payment')
  if (body.tariff_id === undefined && body.amount === undefined) throw badRequest('tariff_id: wanted')
  const accountId = await payerOf(accounts, caller, body.user_id)
  const provider = providers.usable(body.provider)
  const { payment, isNew } = await desk.ask({
    accountId,
    tariffId: body.tariff_id ?? null,
    amount: body.amount ?? null,
    currency: body.currency ?? null,
    provider,
    providerPaymentId: body.provider_payment_id ?? null,
    publicKey: body.wg_public_key ?? null,
    by: ('accountId' in caller ? caller.accountId : null) ?? 'SECRET_TOKEN',
    idempotencyKey,
  })
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

/** Resolves with the account that will have what is paid for. To who is no operator, another’s is not there. */
async function payerOf(
  accounts: CreateParts['accounts'],
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
