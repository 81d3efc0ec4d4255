/**
 * Any provider, or any program between us and one, that signs what it tells:
 *
 *   { "id": "evt_1", "type": "payment.completed",
 *     "data": { "payment_id": 17, "provider_payment_id": "ch_9", "amount": "9.90", "currency": "EUR" } }
 */
import { z } from 'zod'
import { HttpError } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import { currency } from '../tariffs/money.js'
import { decimal, ownNumber, providerId } from './forms.js'
import { jsonOf } from './json-body.js'
import type { Delivery, Desk, NextStep, Order, PaymentEvent, PaymentProvider } from './payment-provider.js'
import { mustBeSigned, SIGNATURE_HEADER } from './signature.js'

export interface GenericOptions {
  readonly clock: Clock
  /** PAYMENT_WEBHOOK_SECRET and the one before; each of them signs. */
  readonly secrets: readonly string[]
  /** PAYMENT_URL: `{payment_id}`, `{amount}` and `{currency}` stand for those of a payment; null: none. */
  readonly url: string | null
}

const about = z.object({
  payment_id: ownNumber.optional(),
  provider_payment_id: providerId.optional(),
})
const isAbout = (data: z.output<typeof about>): boolean =>
  data.payment_id !== undefined || data.provider_payment_id !== undefined
const aboutWanted = { error: 'wanted payment_id or provider_payment_id' }
const withMoney = about.extend({ amount: decimal, currency }).refine(isAbout, aboutWanted)

const id = z.string().regex(/^[\x21-\x7e]{1,128}$/, { error: 'wanted 1 to 128 visible characters' })
const Event = z.discriminatedUnion('type', [
  z.object({ id, type: z.literal('payment.completed'), data: withMoney }),
  z.object({ id, type: z.literal('payment.refunded'), data: withMoney }),
  z.object({ id, type: z.literal('payment.failed'), data: about.refine(isAbout, aboutWanted) }),
])
/** Of another type: kept, so that it can be seen, and nothing is done. */
const OtherEvent = z.object({ id, type: z.string().min(1).max(128) })

/** What is delivered, for the documentation; more fields may be there. */
export const GenericEvent = z
  .union([Event, OtherEvent])
  .meta({ id: 'PaymentEvent', description: 'Signed by `X-Boson-Signature`.' })

const DOES = {
  'payment.completed': 'complete',
  'payment.refunded': 'refund',
  'payment.failed': 'fail',
} as const

export class GenericProvider implements PaymentProvider {
  readonly name = 'generic'
  readonly lacks: string | null
  readonly #options: GenericOptions

  constructor(options: GenericOptions) {
    this.#options = options
    this.lacks = options.secrets.length === 0 ? 'PAYMENT_WEBHOOK_SECRET' : null
  }

  next({ paymentId, amount, currency: of }: Order): NextStep {
    const { url } = this.#options
    return {
      text:
        url === null ? 'Pay as you were told; we hear of it by itself.' : 'Pay on the page of the provider.',
      url:
        url
          ?.replaceAll('{payment_id}', String(paymentId))
          .replaceAll('{amount}', amount)
          .replaceAll('{currency}', of) ?? null,
      invoice: null,
    }
  }

  async receive({ body, headers }: Delivery, desk: Desk): Promise<object> {
    const { secrets, clock } = this.#options
    mustBeSigned(headers.get(SIGNATURE_HEADER), body, secrets, clock.wallMs())
    const { outcome } = await desk.settle(eventOf(jsonOf(body)))
    return { received: true, outcome }
  }
}

function eventOf(said: unknown): PaymentEvent {
  const known = Event.safeParse(said)
  if (known.success) {
    const { id: eventId, type: kind, data } = known.data
    return {
      provider: 'generic',
      eventId,
      kind,
      does: DOES[kind],
      paymentId: data.payment_id ?? null,
      providerPaymentId: data.provider_payment_id ?? null,
      money: 'amount' in data ? { amount: data.amount, currency: data.currency } : null,
    }
  }
  const other = OtherEvent.safeParse(said)
  if (!other.success || other.data.type in DOES)
    throw new HttpError(400, 'not_understood', z.prettifyError(known.error))
  const { id: eventId, type: kind } = other.data
  return {
    provider: 'generic',
    eventId,
    kind,
    does: null,
    paymentId: null,
    providerPaymentId: null,
    money: null,
  }
}
