/** Payments, from asking for one to what was paid for. */
import { every } from '../../kit/clock.js'
import type { Ground, Part } from '../part.js'
import type { People } from '../people.js'
import type { Entitlements, Peers, Subscriptions } from '../ports.js'
import { createEndpoint } from './create-endpoint.js'
import { PaymentCounts } from './figures.js'
import { GenericProvider } from './generic.js'
import { handEndpoints } from './hand-endpoints.js'
import { ManualProvider } from './manual.js'
import { OrderDesk } from './order-desk.js'
import { paymentEndpoints } from './payment-endpoints.js'
import { Payments } from './payments.js'
import { Providers } from './providers.js'
import { Settlement } from './settlement.js'
import { TelegramProvider } from './telegram.js'
import { TIMING } from './timing.js'
import { webhookEndpoints } from './webhook-endpoints.js'

/** What payments need of the other parts. */
interface Others {
  readonly people: Pick<People, 'accounts' | 'outbox' | 'wakeMail'>
  readonly subscriptions: Pick<Subscriptions, 'grant' | 'withdraw'>
  readonly entitlements: Pick<Entitlements, 'changed'>
  readonly peers: Peers
}

export function startPayments(
  { host, room }: Ground,
  { people, subscriptions, entitlements, peers }: Others,
): Part {
  const { clock, log, config } = host
  const audit: typeof host.audit = event => host.audit(event)
  const counts = new PaymentCounts()
  const payments = new Payments({ room, clock })
  const desk = new OrderDesk({ room, clock, lifeMs: config.paymentLifeMs })
  const providers = new Providers([
    new TelegramProvider({
      bot: config.telegramBot,
      secrets: given(config.telegramSecret, config.telegramOldSecret),
      providerToken: config.telegramProviderToken,
      keys: host.signingKeys('payments by telegram'),
    }),
    new GenericProvider({
      clock,
      secrets: given(config.paymentWebhookSecret, config.paymentWebhookOldSecret),
      url: config.paymentUrl,
    }),
    new ManualProvider(),
  ])
  const settlement = new Settlement({
    clock,
    log,
    room,
    subscriptions,
    peers,
    outbox: people.outbox,
    audit,
    counts,
    settled(accountId) {
      entitlements.changed(accountId)
      peers.wake()
      people.wakeMail()
    },
  })

  let busy = Promise.resolve()
  const inTurn = (work: () => Promise<void>) => () => {
    busy = busy.then(work).catch(error => log.debug({ err: error }, 'payments could not be looked after'))
  }
  const expire = inTurn(async () => {
    for (const { payment_id, provider } of await payments.expire()) {
      counts.became(provider, 'expired')
      audit({ kind: 'payment.expired', actor: 'boson', subject: `payment ${payment_id}`, detail: {} })
    }
  })
  const stops = [
    every(clock, TIMING.expireEveryMs, expire),
    every(
      clock,
      TIMING.tidyEveryMs,
      inTurn(() => payments.tidy()),
    ),
  ]
  return {
    routes: [
      createEndpoint({ accounts: people.accounts, desk, payments, providers, counts, audit }),
      ...paymentEndpoints({ payments, providers }),
      ...handEndpoints({ payments, providers, settlement }),
      ...webhookEndpoints({ providers, payments, settlement, counts, log }),
    ],
    figures: counts.figures(),
    async stop() {
      for (const stop of stops) stop()
      await busy
    },
  }
}

const given = (...secrets: readonly (string | null)[]): readonly string[] =>
  secrets.filter(secret => secret !== null)
