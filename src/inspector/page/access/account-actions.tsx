/** What can be done to an account. Each asks once, and says what will happen. */
import { ask, useView } from '../live/hooks.js'
import { go, route, to } from '../route.js'
import { Pick } from '../ui/actions.js'
import type { Question } from '../ui/dialog.js'
import { Field } from '../ui/field.js'
import { plural } from '../ui/format.js'
import { reveal } from '../ui/secret.js'
import type { Account, PageOf, Peer } from './kinds.js'

/** What each role may do, as one reads it when choosing. */
export const ROLES = [
  ['user', 'User: has a tariff and devices, sees only those'],
  ['viewer', 'Viewer: sees the mesh'],
  ['operator', 'Operator: acts on nodes, clients, tariffs of others, payments'],
  ['admin', 'Admin: also accounts, what is sold, and enrolment keys'],
] as const

const at = ({ name }: { readonly name: string }): string => `/api/v1/users/${encodeURIComponent(name)}`

export const addAccount: Question = {
  title: 'Add an account',
  verb: 'Add an account',
  consequence: <p>A password is made and shown once; its owner can change it after signing in.</p>,
  fields: (
    <>
      <Field label="Name, or e-mail address" name="name" required />
      <Pick name="role" label="Role" options={ROLES} />
    </>
  ),
  async act({ name = '', role = '' }) {
    const { password: made } = await ask<{ password: string }>('POST', '/api/v1/users', {
      name: name.trim(),
      role,
    })
    reveal(`The password of ${name.trim()}`, made)
    return `${name.trim()} can sign in.`
  },
}

export const changeRole = (account: Account): Question => ({
  title: `Role of ${account.name}`,
  verb: 'Role',
  consequence: <p>It holds at once; the account signs in anew.</p>,
  fields: <Pick name="role" label="Role" options={ROLES} value={account.role} />,
  async act({ role = '' }) {
    await ask('PATCH', at(account), { role })
    return `${account.name} is ${role} now.`
  },
})

export const renameAccount = (account: Account): Question => ({
  title: `Another name for ${account.name}`,
  verb: 'Rename',
  consequence: <p>It signs in by the new name from now on; nobody is signed out.</p>,
  fields: <Field label="Name, or e-mail address" name="name" value={account.name} required />,
  async act({ name = '' }) {
    const { name: called } = await ask<Account>('PATCH', at(account), { name: name.trim() })
    leave(account, to(['users', called]))
    return `${account.name} is ${called} now.`
  },
})

export const disableAccount = (account: Account): Question => {
  const isDisabled = account.disabledAt !== null
  return {
    title: `${isDisabled ? 'Enable' : 'Disable'} ${account.name}`,
    verb: isDisabled ? 'Enable' : 'Disable',
    consequence: isDisabled ? (
      <p>It can sign in again, and its devices connect again as its tariff lets them.</p>
    ) : (
      <p>
        It is signed out everywhere, and cannot sign in. <SessionsEnd userId={account.userId} />
      </p>
    ),
    async act() {
      await ask('PATCH', at(account), { disabled: !isDisabled })
      return `${account.name} is ${isDisabled ? 'enabled' : 'disabled'}.`
    },
  }
}

export const newPassword = (account: Account): Question => ({
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

export const removeAccount = (account: Account): Question => ({
  title: `Remove ${account.name}`,
  verb: 'Remove',
  isDangerous: true,
  consequence: (
    <p>
      It is signed out everywhere. <SessionsEnd userId={account.userId} /> What it did stays in the audit.
    </p>
  ),
  async act() {
    await ask('DELETE', at(account))
    leave(account, to(['users']))
    return `${account.name} is removed.`
  },
})

/** Goes elsewhere from the view of an account, which is not there any more by this name. */
function leave({ name }: Account, address: string): void {
  if (route.peek().path[1] === name) go(address)
}

/** As many as are counted. */
const MOST = 200

/** Says how many devices of an account are connected now, and would be so no more. */
export function SessionsEnd({ userId }: { readonly userId: number }) {
  const { value } = useView<PageOf<'peers', Peer>>(`/vpn_peers/?user_id=${userId}&limit=${MOST}`)
  if (value === null) return <span>Its sessions end at once.</span>
  const { length } = value.peers.filter(({ connected }) => connected)
  return (
    <span>
      {length === 0
        ? 'None of its devices is connected now.'
        : `${plural(length, 'session')} of its devices ${length === 1 ? 'ends' : 'end'} within a second.`}
    </span>
  )
}
