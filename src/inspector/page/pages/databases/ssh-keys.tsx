/** The keys by which the coordinator reaches the machines of servers. */
import type { SshKeyForm } from '../../databases/kinds.js'
import { generateKey, importKey, removeKey, renameKey } from '../../databases/key-actions.js'
import { ServerLink } from '../../databases/marks.js'
import { dateAndTime } from '../../access/words.js'
import { useView } from '../../live/hooks.js'
import { Act } from '../../ui/actions.js'
import { Takeaway } from '../../ui/copy.js'
import { count, plural } from '../../ui/format.js'
import { List } from '../../ui/list.js'
import { Empty, Fault, Heading } from '../../ui/parts.js'
import { show } from '../../ui/sheet.js'
import type { Column } from '../../ui/table.js'

/** They change when somebody changes them, ms. */
const EVERY_MS = 5000

export const SshKeys = () => (
  <>
    <Heading title="SSH keys" about="by which the machines of servers are reached">
      <Act question={generateKey} />
      <Act question={importKey} />
    </Heading>
    <List
      path="/pgmon/ssh-keys"
      rows="ssh_keys"
      filters={[]}
      columns={COLUMNS}
      keyOf={({ id }: SshKeyForm) => String(id)}
      noun="key"
      everyMs={EVERY_MS}
      empty={
        <Empty title="There is no key yet">
          Make one, put its public part on the machine of a server, then choose it where the server is
          changed.
        </Empty>
      }
    />
  </>
)

const COLUMNS: readonly Column<SshKeyForm>[] = [
  {
    name: 'Key',
    sort: 'name',
    width: '22%',
    cell: ({ name, description }) => (
      <>
        {name} {description !== '' && <span class="quiet">{description}</span>}
      </>
    ),
  },
  {
    name: 'Kind',
    width: '11%',
    cell: ({ key_type: type, bits }) =>
      `${KINDS[type]}${type === 'rsa' && bits !== null ? `, ${count(bits).replace(',', '')} bits` : ''}`,
  },
  { name: 'Fingerprint', width: '26%', cell: ({ fingerprint }) => <span class="mono">{fingerprint}</span> },
  {
    name: 'Used by',
    kind: 'number',
    width: '9%',
    cell: key =>
      key.servers_count === 0 ? (
        <span class="quiet">nobody</span>
      ) : (
        <button type="button" class="link" onClick={() => showUsers(key)}>
          {plural(key.servers_count, 'server')}
        </button>
      ),
  },
  {
    name: 'Made',
    sort: 'created_at',
    width: '14%',
    cell: ({ created_at: at, created_by: by }) => (
      <>
        {dateAndTime(at)} <span class="quiet">by {by}</span>
      </>
    ),
  },
  {
    name: '',
    width: '18%',
    cell: key => (
      <span class="session-actions">
        <button type="button" class="button" data-size="small" onClick={() => showPublic(key)}>
          Public key
        </button>
        <Act isSmall question={renameKey(key)} />
        <Act isSmall question={removeKey(key)} />
      </span>
    ),
  },
]

const KINDS: Readonly<Record<SshKeyForm['key_type'], string>> = {
  rsa: 'RSA',
  ed25519: 'Ed25519',
  ecdsa: 'ECDSA',
}

const showPublic = (key: SshKeyForm): void =>
  show({
    title: `Public key of ${key.name}`,
    body: (
      <>
        <p>
          A line of <code>~/.ssh/authorized_keys</code> on the machine. With what stands before the key it may
          run one command and nothing else.
        </p>
        <Takeaway text={`command="env LC_ALL=C df -P -k",restrict ${key.public_key}`} />
        <Takeaway text={key.public_key} file={`${key.name.replaceAll(/[^\w.-]+/g, '-')}.pub`} />
      </>
    ),
  })

const showUsers = (key: SshKeyForm): void =>
  show({ title: `Servers that use ${key.name}`, body: <Users of={key} /> })

function Users({ of: { id } }: { readonly of: SshKeyForm }) {
  const { value, fault } = useView<{ readonly servers: readonly { readonly name: string }[] }>(
    `/pgmon/ssh-keys/${id}/servers`,
    EVERY_MS,
  )
  if (fault !== null) return <Fault>{fault}</Fault>
  return (
    <ul class="plain">
      {(value?.servers ?? []).map(({ name }) => (
        <li key={name}>
          <ServerLink name={name} />
        </li>
      ))}
    </ul>
  )
}
