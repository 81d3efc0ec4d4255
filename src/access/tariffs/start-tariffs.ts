/** Tariffs: what is sold, and who has it. */
import type { EntitlementsPart } from '../entitlements/start-entitlements.js'
import type { Ground, Part } from '../part.js'
import type { People } from '../people.js'
import { subscriptionEndpoints } from './subscription-endpoints.js'
import { tariffEndpoints } from './tariff-endpoints.js'
import { Tariffs } from './tariffs.js'

/** What other parts need of this one. */
export interface TariffsPart extends Part {
  readonly tariffs: Tariffs
}

export function startTariffs(
  { host, room }: Ground,
  { accounts }: Pick<People, 'accounts'>,
  { entitlements, subscriptions: book }: Pick<EntitlementsPart, 'entitlements' | 'subscriptions'>,
): TariffsPart {
  const { clock } = host
  const audit: typeof host.audit = event => host.audit(event)
  const tariffs = new Tariffs({ room, clock })
  return {
    tariffs,
    routes: [
      ...tariffEndpoints({ tariffs, audit }),
      ...subscriptionEndpoints({ room, clock, accounts, tariffs, book, entitlements, audit }),
    ],
    stop: () => Promise.resolve(),
  }
}
