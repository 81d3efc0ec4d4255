/**
 * Webhooks: the plug-in that calls others when something happens.
 *
 *   fact → event → damper → outbox ═ database ═ courier → receiver
 *                  calms    durable             signs, retries
 */
import type { MeshApi } from '../../actors/ports.js'
import type { Plugin, PluginHost } from '../../app/plugin.js'
import { every } from '../../kit/clock.js'
import { Couriers } from './couriers.js'
import { Deliveries } from './deliveries.js'
import { deliveryEndpoints } from './delivery-endpoints.js'
import { DeliveryLog } from './delivery-log.js'
import { Destinations, type LookUp } from '../../http/destination.js'
import { DeliveryCounts, webhookFigures } from './figures.js'
import { MIGRATIONS } from './migrations.js'
import { Subscriptions } from './subscriptions.js'
import type { WebhookTables } from './tables.js'
import { TIMING, type WebhookTiming } from './timing.js'
import { webhookEndpoints } from './webhook-endpoints.js'
import { Witness } from './witness.js'

export interface WebhooksOptions {
  readonly timing?: Partial<WebhookTiming>
  readonly lookUp?: LookUp
}

/** Returns the plug-in; its timing and its look-ups may be others in a test. */
export const webhooksPlugin = (options: WebhooksOptions = {}): Plugin => ({
  name: 'webhooks',
  migrations: MIGRATIONS,
  start: (mesh, host) => start(mesh, host, options),
})

export const webhooks: Plugin = webhooksPlugin()

async function start(mesh: MeshApi, host: PluginHost, options: WebhooksOptions): ReturnType<Plugin['start']> {
  const { clock, random, log, config, vault } = host
  const timing: WebhookTiming = { ...TIMING, ...options.timing }
  const room = await host.room<WebhookTables>()
  const subscriptions = new Subscriptions({ room, clock, random, vault })
  const deliveries = new Deliveries(room)
  const counts = new DeliveryCounts()
  const destinations = new Destinations({
    allowed: config.webhookNetworks,
    denied: [config.overlay4, config.overlay6],
    setting: 'BOSON_WEBHOOK_NETWORKS',
    ...(options.lookUp && { lookUp: options.lookUp }),
  })
  const newEventId = () => `evt_${Buffer.from(random.bytes(16)).toString('hex')}`
  const audit: PluginHost['audit'] = event => host.audit(event)
  const warn = (fields: object, message: string) => log.warn(fields, message)
  const couriers = new Couriers({
    clock,
    random,
    serverId: mesh.serverId,
    deliveries,
    subscriptions,
    destinations,
    timing,
    counts,
    disableAfterDays: config.webhookDisableAfterDays,
    audit,
    warn,
    debug: (fields, message) => log.debug(fields, message),
  })
  const wake = () => couriers.wake()
  const witness = new Witness({
    mesh,
    room,
    clock,
    holdMs: config.webhookHoldMs,
    wants: type => subscriptions.wants(type),
    newEventId,
    written: wake,
    warn,
  })

  const tidy = async () => {
    try {
      counts.givenUp += await deliveries.prune(timing, clock.wallMs())
      counts.waiting = await deliveries.waiting()
    } catch (error) {
      log.debug({ err: error }, 'deliveries could not be cleared out')
    }
  }

  await subscriptions.load()
  await witness.start()
  couriers.follow()
  subscriptions.onChange(() => {
    witness.follow()
    couriers.follow()
  })
  let tidying = tidy()
  const stopTidying = every(clock, timing.tidyEveryMs, () => {
    tidying = tidying.then(tidy)
  })

  const parts = {
    clock,
    subscriptions,
    log: new DeliveryLog(room),
    destinations,
    newEventId,
    wake,
    audit,
  }
  return {
    routes: [...webhookEndpoints(parts), ...deliveryEndpoints(parts)],
    figures: webhookFigures({
      counts,
      webhooks: () => subscriptions.standing(),
      unwritten: () => witness.unwritten,
      damped: () => witness.damped,
      lost: () => witness.lost,
    }),
    async stop() {
      stopTidying()
      await witness.stop()
      await couriers.stop()
      await tidying
    },
  }
}
