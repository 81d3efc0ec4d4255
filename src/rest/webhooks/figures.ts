/** What webhooks tell on the metrics page. */
import type { Figure } from '../../telemetry/figure.js'
import { Histogram } from '../../kit/histogram.js'
import type { DeliveryStatus } from './tables.js'

/** Counts since the start, and what waits now. */
export class DeliveryCounts {
  readonly attempts: Record<DeliveryStatus, number> = { delivered: 0, waiting: 0, failed: 0 }
  readonly seconds = new Histogram([10, 50, 100, 250, 500, 1_000, 2_500, 5_000])
  givenUp = 0
  /** Read from the database now and then. */
  waiting = 0

  /** Counts an attempt by what became of its delivery. */
  attempted(outcome: DeliveryStatus, durationMs: number): void {
    this.attempts[outcome]++
    if (outcome === 'failed') this.givenUp++
    this.seconds.observe(durationMs)
  }
}

export interface WebhookSources {
  readonly counts: DeliveryCounts
  /** Webhooks by how they are. */
  readonly webhooks: () => Readonly<Record<'active' | 'failing' | 'off', number>>
  /** Events that are in memory only. */
  readonly unwritten: () => number
  readonly damped: () => number
  /** Events that the database could not be given in time. */
  readonly lost: () => number
}

export const webhookFigures = ({
  counts,
  webhooks,
  unwritten,
  damped,
  lost,
}: WebhookSources): readonly Figure<void>[] => [
  {
    name: 'boson_webhooks',
    help: 'Webhooks by how they are: nothing has arrived at a failing one since it was tried last.',
    type: 'gauge',
    read: () => Object.entries(webhooks()).map(([state, value]) => ({ labels: { state }, value })),
  },
  {
    name: 'boson_webhook_attempts_total',
    help: 'Attempts to deliver an event, by what came of it: delivered, to be tried again, given up.',
    type: 'counter',
    read: () =>
      [
        ['delivered', counts.attempts.delivered] as const,
        ['retried', counts.attempts.waiting] as const,
        ['given_up', counts.attempts.failed] as const,
      ].map(([outcome, value]) => ({ labels: { outcome }, value })),
  },
  {
    name: 'boson_webhook_attempt_seconds',
    help: 'How long attempts took, from looking up the name to the answer.',
    type: 'histogram',
    scale: 0.001,
    read: () => counts.seconds,
  },
  {
    name: 'boson_webhook_deliveries_waiting',
    help: 'Deliveries that have not arrived yet and are tried again, as of the last minute.',
    type: 'gauge',
    read: () => counts.waiting,
  },
  {
    name: 'boson_webhook_deliveries_given_up_total',
    help: 'Deliveries that were tried for a day, or had too many before them.',
    type: 'counter',
    read: () => counts.givenUp,
  },
  {
    name: 'boson_webhook_events_unwritten',
    help: 'Events for webhooks that the database does not have yet.',
    type: 'gauge',
    read: unwritten,
  },
  {
    name: 'boson_webhook_events_damped_total',
    help: 'Events that no webhook was told, because they were undone at once or out of date.',
    type: 'counter',
    read: damped,
  },
  {
    name: 'boson_webhook_events_lost_total',
    help: 'Events that found no room while the database was away.',
    type: 'counter',
    read: lost,
  },
]
