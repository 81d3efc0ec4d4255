/** `/payments/{payment_id}/confirm`, `fail`, `refund`: what operators see come in, or go back, and answer for. */
import { z } from 'zod'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict } from '../../http/faults.js'
import { text } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { ONE_PAYMENT, paymentNumber } from './forms.js'
import { type PaymentParts, told } from './payment-endpoints.js'
import type { PaymentStatus } from './payment-provider.js'
import type { By, Settlement } from './settlement.js'

export interface HandParts extends PaymentParts {
  readonly settlement: Pick<Settlement, 'settle'>
}

interface Verb {
  readonly summary: string
  readonly description: string
  readonly does: 'complete' | 'fail' | 'refund'
  readonly becomes: PaymentStatus
  /** Of what it can become that. */
  readonly from: readonly PaymentStatus[]
}

const VERBS: Readonly<Record<string, Verb>> = {
  confirm: {
    summary: 'Says that a payment has arrived',
    description: 'By whatever provider it was to be paid. The tariff is granted at once.',
    does: 'complete',
    becomes: 'completed',
    from: ['pending', 'failed', 'expired'],
  },
  fail: {
    summary: 'Says that a payment will not arrive',
    description: 'Only while it is pending.',
    does: 'fail',
    becomes: 'failed',
    from: ['pending'],
  },
  refund: {
    summary: 'Says that a payment was paid back',
    description:
      'What it has granted is taken back at once. The money itself is between you and the provider.',
    does: 'refund',
    becomes: 'refunded',
    from: ['completed'],
  },
}

const NOTE_MAX = 500
const note = text(NOTE_MAX).optional().meta({ description: 'Why; kept with the payment.' })

export const handEndpoints = (parts: HandParts): readonly Endpoint[] =>
  Object.entries(VERBS).map(([name, verb]) =>
    endpoint({
      method: 'POST',
      path: `/payments/{payment_id}/${name}`,
      access: 'operator',
      tag: 'payments',
      summary: verb.summary,
      description: `${verb.description} Said again, it changes nothing.`,
      params: z.object({ payment_id: paymentNumber }),
      body: z.strictObject({ note }),
      replies: { 200: ONE_PAYMENT },
      faults: [409],
      async handle({ params: { payment_id }, body, caller }) {
        const by = { actor: nameOf(caller), ...(body.note !== undefined && { note: body.note }) }
        await settled(parts, payment_id, name, verb, by)
        return json(await told(parts, await parts.payments.found(payment_id, null), true))
      },
    }),
  )

/** Settles a payment by the word of an operator; rejects with a 404, or a 409 when it is too late for that. */
async function settled(
  { settlement, payments }: HandParts,
  paymentId: number,
  kind: string,
  { does, becomes, from }: Verb,
  by: By,
): Promise<void> {
  const { status, changed_at } = await payments.found(paymentId, null)
  if (status === becomes) return
  if (!from.includes(status)) throw conflict(`payment ${paymentId} is ${status}`)
  await settlement.settle(
    {
      provider: 'manual',
      // Two who say the same of what they both see have said it once.
      eventId: `payment ${paymentId} ${kind} ${changed_at.toISOString()}`,
      kind,
      does,
      paymentId,
      providerPaymentId: null,
      money: null,
    },
    by,
  )
}
