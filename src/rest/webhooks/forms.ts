/** How webhooks and their deliveries look over HTTP. */
import { z } from 'zod'
import { moment, oneOf } from '../../http/fields.js'
import { deliveryId } from './courier.js'
import type { StoredDelivery } from './delivery-log.js'
import { EVENT_TYPES } from './events.js'
import type { Webhook } from './subscriptions.js'

export const WebhookForm = z
  .object({
    id: z.string().meta({ example: 'wh_3f9a0c51d2e4b687' }),
    url: z.string(),
    events: z.array(oneOf(...EVENT_TYPES)),
    description: z.string(),
    active: z.boolean(),
    createdAt: moment,
    changedAt: moment,
    oldSecretUntil: moment.nullable().meta({ description: 'Until when the secret before is good as well.' }),
    failingSince: moment.nullable().meta({ description: 'Since when nothing has arrived.' }),
    disabledBecause: z
      .string()
      .nullable()
      .meta({ description: 'Why the coordinator switched it off by itself.' }),
  })
  .meta({ id: 'Webhook' })

export const webhookForm = (webhook: Webhook): z.input<typeof WebhookForm> => ({
  id: webhook.id,
  url: webhook.url,
  events: [...webhook.events],
  description: webhook.description,
  active: webhook.active,
  createdAt: iso(webhook.createdAtMs),
  changedAt: iso(webhook.changedAtMs),
  oldSecretUntil: isoOrNull(webhook.oldSecretUntilMs),
  failingSince: isoOrNull(webhook.failingSinceMs),
  disabledBecause: webhook.disabledBecause,
})

export const DELIVERY_STATUSES = ['waiting', 'delivered', 'failed'] as const

export const DeliveryForm = z
  .object({
    id: z.string().meta({ example: 'dlv_0000000042' }),
    eventId: z.string().meta({ description: 'The same in every attempt and redelivery of an event.' }),
    type: z.string().meta({ example: 'node.offline' }),
    subject: z.string().meta({ example: 'node:fra-1' }),
    generation: z.int().nullable(),
    status: oneOf(...DELIVERY_STATUSES),
    attempts: z.int(),
    redelivery: z.boolean().meta({ description: 'An operator has asked for it.' }),
    responseStatus: z.int().nullable().meta({ description: 'What the receiver answered last.' }),
    error: z.string().nullable().meta({ description: 'Why the last attempt did not do.' }),
    durationMs: z.number().nullable().meta({ description: 'How long the last attempt took.' }),
    createdAt: moment,
    nextAttemptAt: moment.nullable(),
    finishedAt: moment.nullable(),
  })
  .meta({ id: 'WebhookDelivery' })

export const deliveryForm = (delivery: StoredDelivery): z.input<typeof DeliveryForm> => ({
  id: deliveryId(delivery.seq),
  eventId: delivery.event.id,
  type: delivery.event.type,
  subject: delivery.event.subject,
  generation: delivery.event.generation,
  status: delivery.status,
  attempts: delivery.attempts,
  redelivery: delivery.redelivery,
  responseStatus: delivery.responseStatus,
  error: delivery.error,
  durationMs: delivery.durationMs,
  createdAt: iso(delivery.createdAtMs),
  nextAttemptAt: delivery.status === 'waiting' ? iso(delivery.dueAtMs) : null,
  finishedAt: isoOrNull(delivery.finishedAtMs),
})

const iso = (ms: number): string => new Date(ms).toISOString()
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms))
