/** The log of deliveries over HTTP, and what may be sent once more. */
import { z } from 'zod'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict, notFound } from '../../http/faults.js'
import { oneOf } from '../../http/fields.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { StoredDelivery } from './delivery-log.js'
import { EVENT_TYPES, TEST_EVENT } from './events.js'
import { DELIVERY_STATUSES, DeliveryForm, deliveryForm } from './forms.js'
import type { EndpointParts } from './webhook-endpoints.js'

const DELIVERY = /^dlv_(\d{1,15})$/

const params = z.object({
  id: z.string(),
  delivery: z
    .string()
    .regex(DELIVERY, { error: 'wanted the id of a delivery, such as dlv_0000000042' })
    .transform(text => Number(text.slice('dlv_'.length))),
})

const tag = 'webhooks'
const access = 'operator'

export function deliveryEndpoints(parts: EndpointParts): readonly Endpoint[] {
  const { clock, subscriptions, log, wake, audit } = parts
  const checkWebhook = (id: string) => {
    if (subscriptions.of(id) === undefined) throw notFound('there is no such webhook')
  }
  const found = async ({ id, delivery }: z.output<typeof params>): Promise<StoredDelivery> => {
    checkWebhook(id)
    const stored = await log.find(id, delivery)
    if (stored === null) throw notFound('there is no such delivery: they are kept for a week')
    return stored
  }
  return [
    endpoint({
      method: 'GET',
      path: '/api/v1/webhooks/{id}/deliveries',
      access,
      tag,
      summary: 'Lists what was sent to a webhook, the newest first',
      description: 'Of the newest 10,000 of a week.',
      params: z.object({ id: z.string() }),
      query: z.object({
        ...listQuery('createdAt', 'durationMs', 'attempts'),
        status: oneOf(...DELIVERY_STATUSES).optional(),
        type: oneOf(...EVENT_TYPES, TEST_EVENT).optional(),
        subject: z.string().max(256).optional().meta({ example: 'node:fra-1' }),
      }),
      replies: {
        200: { description: 'A page of deliveries.', schema: listReply('deliveries', DeliveryForm) },
      },
      async handle({ params: { id }, query }) {
        checkWebhook(id)
        const rows = (await log.list(id, query)).map(deliveryForm)
        const page = listed(
          'deliveries',
          rows,
          { ...query, sort: query.sort ?? '-createdAt' },
          row => row.id,
          (row, field) => row[field as 'createdAt' | 'durationMs' | 'attempts'], // the names above
        )
        return json(page)
      },
    }),
    endpoint({
      method: 'GET',
      path: '/api/v1/webhooks/{id}/deliveries/{delivery}',
      access,
      tag,
      summary: 'Tells of one delivery, with what its event says',
      params,
      replies: {
        200: {
          description: 'The delivery.',
          schema: DeliveryForm.extend({ data: z.record(z.string(), z.unknown()) }),
        },
      },
      async handle({ params: which }) {
        const delivery = await found(which)
        return json({ ...deliveryForm(delivery), data: delivery.event.data })
      },
    }),
    endpoint({
      method: 'POST',
      path: '/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver',
      access,
      tag,
      summary: 'Sends an event once more, with the same id',
      description: 'Not when something newer of its subject has arrived, unless `outOfOrder` says so.',
      params,
      body: z.strictObject({ outOfOrder: z.boolean({ error: 'wanted true or false' }).default(false) }),
      replies: { 202: { description: 'The new delivery.', schema: DeliveryForm } },
      faults: [409],
      async handle({ params: which, body, caller }) {
        const { webhookId, event } = await found(which)
        const newest = await log.newestDelivered(webhookId, event.subject)
        if (!body.outOfOrder && newest !== null && event.generation !== null && newest > event.generation)
          throw conflict(
            `generation ${newest} of ${event.subject} has arrived: this is of ${event.generation}`,
          )
        const delivery = await log.add(webhookId, event, clock.wallMs())
        const detail = { eventId: event.id, type: event.type, subject: event.subject }
        audit({ kind: 'webhook.redelivered', actor: nameOf(caller), subject: webhookId, detail })
        wake()
        return json(deliveryForm(delivery), 202)
      },
    }),
  ]
}
