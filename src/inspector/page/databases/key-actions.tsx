/** What can be done to SSH keys. Their private part is never shown: it is made or taken in, and stays sealed. */
import { ask } from '../live/hooks.js'
import { Pick } from '../ui/actions.js'
import type { Question } from '../ui/dialog.js'
import { Field, LongField } from '../ui/field.js'
import { plural } from '../ui/format.js'
import type { SshKeyForm } from './kinds.js'

const at = ({ id }: SshKeyForm): string => `/pgmon/ssh-keys/${id}`

const Named = ({
  name = '',
  description = '',
}: {
  readonly name?: string
  readonly description?: string
}) => (
  <>
    <Field label="Name" name="name" value={name} required maxLength={64} placeholder="monitor" />
    <Field label="What it is for" name="description" value={description} maxLength={256} />
  </>
)

export const generateKey: Question = {
  title: 'Make an SSH key',
  verb: 'Make a key',
  consequence: (
    <p>
      The coordinator draws it, and keeps the private part sealed. Put its public part where it is to sign in.
    </p>
  ),
  fields: (
    <>
      <Named />
      <Pick
        name="kind"
        label="Kind"
        options={[
          ['ed25519', 'Ed25519: short and quick'],
          ['4096', 'RSA, 4096 bits: for hosts that know no other'],
          ['3072', 'RSA, 3072 bits'],
          ['2048', 'RSA, 2048 bits'],
        ]}
      />
    </>
  ),
  async act({ name = '', description = '', kind = 'ed25519' }) {
    const key = await ask<SshKeyForm>('POST', '/pgmon/ssh-keys/generate', {
      name: name.trim(),
      description: description.trim(),
      ...(kind === 'ed25519' ? { key_type: kind } : { key_type: 'rsa', key_size: Number(kind) }),
    })
    return `${key.name} is made: ${key.fingerprint}`
  },
}

/** A key is a few kB: more is another file, bytes. */
const FILE_MAX = 64 * 1024

/** Puts the text of a file that was chosen into the field of its form, so that it is sent as if it had been pasted. */
async function fill(input: HTMLInputElement): Promise<void> {
  const file = input.files?.[0]
  const field = input.form?.elements.namedItem('private_key')
  if (file === undefined || !(field instanceof HTMLTextAreaElement)) return
  input.setCustomValidity(file.size > FILE_MAX ? 'This is no private key: it is too large.' : '')
  if (file.size <= FILE_MAX) field.value = await file.text()
}

export const importKey: Question = {
  title: 'Import an SSH key',
  verb: 'Import a key',
  isWide: true,
  consequence: <p>It is kept sealed, without its passphrase, and never shown again.</p>,
  fields: (
    <>
      <Named />
      <LongField
        label="Private key"
        name="private_key"
        required
        placeholder="-----BEGIN OPENSSH PRIVATE KEY-----"
        hint="OpenSSH or PEM; RSA from 2048 bits, Ed25519 or ECDSA. Paste it, or choose its file."
      />
      <label class="field">
        <span>Its file</span>
        <input type="file" class="file" onChange={({ currentTarget }) => void fill(currentTarget)} />
      </label>
      <Field label="Passphrase" name="passphrase" type="password" hint="Only if the key has one." />
    </>
  ),
  async act({ name = '', description = '', private_key = '', passphrase = '' }) {
    const key = await ask<SshKeyForm>('POST', '/pgmon/ssh-keys/import', {
      name: name.trim(),
      description: description.trim(),
      private_key,
      ...(passphrase !== '' && { passphrase }),
    })
    return `${key.name} is imported: ${key.fingerprint}`
  },
}

export const renameKey = (key: SshKeyForm): Question => ({
  title: `Change ${key.name}`,
  verb: 'Change',
  consequence: <p>The key itself stays as it is, and so does what it opens.</p>,
  fields: <Named name={key.name} description={key.description} />,
  async act({ name = '', description = '' }) {
    const changed = await ask<SshKeyForm>('PUT', at(key), {
      name: name.trim(),
      description: description.trim(),
    })
    return `${changed.name} is changed.`
  },
})

export const removeKey = (key: SshKeyForm): Question => ({
  title: `Remove ${key.name}`,
  verb: 'Remove',
  isDangerous: true,
  consequence:
    key.servers_count > 0 ? (
      <p>
        {plural(key.servers_count, 'server')} {key.servers_count === 1 ? 'uses' : 'use'} it: it can be removed
        when none does.
      </p>
    ) : (
      <p>
        Its private part is gone for good. Take its public part out of <code>authorized_keys</code> where it
        is.
      </p>
    ),
  async act() {
    await ask('DELETE', at(key))
    return `${key.name} is removed.`
  },
})
