/** Entitlements: what accounts have becomes what their peers may do, in the mesh and wherever else WireGuard runs. */
import { z } from 'zod'
import type { RunningPlugin } from '../../app/plugin.js'
import type { Ground, Part } from '../part.js'
import type { People } from '../people.js'
import { SubscriptionBook } from '../tariffs/subscription-book.js'
import { EntitlementBook } from './entitlement-book.js'
import { entitlementEndpoints } from './entitlement-endpoints.js'
import { entitlementFigures } from './figures.js'

/** What other parts need of this one. */
export interface EntitlementsPart extends Part, Required<Pick<RunningPlugin, 'rows'>> {
  readonly entitlements: EntitlementBook
  readonly subscriptions: SubscriptionBook
}

export async function startEntitlements(
  { mesh, host, room }: Ground,
  { accounts }: Pick<People, 'accounts'>,
): Promise<EntitlementsPart> {
  const { clock, log, revocations } = host
  const subscriptions = new SubscriptionBook({ room, clock })
  const entitlements = new EntitlementBook({
    room,
    clock,
    log,
    mesh,
    termsChanged: id => mesh.termsChanged(id),
    turned({ name, plan }, { state, usedBytes }, before) {
      const kind =
        ACCEPTED.has(state) === ACCEPTED.has(before.state)
          ? 'changed'
          : ACCEPTED.has(state)
            ? 'begun'
            : 'ended'
      const detail = { state, before: before.state, tariff: plan?.tariff ?? null, usedBytes }
      host.audit({ kind: `entitlement.${kind}`, actor: 'system', subject: name, detail })
    },
  })
  await entitlements.start()
  // For good: the mesh serves for a moment longer than this room.
  mesh.guard(entitlements.termsOf)
  // Whoever is disabled or enabled is told of there.
  const stopHearing = revocations.on(({ accountId, signInId }) => {
    if (signInId === null) entitlements.changed(accountId)
  })
  return {
    entitlements,
    subscriptions,
    routes: entitlementEndpoints({ clock, accounts, entitlements, subscriptions }),
    figures: entitlementFigures(entitlements),
    rows: {
      clients: {
        fields: Fields,
        of({ id }) {
          const known = entitlements.describe(id)
          return { account: known?.name ?? null, entitlement: known?.state ?? null }
        },
      },
    },
    async stop() {
      stopHearing()
      await entitlements.stop()
    },
  }
}

/** With these, peers are let in. */
const ACCEPTED: ReadonlySet<string> = new Set(['active', 'grace', 'throttled'])

const Fields = {
  account: z.string().nullable().meta({ description: 'Whose peer it is; null: nobody’s.' }),
  entitlement: z
    .string()
    .nullable()
    .meta({ description: 'What the account is entitled to: `active`, `grace`, `throttled` …' }),
}
