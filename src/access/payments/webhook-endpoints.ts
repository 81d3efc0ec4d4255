/**
 * `/payments/webhook`: what providers deliver. Who it is shows only by the signature over the raw body; nothing is read,
 * and nothing is asked of the database, before that is right.
 */
import { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { HttpError } from '../../http/faults.js'
import { asHttpError, json, type Reply } from '../../http/reply.js'
import type { PaymentCounts } from './figures.js'
import { GenericEvent } from './generic.js'
import { type Delivery, OUTCOMES, type ProviderName } from './payment-provider.js'
import type { Payments } from './payments.js'
import type { Providers } from './providers.js'
import type { Settlement } from './settlement.js'
import { TELEGRAM_HEADER, TelegramUpdate } from './telegram.js'

export interface WebhookParts {
  readonly providers: Providers
  readonly payments: Pick<Payments, 'order'>
  readonly settlement: Pick<Settlement, 'settle'>
  readonly counts: PaymentCounts
  readonly log: PluginHost['log']
}

/** More than any provider sends, bytes. */
const BODY_MAX = 64 * 1024

const Received = z.object({
  received: z.literal(true),
  outcome: z.enum(OUTCOMES).meta({ description: 'The same for every repetition of an event.' }),
})
const BotCall = z
  .looseObject({ method: z.string().optional() })
  .meta({ description: 'What the bot is to do, as Telegram takes it in the answer to an update.' })

const common = {
  method: 'POST',
  access: 'open',
  tag: 'payments',
  bodyMax: BODY_MAX,
  faults: [404],
} as const

export function webhookEndpoints(parts: WebhookParts): readonly Endpoint[] {
  return [
    endpoint({
      ...common,
      path: '/payments/webhook',
      summary: 'Takes what a provider, or the Telegram bot, tells of payments',
      description:
        'Signed by the header `X-Boson-Signature`; what has `X-Telegram-Bot-Api-Secret-Token` instead is Telegram’s. Answered once it is durable; a 5xx is to be delivered again.',
      rawBody: z.union([GenericEvent, TelegramUpdate]),
      replies: { 200: { description: 'It is done, or was before.', schema: z.union([Received, BotCall]) } },
      handle: ({ rawBody: body, headers }) =>
        received(parts, headers.has(TELEGRAM_HEADER) ? 'telegram' : 'generic', { body, headers }),
    }),
    endpoint({
      ...common,
      path: '/payments/webhook/generic',
      summary: 'Takes what a provider tells of payments',
      description: 'Signed by the header `X-Boson-Signature`.',
      rawBody: GenericEvent,
      replies: { 200: { description: 'It is done, or was before.', schema: Received } },
      handle: ({ rawBody: body, headers }) => received(parts, 'generic', { body, headers }),
    }),
    endpoint({
      ...common,
      path: '/payments/webhook/telegram',
      summary: 'Takes the updates of the Telegram bot',
      description: 'With the header `X-Telegram-Bot-Api-Secret-Token`, as `setWebhook` was given it.',
      rawBody: TelegramUpdate,
      replies: { 200: { description: 'It is done, or was before.', schema: BotCall } },
      handle: ({ rawBody: body, headers }) => received(parts, 'telegram', { body, headers }),
    }),
  ]
}

async function received(
  { providers, payments, settlement, counts, log }: WebhookParts,
  name: ProviderName,
  delivery: Delivery,
): Promise<Reply> {
  const provider = providers.all.find(each => each.name === name)
  try {
    if (provider?.receive === undefined || provider.lacks !== null)
      throw new HttpError(404, 'provider_off', `${name} is not set up here: ${provider?.lacks} is not set`)
    const answer = await provider.receive(delivery, {
      settle: event => settlement.settle(event),
      order: paymentId => payments.order(paymentId, name),
    })
    return json(answer)
  } catch (error) {
    const { code } = asHttpError(error)
    counts.refused(name, code)
    log.debug({ provider: name, code }, 'a delivery of a payment provider was refused')
    throw error
  }
}
