/** Rows of what is sold, as they are read. */
import type { Selectable } from 'kysely'
import type { AccessTables } from '../tables.js'

export type TariffRow = Selectable<AccessTables['tariffs']>
export type SubscriptionRow = Selectable<AccessTables['subscriptions']>
