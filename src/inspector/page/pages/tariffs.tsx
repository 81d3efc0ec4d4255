/** Tariffs: what is sold, and what was. */
import { newTariff } from '../access/tariff-actions.js'
import type { Tariff } from '../access/kinds.js'
import { TariffLink } from '../access/marks.js'
import { price, time, traffic } from '../access/words.js'
import { may } from '../live/who.js'
import { to } from '../route.js'
import { Act } from '../ui/actions.js'
import { Choice, TextFilter } from '../ui/filters.js'
import { count } from '../ui/format.js'
import { List } from '../ui/list.js'
import { Empty, Heading, Tag } from '../ui/parts.js'
import type { Column } from '../ui/table.js'

const COLUMNS: readonly Column<Tariff>[] = [
  {
    name: 'Tariff',
    sort: 'name',
    kind: 'name',
    cell: ({ id, name }) => <TariffLink id={id} name={name} />,
  },
  { name: 'Price', sort: 'price', kind: 'number', cell: price },
  { name: 'Good for', cell: time },
  { name: 'Traffic', cell: traffic },
  { name: 'Devices', kind: 'number', cell: ({ device_limit }) => count(device_limit) },
  {
    name: 'Nodes',
    cell: ({ node_groups: groups }) => (groups.length === 0 ? 'any' : `in ${groups.join(', ')}`),
  },
  {
    name: 'State',
    cell: ({ archived }) => <Tag tone={archived ? 'plain' : 'good'}>{archived ? 'archived' : 'sold'}</Tag>,
  },
]

/** Tariffs are read from the database, and change seldom, ms. */
const EVERY_MS = 3000

export const Tariffs = () => (
  <>
    <Heading title="Tariffs" about="what accounts can have, and what it costs">
      {may('admin') && <Act question={newTariff} />}
    </Heading>
    <List
      path="/tariffs/"
      rows="tariffs"
      filters={['q', 'archived']}
      columns={COLUMNS}
      keyOf={({ id }) => String(id)}
      addressOf={({ id }) => to(['tariffs', String(id)])}
      noun="tariff"
      everyMs={EVERY_MS}
      empty={
        <Empty title="There is no such tariff">
          {may('admin')
            ? 'Make one: it says what accounts get, for how long, and what it costs.'
            : 'An admin makes them.'}
        </Empty>
      }
    >
      <TextFilter name="q" label="Name contains" />
      <Choice
        name="archived"
        label="State"
        options={[
          ['false', 'Sold'],
          ['true', 'Archived'],
        ]}
      />
    </List>
  </>
)
