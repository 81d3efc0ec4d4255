/** The mail that says what was paid for, and until when. */
import type { Mail } from '../mail/mailer.js'
import type { PaymentRow } from './payments.js'

export interface Receipt {
  readonly to: string
  /** What was bought. */
  readonly tariff: string
  readonly payment: Pick<PaymentRow, 'payment_id' | 'amount' | 'currency'>
  /** ms since 1970 UTC. */
  readonly endsAtMs: number
}

export const receipt = ({ to, tariff, payment, endsAtMs }: Receipt): Mail => ({
  to,
  subject: `Your payment ${payment.payment_id} has arrived`,
  text: `${payment.amount} ${payment.currency} for ${tariff}. You can use it until ${minutes(endsAtMs)} UTC.\n\nThere is nothing else to do: devices that are set up go on, or come back, by themselves.\n`,
})

const minutes = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
