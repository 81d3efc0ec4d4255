/**
 * Who takes the money. A provider says what the payer does next, and understands what is delivered from outside; what
 * it makes of that is an event, and what becomes of an event is the same for all of them (settlement.ts).
 */
import type { Amount } from '../ports.js'

export const PROVIDERS = ['generic', 'telegram', 'manual'] as const
export type ProviderName = (typeof PROVIDERS)[number]

export interface PaymentProvider {
  readonly name: ProviderName
  /** Which setting it lacks to be used here; null: none. */
  readonly lacks: string | null
  /** Returns what the payer does next; throws a 409 when this money cannot be asked for here. */
  next(order: Order): NextStep
  /** Resolves with the answer to what was delivered; rejects with a 400 when it is not the provider's. Absent: nobody delivers. */
  receive?(delivery: Delivery, desk: Desk): Promise<object>
}

/** What is to be paid for. */
export interface Order {
  readonly paymentId: number
  readonly amount: Amount
  readonly currency: string
  /** What is bought. */
  readonly tariff: string
  readonly days: number
}

export interface NextStep {
  readonly text: string
  /** Where to go; null: nowhere. */
  readonly url: string | null
  /** For a bot: what its `sendInvoice` takes, but for the chat and the token of the bank. */
  readonly invoice: Invoice | null
}

export interface Invoice {
  readonly title: string
  readonly description: string
  readonly payload: string
  readonly currency: string
  readonly prices: readonly { readonly label: string; readonly amount: number }[]
}

export interface Delivery {
  /** As it came: signatures are over bytes. */
  readonly body: Uint8Array
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
}

/** What a provider may ask and have done here. */
export interface Desk {
  /** Resolves with what came of an event, once that is durable; told again, with the same. */
  settle(event: PaymentEvent): Promise<{ readonly outcome: Outcome }>
  /** Resolves with an order and how it stands; null: there is none by this provider. */
  order(paymentId: number): Promise<(Order & { readonly status: PaymentStatus }) | null>
}

export type PaymentStatus = 'pending' | 'completed' | 'failed' | 'expired' | 'refunded'

/** What a provider tells of a payment. */
export interface PaymentEvent {
  readonly provider: ProviderName
  /** Unique with this provider: what comes again is the same event. */
  readonly eventId: string
  /** As the provider calls it. */
  readonly kind: string
  /** null: nothing that concerns us. */
  readonly does: 'complete' | 'fail' | 'refund' | null
  /** Ours; null: the provider names only its own. */
  readonly paymentId: number | null
  /** The provider's own: of one charge. */
  readonly providerPaymentId: string | null
  /** null: whoever tells answers for it. */
  readonly money: Money | null
}

export interface Money {
  readonly amount: Amount
  readonly currency: string
}

/** Somebody should look at these: there is money that is not where it should be. */
export const ALARMING_OUTCOMES = [
  /** Other money than was asked for, or another's charge. */
  'mismatch',
  /** A second charge for what is paid. */
  'paid_twice',
  'unknown_payment',
] as const

export const OUTCOMES = [
  'completed',
  'failed',
  'refunded',
  /** It was so already, or something newer is. */
  'unchanged',
  ...ALARMING_OUTCOMES,
  /** Of a kind that does nothing here. */
  'ignored',
] as const
export type Outcome = (typeof OUTCOMES)[number]
