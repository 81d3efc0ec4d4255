/** The fields of a server: where it is, as whom it is asked, and where its machine is reached by SSH. */
import { useView } from '../live/hooks.js'
import { to } from '../route.js'
import { Pick } from '../ui/actions.js'
import { Takeaway } from '../ui/copy.js'
import { Field, LongField } from '../ui/field.js'
import type { SshKeyForm } from './kinds.js'
import { type Fields, roleSql } from './server-form.js'
import { POOL_WORDS, TLS_WORDS } from './words.js'

interface Has {
  readonly password: boolean
  readonly sshPassword: boolean
}

const options = (words: Readonly<Record<string, string>>) => Object.entries(words)

/** `isOwn`: of the coordinator’s own database there is less to say. `has`: which secrets there are already. */
export const ServerFields = (props: {
  readonly of: Fields
  readonly has: Has
  readonly isOwn?: boolean
  readonly isNew?: boolean
}) => {
  const { of, has, isOwn = false, isNew = false } = props
  return (
    <div class="form-grid">
      {!isOwn && (
        <>
          <Field
            label="Name"
            name="name"
            value={of['name']}
            required
            maxLength={64}
            placeholder="orders"
            hint="Letters, digits, dots, dashes and underscores."
          />
          <Field label="What it is" name="description" value={of['description']} maxLength={256} />
          <Field
            label="Host"
            name="host"
            value={of['host']}
            required
            placeholder="db.example.org"
            hint="A name or an address. Private ones only where BOSON_PGMON_NETWORKS allows them."
          />
          <Field label="Port" name="port" value={of['port']} required inputMode="numeric" />
          <Field
            label="Role that asks"
            name="user"
            value={of['user']}
            required
            hint="It needs pg_monitor, and nothing else."
          />
          <Field
            label="Its password"
            name="password"
            type="password"
            hint={
              has.password
                ? 'Empty: stays as it is. Another host, port or role needs it again.'
                : 'Sealed, and never shown again. Empty: none is asked for.'
            }
          />
          <Field
            label="Database"
            name="database"
            value={of['database']}
            required
            hint="Where it signs in: the others are found from there."
          />
          <Pick name="pool" label="Connections" options={options(POOL_WORDS)} value={of['pool'] ?? ''} />
          <div class="form-wide">
            <Pick name="tls" label="Encryption" options={options(TLS_WORDS)} value={of['tls'] ?? ''} />
          </div>
          <details class="fold form-wide" open={(of['tls_ca'] ?? '') !== ''}>
            <summary>Certificate authority of its own</summary>
            <LongField
              label="Certificate, PEM"
              name="tls_ca"
              value={of['tls_ca'] ?? ''}
              placeholder="-----BEGIN CERTIFICATE-----"
              hint="Who may sign its certificate. Empty: whom everybody trusts."
            />
          </details>
        </>
      )}
      {isOwn && (
        <div class="form-wide">
          <Field label="What it is" name="description" value={of['description']} maxLength={256} />
        </div>
      )}
      <details class="fold form-wide" open={of['ssh_auth'] !== 'none'}>
        <summary>Its machine, by SSH: tells how full its disks are</summary>
        <div class="form-grid">
          <Pick
            name="ssh_auth"
            label="Signs in by"
            options={[
              ['none', 'Not at all'],
              ['key', 'A key of the coordinator'],
              ['password', 'A password'],
            ]}
            value={of['ssh_auth'] ?? ''}
          />
          <Field label="User there" name="ssh_user" value={of['ssh_user']} maxLength={64} />
          <Field label="SSH host" name="ssh_host" value={of['ssh_host']} placeholder="as the database’s" />
          <Field label="SSH port" name="ssh_port" value={of['ssh_port']} inputMode="numeric" />
          <PickKey value={of['ssh_key_id'] ?? ''} />
          <Field
            label="SSH password"
            name="ssh_password"
            type="password"
            hint={has.sshPassword ? 'Empty: stays as it is.' : 'Only when it signs in by one.'}
          />
        </div>
      </details>
      {isNew && (
        <details class="fold form-wide">
          <summary>What to run on the server first</summary>
          <Takeaway text={roleSql(of['user'] ?? '')} />
        </details>
      )}
    </div>
  )
}

function PickKey({ value }: { readonly value: string }) {
  const { value: page } = useView<{ readonly ssh_keys: readonly SshKeyForm[] }>('/pgmon/ssh-keys', 10_000)
  const keys = page?.ssh_keys ?? []
  return (
    <label class="field">
      <span>SSH key</span>
      <select key={keys.length} class="input" name="ssh_key_id" aria-label="SSH key">
        <option value="">None</option>
        {keys.map(({ id, name, key_type: type }) => (
          <option key={id} value={String(id)} selected={String(id) === value}>
            {name} ({type})
          </option>
        ))}
      </select>
      <small class="field-hint">
        {keys.length === 0 && page !== null ? (
          <>
            There is none: <a href={to(['ssh-keys'])}>make one</a>.
          </>
        ) : (
          'Only when it signs in by one.'
        )}
      </small>
    </label>
  )
}
