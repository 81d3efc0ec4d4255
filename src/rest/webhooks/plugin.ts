/**
 * Webhooks: the plug-in that calls others when something happens.
 *
 *   fact → event → damper → outbox ═ database ═ courier → receiver
 *                  calms    durable             signs, retries
 */
import type { Fact, MeshApi, Role } from '../../actors/ports.js'
import type { Plugin, PluginHost } from '../../app/plugin.js'
import { every } from '../../kit/clock.js'
import { Courier, type CourierOptions } from './courier.js'
import { Damper } from './damper.js'
import { Deliveries } from './deliveries.js'
import { deliveryEndpoints } from './delivery-endpoints.js'
import { Destinations, type LookUp } from './destination.js'
import { eventOf, type MeshEvent, PRESENCES, presenceOf } from './events.js'
import { DeliveryCounts, webhookFigures } from './figures.js'
import { MIGRATIONS } from './migrations.js'
import { Outbox } from './outbox.js'
import { Subscriptions } from './subscriptions.js'
import type { WebhookTables } from './tables.js'
import { TIMING, type WebhookTiming } from './timing.js'
import { Told } from './told.js'
import { webhookEndpoints } from './webhook-endpoints.js'

export interface WebhooksOptions {
  readonly timing?: Partial<WebhookTiming>
  readonly lookUp?: LookUp
}

/** Returns the plug-in; its timing and its look-ups may be others in a test. */
export const webhooksPlugin = (options: WebhooksOptions = {}): Plugin => ({
  name: 'webhooks',
  start: (mesh, host) => start(mesh, host, options),
})

export const webhooks: Plugin = webhooksPlugin()

const ROLES: readonly Role[] = ['node', 'client']

async function start(mesh: MeshApi, host: PluginHost, options: WebhooksOptions): ReturnType<Plugin['start']> {
  const { clock, random, log, config, vault } = host
  const timing: WebhookTiming = { ...TIMING, ...options.timing }
  const room = await host.room<WebhookTables>('webhooks', MIGRATIONS)
  const subscriptions = new Subscriptions({ room, clock, random, vault })
  const deliveries = new Deliveries(room)
  const destinations = new Destinations({
    allowed: config.webhookNetworks,
    denied: [config.overlay4, config.overlay6],
    ...(options.lookUp && { lookUp: options.lookUp }),
  })
  const counts = new DeliveryCounts()
  const told = new Told()
  /** Those of whom something was lost on its way to the database. */
  const missed = new Set<string>()
  const newEventId = () => `evt_${Buffer.from(random.bytes(16)).toString('hex')}`

  const outbox = new Outbox({
    room,
    clock,
    told,
    written: () => wake(),
    lost: event => {
      counts.lost++
      if (presenceOf(event) === null) return
      told.forget(event.subject)
      missed.add(event.subject)
    },
    recovered: () => {
      for (const subject of missed) stand(subject)
      missed.clear()
    },
    warn: (fields, message) => log.warn(fields, message),
  })
  const damper = new Damper({ clock, holdMs: config.webhookHoldMs, told, pass: event => outbox.put(event) })

  const couriers = new Map<string, Courier>()
  const courierOptions: CourierOptions = {
    clock,
    random,
    serverId: mesh.serverId,
    deliveries,
    subscriptions,
    destinations,
    timing,
    counts,
    failed: (id, sinceMs) => disableAfter(id, sinceMs),
    debug: (fields, message) => log.debug(fields, message),
  }
  const wake = () => {
    for (const courier of couriers.values()) courier.wake()
  }

  /** Those who are called have changed. */
  const changed = () => {
    for (const [id, courier] of couriers) {
      if (subscriptions.of(id)?.active === true) continue
      couriers.delete(id)
      void courier.stop()
    }
    for (const { id, active } of subscriptions.all())
      if (active && !couriers.has(id)) couriers.set(id, new Courier(id, courierOptions))
    follow()
    wake()
  }

  const wanted = () => ROLES.filter(role => PRESENCES.some(each => subscriptions.wants(`${role}.${each}`)))
  /** Of these it is followed who is here, for as long as somebody wants to know. */
  let followed: readonly Role[] = []
  const follow = () => {
    const before = followed
    followed = wanted()
    if (before.length === followed.length && before.every(role => followed.includes(role))) return
    told.begin(mesh, followed)
    outbox.write()
  }

  /** Tells where someone stands who is known, when that is not what was told last. */
  const stand = (subject: string) => {
    const id = subject.slice(subject.indexOf(':') + 1)
    const identity = mesh.identity(id)
    const isHere = identity?.state === 'online' || identity?.state === 'lapsed'
    // A session that waits for its socket is neither here nor gone.
    if (identity === null || (!isHere && identity.state !== null)) return
    const { role, generation } = identity
    const event: MeshEvent = {
      id: newEventId(),
      type: `${role}.${isHere ? 'online' : 'offline'}`,
      subject,
      generation,
      atMs: clock.wallMs(),
      data: { [`${role}Id`]: id, sessionId: null },
    }
    damper.take(event)
  }

  const disableAfter = (id: string, sinceMs: number) => {
    const days = config.webhookDisableAfterDays
    if (clock.wallMs() - sinceMs < days * DAY_MS || subscriptions.of(id)?.active !== true) return
    const because = `nothing has arrived for ${days} days`
    subscriptions.disable(id, because).then(
      () => {
        host.audit({ kind: 'webhook.disabled', actor: 'coordinator', subject: id, detail: { because } })
        log.warn({ webhook: id, days }, 'a webhook was switched off: nothing has arrived for too long')
      },
      error => log.debug({ err: error, webhook: id }, 'a webhook could not be switched off'),
    )
  }

  const tidy = async () => {
    try {
      counts.givenUp += await deliveries.prune(timing, clock.wallMs())
      counts.waiting = await deliveries.waiting()
    } catch (error) {
      log.debug({ err: error }, 'deliveries could not be cleared out')
    }
  }

  const hear = (fact: Fact) => {
    const isFollowed = presenceOf(fact) !== null && followed.some(role => fact.type.startsWith(role))
    if (isFollowed || subscriptions.wants(fact.type)) damper.take(eventOf(fact, newEventId()))
  }

  await subscriptions.load()
  followed = wanted()
  if (followed.length > 0)
    told.restore(await room.ask(db => db.selectFrom('webhook_presence').selectAll().execute()))
  subscriptions.onChange(changed)
  changed()
  const stopHearing = mesh.onFact(hear)
  // What the process before could not tell: who left or came while nobody listened.
  for (const subject of told.subjects()) stand(subject)
  let tidying = tidy()
  const stopTidying = every(clock, timing.tidyEveryMs, () => {
    tidying = tidying.then(tidy)
  })

  const parts = {
    clock,
    subscriptions,
    deliveries,
    destinations,
    newEventId,
    wake,
    audit: (event: Parameters<PluginHost['audit']>[0]) => host.audit(event),
  }
  return {
    routes: [...webhookEndpoints(parts), ...deliveryEndpoints(parts)],
    figures: webhookFigures({
      counts,
      webhooks: () => standing(subscriptions),
      unwritten: () => outbox.size,
      damped: () => damper.damped,
    }),
    async stop() {
      stopHearing()
      stopTidying()
      damper.flush()
      await outbox.stop()
      await Promise.all([...couriers.values()].map(courier => courier.stop()))
      await tidying
    },
  }
}

const DAY_MS = 86_400_000

function standing(subscriptions: Subscriptions): Record<'active' | 'failing' | 'off', number> {
  const counted = { active: 0, failing: 0, off: 0 }
  for (const { active, failingSinceMs } of subscriptions.all())
    counted[!active ? 'off' : failingSinceMs === null ? 'active' : 'failing']++
  return counted
}
