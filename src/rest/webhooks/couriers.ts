/** A courier for each webhook that is called; one at which nothing arrives for too long is switched off. */
import type { PluginHost } from '../../app/plugin.js'
import { Courier, type CourierOptions } from './courier.js'

export interface CouriersOptions extends Omit<CourierOptions, 'failed'> {
  /** A webhook at which nothing has arrived for so long is switched off, days. */
  readonly disableAfterDays: number
  readonly audit: PluginHost['audit']
  readonly warn: (fields: object, message: string) => void
}

const DAY_MS = 86_400_000

export class Couriers {
  readonly #options: CouriersOptions
  readonly #byId = new Map<string, Courier>()

  constructor(options: CouriersOptions) {
    this.#options = options
  }

  /** Who is called has changed. */
  follow(): void {
    const { subscriptions } = this.#options
    for (const [id, courier] of this.#byId) {
      if (subscriptions.of(id)?.active === true) continue
      this.#byId.delete(id)
      void courier.stop()
    }
    for (const { id, active } of subscriptions.all()) {
      if (!active || this.#byId.has(id)) continue
      const failed = (sinceMs: number) => this.#failed(id, sinceMs)
      this.#byId.set(id, new Courier(id, { ...this.#options, failed }))
    }
    this.wake()
  }

  /** There is something to deliver. */
  wake(): void {
    for (const courier of this.#byId.values()) courier.wake()
  }

  /** Resolves when the attempts that are underway have ended. */
  async stop(): Promise<void> {
    await Promise.all([...this.#byId.values()].map(courier => courier.stop()))
  }

  #failed(id: string, sinceMs: number): void {
    const { clock, subscriptions, disableAfterDays, audit, warn, debug } = this.#options
    if (clock.wallMs() - sinceMs < disableAfterDays * DAY_MS || subscriptions.of(id)?.active !== true) return
    const because = `nothing has arrived for ${disableAfterDays} days`
    subscriptions.disable(id, because).then(
      () => {
        audit({ kind: 'webhook.disabled', actor: 'coordinator', subject: id, detail: { because } })
        warn(
          { webhook: id, days: disableAfterDays },
          'a webhook was switched off: nothing has arrived for too long',
        )
      },
      error => debug({ err: error, webhook: id }, 'a webhook could not be switched off'),
    )
  }
}
