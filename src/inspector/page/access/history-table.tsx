/** Subscriptions as tables show them: who has which tariff, and had. */
import type { Column } from '../ui/table.js'
import type { Subscription } from './kinds.js'
import { bytes } from '../ui/format.js'
import { AccountLink, StateTag, TariffLink } from './marks.js'
import { date } from './words.js'

export const HOLDER: Column<Subscription> = {
  name: 'Account',
  kind: 'name',
  cell: ({ email }) => <AccountLink name={email} />,
}

export const TARIFF: Column<Subscription> = {
  name: 'Tariff',
  kind: 'name',
  cell: ({ tariff_id, tariff_name }) => <TariffLink id={tariff_id} name={tariff_name} />,
}

export const TERMS: readonly Column<Subscription>[] = [
  {
    name: 'State',
    cell: ({ status, ended_because: why }) => (
      <>
        <StateTag of={status} /> {why !== null && <span class="quiet">{why}</span>}
      </>
    ),
  },
  { name: 'From', kind: 'tight', cell: ({ started_at }) => date(started_at) },
  { name: 'Until', kind: 'tight', cell: ({ ended_at }) => date(ended_at) },
  {
    name: 'Traffic',
    kind: 'number',
    cell: ({ used_bytes, traffic_limit_bytes: limit }) =>
      `${bytes(used_bytes)}${limit === null ? '' : ` of ${bytes(limit)}`}`,
  },
  { name: 'Given by', kind: 'name', cell: ({ granted_by }) => granted_by },
]
