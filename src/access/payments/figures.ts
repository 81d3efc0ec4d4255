/** What payments tell on the metrics page. */
import type { Figure } from '../../telemetry/figure.js'
import {
  ALARMING_OUTCOMES,
  type Outcome,
  type PaymentStatus,
  type ProviderName,
  PROVIDERS,
} from './payment-provider.js'

/** Counts since the start. */
export class PaymentCounts {
  readonly #became = new Tally<'provider' | 'status'>()
  readonly #events = new Tally<'provider' | 'outcome'>()
  readonly #refused = new Tally<'provider' | 'reason'>()

  constructor() {
    // An alert sees the first one only if there was a zero before it.
    for (const provider of PROVIDERS)
      for (const outcome of ALARMING_OUTCOMES) this.#events.add({ provider, outcome }, 0)
  }

  /** A payment got this status. */
  became(provider: ProviderName, status: PaymentStatus): void {
    this.#became.add({ provider, status })
  }

  /** A provider, or an operator, told something for the first time. */
  event(provider: ProviderName, outcome: Outcome): void {
    this.#events.add({ provider, outcome })
  }

  /** A delivery was not taken; `reason` is the code of the fault. */
  refused(provider: ProviderName, reason: string): void {
    this.#refused.add({ provider, reason })
  }

  figures(): readonly Figure<void>[] {
    return [
      {
        name: 'boson_payments_total',
        help: 'Payments that became what: pending when they are asked for, and so on.',
        type: 'counter',
        read: () => this.#became.read(),
      },
      {
        name: 'boson_payment_events_total',
        help: 'What providers and operators told of payments, each event once, by what came of it. Somebody should look at mismatch, paid_twice and unknown_payment.',
        type: 'counter',
        read: () => this.#events.read(),
      },
      {
        name: 'boson_payment_webhooks_refused_total',
        help: 'Deliveries of providers that were not taken, by why, such as a signature that is wrong or too old.',
        type: 'counter',
        read: () => this.#refused.read(),
      },
    ]
  }
}

/** Counts by labels, of which there are few. */
class Tally<N extends string> {
  readonly #rows = new Map<string, { readonly labels: Record<N, string>; value: number }>()

  add(labels: Record<N, string>, count = 1): void {
    const key = Object.values(labels).join('\n')
    const row = this.#rows.get(key)
    if (row === undefined) this.#rows.set(key, { labels, value: count })
    else row.value += count
  }

  read() {
    return [...this.#rows.values()]
  }
}
