/** Who has which tariff, and had: found by how it stands, and by when it ends. */
import { HOLDER, TARIFF, TERMS } from '../access/history-table.js'
import type { Subscription } from '../access/kinds.js'
import { to } from '../route.js'
import { Choice, TextFilter } from '../ui/filters.js'
import { List } from '../ui/list.js'
import { Empty, Heading } from '../ui/parts.js'

const COLUMNS = [HOLDER, TARIFF, ...TERMS]

/** They are read from the database, ms. */
const EVERY_MS = 3000

export const Subscriptions = () => (
  <>
    <Heading title="Subscriptions" about="who has which tariff, the newest first" />
    <List
      path="/user_tariffs/"
      rows="user_tariffs"
      filters={['q', 'status', 'ending_days', 'current']}
      columns={COLUMNS}
      keyOf={(row: Subscription) => String(row.id)}
      addressOf={({ email }) => to(['users', email])}
      noun="subscription"
      everyMs={EVERY_MS}
      empty={<Empty title="There is no such subscription">Open an account to assign a tariff to it.</Empty>}
    >
      <TextFilter name="q" label="Account contains" />
      <Choice name="status" label="State" options={STATES} />
      <Choice
        name="ending_days"
        label="Ends within"
        options={[
          ['1', 'a day'],
          ['7', '7 days'],
          ['30', '30 days'],
        ]}
      />
      <Choice
        name="current"
        label="Which"
        any="All"
        options={[
          ['true', 'Now, or last'],
          ['false', 'Replaced'],
        ]}
      />
    </List>
  </>
)

export const STATES = [
  ['active', 'Active'],
  ['grace', 'In grace'],
  ['throttled', 'Throttled'],
  ['used_up', 'Used up'],
  ['ended', 'Ended'],
] as const
