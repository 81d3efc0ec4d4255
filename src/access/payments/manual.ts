/** Money that an operator sees come in: cash, or a transfer. An operator says so, and answers for it. */
import type { NextStep, Order, PaymentProvider } from './payment-provider.js'

export class ManualProvider implements PaymentProvider {
  readonly name = 'manual'
  readonly lacks = null

  next({ paymentId, amount, currency }: Order): NextStep {
    return {
      text: `Pay ${amount} ${currency} to whoever runs this, naming payment ${paymentId}. Once it is there, it is confirmed by hand.`,
      url: null,
      invoice: null,
    }
  }
}
