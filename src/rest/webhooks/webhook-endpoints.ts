/** Webhooks over HTTP: made, listed, changed, given another secret, tried out and deleted. */
import { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, conflict, notFound } from '../../http/faults.js'
import { oneOf, whole } from '../../http/fields.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { empty, json } from '../../http/reply.js'
import type { DeliveryLog } from './delivery-log.js'
import type { Destinations } from '../../http/destination.js'
import { EVENT_TYPES, type MeshEvent, TEST_EVENT, USUAL_EVENTS } from './events.js'
import { DeliveryForm, deliveryForm, WebhookForm, webhookForm } from './forms.js'
import type { Subscriptions, Webhook } from './subscriptions.js'

export interface EndpointParts {
  readonly clock: PluginHost['clock']
  readonly subscriptions: Subscriptions
  readonly log: DeliveryLog
  readonly destinations: Destinations
  readonly newEventId: () => string
  /** There is something to deliver. */
  readonly wake: () => void
  readonly audit: PluginHost['audit']
}

/** Each is called with every event that it wants. */
const WEBHOOKS_MAX = 64
/** A secret that was rotated away is good for a day, unless somebody says otherwise, s; a week at most. */
const GRACE_S = 86_400
const GRACE_MAX_S = 604_800

const url = z
  .string({ error: 'wanted a URL' })
  .max(2_048, { error: 'wanted at most 2048 characters' })
  .meta({ example: 'https://example.org/boson' })
const events = z
  .array(oneOf(...EVENT_TYPES), { error: 'wanted a list of events' })
  .min(1, { error: 'wanted at least one event' })
  .max(EVENT_TYPES.length)
  .refine(list => new Set(list).size === list.length, { error: 'wanted each event once' })
const description = z.string({ error: 'wanted text' }).max(256, { error: 'wanted at most 256 characters' })
const active = z.boolean({ error: 'wanted true or false' })

const Wish = z.strictObject({
  url,
  events: events.default([...USUAL_EVENTS]),
  description: description.default(''),
  active: active.default(true),
})
const Change = z
  .strictObject({ url, events, description, active })
  .partial()
  .refine(change => Object.keys(change).length > 0, { error: 'wanted at least one field to change' })

const secret = z.string().meta({
  description: 'Keys the signature. Shown now and never again.',
  example: 'whsec_q0gWm8S3…',
})
const WITH_SECRET = z.object({ webhook: WebhookForm, secret })
const tag = 'webhooks'
const access = 'operator'
const oneWebhook = { 200: { description: 'The webhook.', schema: WebhookForm } }

export function webhookEndpoints(parts: EndpointParts): readonly Endpoint[] {
  const { clock, subscriptions, log, destinations, newEventId, wake, audit } = parts
  const found = (webhook: Webhook | null | undefined): Webhook => {
    if (webhook === null || webhook === undefined) throw notFound('there is no such webhook')
    return webhook
  }
  const checkUrl = (text: string) => {
    const complaint = destinations.complaint(text)
    if (complaint !== null) throw badRequest(`url: ${complaint}`, [{ at: 'url', message: complaint }])
  }
  return [
    endpoint({
      method: 'POST',
      path: '/api/v1/webhooks',
      access,
      tag,
      summary: 'Makes a webhook',
      description: `Each event is sent as JSON \`{id, type, at, server, subject, generation, data}\` by POST, signed with
the secret of the answer: \`Boson-Signature: t=<seconds>,v1=<hex>\`, where \`v1\` is HMAC-SHA256 over \`<t>.<body>\`, keyed
by the secret as it is shown. Any 2xx is an arrival; anything else is tried again for a day, ever more rarely. An event
may come twice, with the same \`Boson-Event-Id\`. Events of one subject come in order.`,
      body: Wish,
      replies: { 201: { description: 'The webhook and its secret.', schema: WITH_SECRET } },
      faults: [409],
      async handle({ body, caller }) {
        checkUrl(body.url)
        if (subscriptions.size >= WEBHOOKS_MAX) throw conflict(`there are ${WEBHOOKS_MAX} webhooks already`)
        const made = await subscriptions.create(body)
        const { id } = made.webhook
        audit({ kind: 'webhook.created', actor: nameOf(caller), subject: id, detail: toldOf(body) })
        return json({ webhook: webhookForm(made.webhook), secret: made.secret }, 201)
      },
    }),
    endpoint({
      method: 'GET',
      path: '/api/v1/webhooks',
      access,
      tag,
      summary: 'Lists webhooks',
      query: z.object({
        ...listQuery('id', 'url', 'createdAt'),
        active: active.optional().meta({ description: 'Only those that are called, or are not.' }),
      }),
      replies: { 200: { description: 'A page of webhooks.', schema: listReply('webhooks', WebhookForm) } },
      handle({ query }) {
        const rows = subscriptions
          .all()
          .filter(webhook => query.active === undefined || webhook.active === query.active)
          .map(webhookForm)
        const page = listed(
          'webhooks',
          rows,
          query,
          row => row.id,
          (row, field) => row[field as 'id' | 'url' | 'createdAt'], // the names above
        )
        return json(page)
      },
    }),
    endpoint({
      method: 'GET',
      path: '/api/v1/webhooks/{id}',
      access,
      tag,
      summary: 'Tells of one webhook',
      replies: oneWebhook,
      handle: ({ params }) => json(webhookForm(found(subscriptions.of(idOf(params))))),
    }),
    endpoint({
      method: 'PATCH',
      path: '/api/v1/webhooks/{id}',
      access,
      tag,
      summary: 'Changes the fields given',
      description: 'Switching a webhook on again forgets its failures; what still waits is sent then.',
      body: Change,
      replies: oneWebhook,
      async handle({ params, body, caller }) {
        if (body.url !== undefined) checkUrl(body.url)
        const wish = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
        const webhook = found(await subscriptions.change(idOf(params), wish))
        audit({ kind: 'webhook.changed', actor: nameOf(caller), subject: webhook.id, detail: toldOf(body) })
        return json(webhookForm(webhook))
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/api/v1/webhooks/{id}',
      access,
      tag,
      summary: 'Deletes a webhook, with what waits for it',
      replies: { 204: { description: 'It is gone.' } },
      async handle({ params, caller }) {
        const id = idOf(params)
        if (!(await subscriptions.delete(id))) throw notFound('there is no such webhook')
        audit({ kind: 'webhook.deleted', actor: nameOf(caller), subject: id, detail: {} })
        return empty()
      },
    }),
    endpoint({
      method: 'POST',
      path: '/api/v1/webhooks/{id}/rotate',
      access,
      tag,
      summary: 'Gives a webhook another secret',
      description: 'Until the old secret is over, events bear a signature of each.',
      body: z.strictObject({
        graceS: whole(0, GRACE_MAX_S)
          .default(GRACE_S)
          .meta({ description: 'How long the old secret is good as well, s.' }),
      }),
      replies: { 200: { description: 'The webhook and its new secret.', schema: WITH_SECRET } },
      async handle({ params, body, caller }) {
        const rotated = await subscriptions.rotate(idOf(params), body.graceS * 1_000)
        const webhook = found(rotated?.webhook)
        const detail = { graceS: body.graceS }
        audit({ kind: 'webhook.rotated', actor: nameOf(caller), subject: webhook.id, detail })
        return json({ webhook: webhookForm(webhook), secret: rotated?.secret })
      },
    }),
    endpoint({
      method: 'POST',
      path: '/api/v1/webhooks/{id}/test',
      access,
      tag,
      summary: 'Sends an event that means nothing',
      description: `Its type is \`${TEST_EVENT}\`. What came of it is in the deliveries.`,
      replies: { 202: { description: 'Its delivery.', schema: DeliveryForm } },
      faults: [409],
      async handle({ params, caller }) {
        const webhook = found(subscriptions.of(idOf(params)))
        if (!webhook.active) throw conflict('the webhook is switched off')
        const event: MeshEvent = {
          id: newEventId(),
          type: TEST_EVENT,
          subject: `webhook:${webhook.id}`,
          generation: null,
          atMs: clock.wallMs(),
          data: { askedBy: nameOf(caller) },
        }
        const delivery = await log.add(webhook.id, event, clock.wallMs())
        wake()
        return json(deliveryForm(delivery), 202)
      },
    }),
  ]
}

const idOf = (params: Readonly<Record<string, unknown>>): string => String(params['id'])

/** For the audit: an address may hold a key of the receiver's, so only its host is told. */
const toldOf = ({ url: text, ...rest }: z.output<typeof Change>) => ({
  ...rest,
  ...(text !== undefined && { host: new URL(text).host }),
})
