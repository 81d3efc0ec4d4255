/**
 * What an event means for a payment, by how both stand: pure, so that any order and repetition of events can be tried out.
 *
 *            complete             fail         refund
 *   pending ───────→ completed    → failed     → refunded: what completes it later comes too late
 *   failed, expired ─→ completed                → refunded   (the money is there after all)
 *   completed                                   → refunded: what was granted is taken back
 *   refunded ─→ completed, by another charge only
 *
 * Whatever is not in the picture changes nothing: providers tell late, twice, and out of order.
 */
import { isSameAmount } from './money.js'
import type { Money, Outcome, PaymentEvent, PaymentStatus, ProviderName } from './payment-provider.js'

/** A payment, as far as a verdict needs to know it. */
export interface Standing extends Money {
  readonly provider: ProviderName
  readonly status: PaymentStatus
  /** The charge that it was paid or paid back by. */
  readonly providerPaymentId: string | null
}

export interface Verdict {
  readonly outcome: Outcome
  /** What was not as expected. */
  readonly note: string | null
}

export function verdictOn(payment: Standing, event: PaymentEvent): Verdict {
  if (event.does === null) return is('ignored')
  // An operator may settle what any provider was to be asked for.
  if (event.provider !== 'manual' && event.provider !== payment.provider)
    return is('mismatch', `told by ${event.provider}, to be paid by ${payment.provider}`)
  return RULES[event.does](payment, event)
}

const is = (outcome: Outcome, note: string | null = null): Verdict => ({ outcome, note })

type Rule = (payment: Standing, event: PaymentEvent) => Verdict

const RULES: Readonly<Record<NonNullable<PaymentEvent['does']>, Rule>> = {
  complete(payment, event) {
    const other = isOtherCharge(payment, event)
    if (payment.status === 'completed')
      return other ? is('paid_twice', `charge ${event.providerPaymentId}`) : is('unchanged')
    if (payment.status === 'refunded' && !other) return is('unchanged')
    const wrong = wrongMoney(payment, event)
    return wrong === null ? is('completed') : is('mismatch', wrong)
  },

  fail: ({ status }) => is(status === 'pending' ? 'failed' : 'unchanged'),

  refund(payment, event) {
    if (payment.status === 'refunded' || isOtherCharge(payment, event)) return is('unchanged')
    // What is paid back in part is for an operator to judge.
    const wrong = wrongMoney(payment, event)
    return wrong === null ? is('refunded') : is('mismatch', wrong)
  },
}

const isOtherCharge = (payment: Standing, { providerPaymentId }: PaymentEvent): boolean =>
  providerPaymentId !== null &&
  payment.providerPaymentId !== null &&
  providerPaymentId !== payment.providerPaymentId

function wrongMoney({ amount, currency }: Money, { money }: PaymentEvent): string | null {
  if (money === null || (money.currency === currency && isSameAmount(money.amount, amount))) return null
  return `${money.amount} ${money.currency}, not ${amount} ${currency}`
}
