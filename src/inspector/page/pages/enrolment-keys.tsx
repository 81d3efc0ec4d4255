/** Enrolment keys: who may join the mesh. A secret is shown once, when it is made. */
import type { ListedKey } from '../../../app/api/enrolment-keys.js'
import { ask } from '../live/hooks.js'
import { Act, Pick } from '../ui/actions.js'
import { nowMs } from '../ui/clock.js'
import type { Question } from '../ui/dialog.js'
import { Choice } from '../ui/filters.js'
import { count, duration, moment } from '../ui/format.js'
import { List } from '../ui/list.js'
import { Empty, Heading, Tag } from '../ui/parts.js'
import { reveal, Secret } from '../ui/secret.js'
import type { Column } from '../ui/table.js'

const at = (text: string | null): string => moment(text === null ? null : Date.parse(text), nowMs.value)

/** Returns whether a key admits nobody any more, and why. */
function overBecause({ revokedAt, usesLeft, expiresAt }: ListedKey): string | null {
  if (revokedAt !== null) return 'revoked'
  if (usesLeft === 0) return 'used up'
  return expiresAt !== null && Date.parse(expiresAt) <= nowMs.value ? 'expired' : null
}

const COLUMNS: readonly Column<ListedKey>[] = [
  { name: 'Key', sort: 'keyId', kind: 'tight', cell: ({ keyId }) => <span class="mono">{keyId}</span> },
  { name: 'Admits', cell: ({ role }) => (role === null ? 'nodes and clients' : `${role}s`) },
  {
    name: 'State',
    cell: key => {
      const over = overBecause(key)
      return <Tag tone={over === null ? 'good' : 'plain'}>{over ?? 'good'}</Tag>
    },
  },
  {
    name: 'Uses left',
    kind: 'number',
    cell: ({ usesLeft }) => (usesLeft === null ? 'any number' : count(usesLeft)),
  },
  {
    name: 'Until',
    sort: 'expiresAt',
    kind: 'tight',
    cell: ({ expiresAt }) => (expiresAt === null ? 'for ever' : at(expiresAt)),
  },
  { name: 'Made', sort: 'createdAt', kind: 'tight', cell: ({ createdAt }) => at(createdAt) },
  { name: 'Note', cell: ({ note }) => note },
  { name: '', kind: 'tight', cell: key => overBecause(key) === null && <Act question={revoke(key.keyId)} /> },
]

const HOUR_MS = 3_600_000

const make: Question = {
  title: 'Make an enrolment key',
  verb: 'Make a key',
  consequence: <p>Whoever has its secret can join the mesh. The secret is shown once.</p>,
  fields: (
    <>
      <Pick
        name="role"
        label="Admits"
        options={[
          ['node', 'Nodes'],
          ['client', 'Clients'],
          ['', 'Both'],
        ]}
      />
      <Pick
        name="uses"
        label="How often"
        options={[
          ['1', 'Once'],
          ['10', '10 times'],
          ['100', '100 times'],
          ['', 'Any number of times'],
        ]}
      />
      <Pick
        name="ttlMs"
        label="For"
        options={[
          [String(24 * HOUR_MS), 'a day'],
          [String(HOUR_MS), 'an hour'],
          [String(30 * 24 * HOUR_MS), '30 days'],
          ['', 'ever'],
        ]}
      />
      <label class="field">
        <span>Note</span>
        <input class="input" name="note" maxLength={256} autocomplete="off" placeholder="whom it is for" />
      </label>
    </>
  ),
  async act({ role = '', uses = '', ttlMs = '', note = '' }) {
    const { secret } = await ask<{ secret: string }>('POST', '/api/v1/enrolment-keys', {
      role: role || null,
      uses: uses === '' ? null : Number(uses),
      ttlMs: ttlMs === '' ? null : Number(ttlMs),
      note,
    })
    reveal('The secret of the new key', secret)
    return `A key is made: it is good for ${ttlMs === '' ? 'ever' : duration(Number(ttlMs))}.`
  },
}

const revoke = (keyId: string): Question => ({
  title: `Revoke the key ${keyId}`,
  verb: 'Revoke',
  isDangerous: true,
  consequence: <p>Nobody joins by it any more. Those who have joined stay.</p>,
  async act() {
    await ask('DELETE', `/api/v1/enrolment-keys/${encodeURIComponent(keyId)}`)
    return `${keyId} admits nobody any more.`
  },
})

/** Keys are read from the database, and change seldom, ms. */
const EVERY_MS = 3000

export const EnrolmentKeys = () => (
  <>
    <Heading title="Enrolment keys" about="who may join the mesh">
      <Act question={make} />
    </Heading>
    <Secret />
    <List
      path="/api/v1/enrolment-keys"
      rows="keys"
      filters={['role', 'revoked']}
      columns={COLUMNS}
      keyOf={({ keyId }) => keyId}
      noun="key"
      everyMs={EVERY_MS}
      empty={
        <Empty title="There are no keys">
          Make one, and start an agent with it: <code>boson node</code> asks for it once.
        </Empty>
      }
    >
      <Choice
        name="role"
        label="Admits"
        options={[
          ['node', 'Nodes'],
          ['client', 'Clients'],
        ]}
      />
      <Choice
        name="revoked"
        label="Revoked"
        options={[
          ['false', 'No'],
          ['true', 'Yes'],
        ]}
      />
    </List>
  </>
)
