/** Accounts of people: who has what, who may see, act and manage. */
import { addAccount, ROLES } from '../access/account-actions.js'
import type { Account } from '../access/kinds.js'
import { AccountLink } from '../access/marks.js'
import { may } from '../live/who.js'
import { to } from '../route.js'
import { Act } from '../ui/actions.js'
import { nowMs } from '../ui/clock.js'
import { Choice, TextFilter } from '../ui/filters.js'
import { moment } from '../ui/format.js'
import { List } from '../ui/list.js'
import { Ago, Empty, Heading, Tag } from '../ui/parts.js'
import { Secret } from '../ui/secret.js'
import type { Column } from '../ui/table.js'

const COLUMNS: readonly Column<Account>[] = [
  { name: 'Account', sort: 'name', kind: 'name', cell: ({ name }) => <AccountLink name={name} /> },
  { name: 'Role', cell: ({ role }) => role },
  {
    name: 'State',
    cell: ({ disabledAt }) => (
      <Tag tone={disabledAt === null ? 'good' : 'plain'}>{disabledAt === null ? 'good' : 'disabled'}</Tag>
    ),
  },
  {
    name: 'Last sign-in',
    kind: 'tight',
    cell: ({ lastSignInAt }) =>
      lastSignInAt === null ? (
        'never'
      ) : (
        <>
          <Ago atMs={Date.parse(lastSignInAt)} /> ago
        </>
      ),
  },
  {
    name: 'Made',
    sort: 'createdAt',
    kind: 'tight',
    cell: ({ createdAt }) => moment(Date.parse(createdAt), nowMs.value),
  },
]

/** Accounts are read from the database, ms. */
const EVERY_MS = 3000

export const Users = () => (
  <>
    <Heading title="Accounts" about="who has a tariff, who may see, act and manage">
      {may('admin') && <Act question={addAccount} />}
    </Heading>
    <Secret />
    <List
      path="/api/v1/users"
      rows="users"
      filters={['search', 'role', 'disabled']}
      columns={COLUMNS}
      keyOf={({ accountId }) => accountId}
      addressOf={({ name }) => to(['users', name])}
      noun="account"
      everyMs={EVERY_MS}
      empty={<Empty title="No account meets the filters">Clear one of them, or add an account.</Empty>}
    >
      <TextFilter name="search" label="Name contains" />
      <Choice name="role" label="Role" options={ROLES.map(([value]) => [value, value] as const)} />
      <Choice
        name="disabled"
        label="State"
        options={[
          ['false', 'Good'],
          ['true', 'Disabled'],
        ]}
      />
    </List>
  </>
)
