/** Accounts and what they have, as the coordinator answers. Types only. */
import type { z } from 'zod'
import type { AccountForm } from '../../../access/accounts/forms.js'
import type { EntitlementOut } from '../../../access/entitlements/entitlement-endpoints.js'
import type { EventOut, PaymentOut } from '../../../access/payments/forms.js'
import type { VpnPeerOut } from '../../../access/peers/forms.js'
import type { TariffOut, UserTariff } from '../../../access/tariffs/forms.js'

export type Account = AccountForm
export type Entitlement = z.output<typeof EntitlementOut>
export type EntitlementState = Entitlement['state']
export type Tariff = z.output<typeof TariffOut>
export type Subscription = z.output<typeof UserTariff>
export type Peer = VpnPeerOut
export type Payment = z.output<typeof PaymentOut>
export type PaymentEvent = z.output<typeof EventOut>

/** A page of a list. */
export type PageOf<N extends string, R> = Readonly<Record<N, readonly R[]>> & {
  readonly total: number
  readonly next: string | null
}
