/** Accounts of people: who may see, who may act, who may manage. */
import { ask } from '../live/hooks.js'
import { Act, Pick } from '../ui/actions.js'
import { nowMs } from '../ui/clock.js'
import type { Question } from '../ui/dialog.js'
import { Choice, TextFilter } from '../ui/filters.js'
import { moment } from '../ui/format.js'
import { List } from '../ui/list.js'
import { Ago, Empty, Heading, Tag } from '../ui/parts.js'
import { reveal, Secret } from '../ui/secret.js'
import type { Column } from '../ui/table.js'

interface Account {
  readonly accountId: string
  readonly name: string
  readonly role: string
  readonly disabledAt: string | null
  readonly createdAt: string
  readonly lastSignInAt: string | null
}

/** What each role may do, as one reads it when choosing. */
const ROLES = [
  ['viewer', 'Viewer: sees everything'],
  ['operator', 'Operator: acts on nodes, clients and routes'],
  ['admin', 'Admin: also accounts and enrolment keys'],
  ['user', 'User: nothing here'],
] as const

const COLUMNS: readonly Column<Account>[] = [
  { name: 'Account', sort: 'name', cell: ({ name }) => <strong>{name}</strong> },
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
  {
    name: '',
    cell: account => (
      <span class="filters">
        <Act question={role(account)} />
        <Act question={rename(account)} />
        <Act question={disable(account)} />
        <Act question={password(account)} />
        <Act question={remove(account)} />
      </span>
    ),
  },
]

const at = ({ name }: Pick<Account, 'name'>): string => `/api/v1/users/${encodeURIComponent(name)}`

const add: Question = {
  title: 'Add an account',
  verb: 'Add an account',
  consequence: <p>A password is made and shown once; its owner can change it after signing in.</p>,
  fields: (
    <>
      <label class="field">
        <span>Name, or e-mail address</span>
        <input class="input" name="name" required autocomplete="off" spellcheck={false} />
      </label>
      <Pick name="role" label="Role" options={ROLES} />
    </>
  ),
  async act({ name = '', role: wanted = '' }) {
    const { password: made } = await ask<{ password: string }>('POST', '/api/v1/users', {
      name: name.trim(),
      role: wanted,
    })
    reveal(`The password of ${name.trim()}`, made)
    return `${name.trim()} can sign in.`
  },
}

const role = (account: Account): Question => ({
  title: `Role of ${account.name}`,
  verb: 'Role',
  consequence: <p>It holds at once; the account signs in anew.</p>,
  fields: <Pick name="role" label="Role" options={ROLES} />,
  async act({ role: wanted = '' }) {
    await ask('PATCH', at(account), { role: wanted })
    return `${account.name} is ${wanted} now.`
  },
})

const rename = (account: Account): Question => ({
  title: `Another name for ${account.name}`,
  verb: 'Rename',
  consequence: <p>It signs in by the new name from now on; nobody is signed out.</p>,
  fields: (
    <label class="field">
      <span>Name, or e-mail address</span>
      <input class="input" name="name" required autocomplete="off" spellcheck={false} />
    </label>
  ),
  async act({ name = '' }) {
    await ask('PATCH', at(account), { name: name.trim() })
    return `${account.name} is ${name.trim()} now.`
  },
})

const disable = (account: Account): Question => {
  const isDisabled = account.disabledAt !== null
  return {
    title: `${isDisabled ? 'Enable' : 'Disable'} ${account.name}`,
    verb: isDisabled ? 'Enable' : 'Disable',
    consequence: (
      <p>{isDisabled ? 'It can sign in again.' : 'It is signed out everywhere, and cannot sign in.'}</p>
    ),
    async act() {
      await ask('PATCH', at(account), { disabled: !isDisabled })
      return `${account.name} is ${isDisabled ? 'enabled' : 'disabled'}.`
    },
  }
}

const password = (account: Account): Question => ({
  title: `New password for ${account.name}`,
  verb: 'New password',
  consequence: (
    <p>The old one is worth nothing, and it is signed out everywhere. The new one is shown once.</p>
  ),
  async act() {
    const { password: made } = await ask<{ password: string }>('POST', `${at(account)}/password`, {})
    reveal(`The password of ${account.name}`, made)
    return `${account.name} has a new password.`
  },
})

const remove = (account: Account): Question => ({
  title: `Remove ${account.name}`,
  verb: 'Remove',
  isDangerous: true,
  consequence: <p>It is signed out everywhere. What it did stays in the audit.</p>,
  async act() {
    await ask('DELETE', at(account))
    return `${account.name} is removed.`
  },
})

/** Accounts are read from the database, ms. */
const EVERY_MS = 3000

export const Users = () => (
  <>
    <Heading title="Accounts" about="who may see, act and manage">
      <Act question={add} />
    </Heading>
    <Secret />
    <List
      path="/api/v1/users"
      rows="users"
      filters={['search', 'role', 'disabled']}
      columns={COLUMNS}
      keyOf={({ accountId }) => accountId}
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
