/** What is told of entitlements on the metrics page. */
import type { Figure } from '../../telemetry/figure.js'
import type { EntitlementBook } from './entitlement-book.js'
import { ENTITLEMENT_STATES } from './states.js'

export const entitlementFigures = (book: EntitlementBook): readonly Figure<void>[] => [
  {
    name: 'boson_entitlements',
    help: 'Accounts that have or had a tariff or a peer, by what they are entitled to now.',
    type: 'gauge',
    read: () => ENTITLEMENT_STATES.map(state => ({ labels: { state }, value: book.counts.get(state) ?? 0 })),
  },
  {
    name: 'boson_charged_bytes_total',
    help: 'Bytes of both ways that were charged to accounts.',
    type: 'counter',
    read: () => book.chargedBytes,
  },
  {
    name: 'boson_charges_waiting',
    help: 'Paths and peers whose newest bytes wait to be written. They count already.',
    type: 'gauge',
    read: () => book.unsaved,
  },
  {
    name: 'boson_charges_behind_seconds',
    help: 'How long bytes that count already have been waiting to be written; 0 while none wait.',
    type: 'gauge',
    read: () => book.behindMs / 1_000,
  },
]
