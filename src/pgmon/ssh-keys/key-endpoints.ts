/** `/pgmon/ssh-keys`: made here, or brought along; listed, renamed, removed, and their public part given out. */
import { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { type Caller, nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest } from '../../http/faults.js'
import { whole } from '../../http/fields.js'
import { multipartFields } from '../../http/multipart.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { empty, json, text } from '../../http/reply.js'
import { GenerateWish, ImportFileWish, ImportWish, KeyChange, type KeyWords, SshKeyForm } from './forms.js'
import type { KeyParts } from './key-parts.js'
import type { KeyWork } from './key-work.js'
import type { SshKey, SshKeys } from './ssh-keys.js'

export interface KeyEndpointParts {
  readonly keys: SshKeys
  readonly work: KeyWork
  readonly audit: PluginHost['audit']
}

const tag = 'databases'
const access = 'operator'
/** The largest number that the database has room for. */
const NUMBER_MAX = 2_147_483_647
const params = z.object({
  id: z.coerce.number({ error: 'wanted the number of an SSH key' }).pipe(whole(1, NUMBER_MAX)),
})
const one = { 200: { description: 'The key.', schema: SshKeyForm } }
const made = { 201: { description: 'The key; its private part is never told.', schema: SshKeyForm } }
const RSA_BITS = 4_096
/** A form around a key, bytes. */
const FORM_MAX = 65_536

export function keyEndpoints({ keys, work, audit }: KeyEndpointParts): readonly Endpoint[] {
  const added = async (kind: string, words: KeyWords, parts: KeyParts, caller: Caller) => {
    const key = await keys.add(words, parts, nameOf(caller))
    audit({ kind, actor: nameOf(caller), subject: key.name, detail: toldOf(key) })
    return json(keyForm(key), 201)
  }
  const imported = async ({ name, description, private_key, passphrase }: ImportWish, caller: Caller) => {
    await keys.mustFit(name)
    const parts = await work.do({ do: 'open', text: private_key, passphrase: passphrase ?? null })
    return added('ssh_key.imported', { name, description }, parts, caller)
  }
  return [
    endpoint({
      method: 'GET',
      path: '/pgmon/ssh-keys',
      access,
      tag,
      summary: 'Lists the SSH keys by which machines of databases let the coordinator in',
      query: z.object(listQuery('name', 'created_at')),
      replies: { 200: { description: 'A page of keys.', schema: listReply('ssh_keys', SshKeyForm) } },
      async handle({ query }) {
        const rows = (await keys.all()).map(keyForm)
        const page = listed(
          'ssh_keys',
          rows,
          query,
          ({ id }) => String(id).padStart(NUMBER_WIDTH, '0'),
          (row, field) => row[field as 'name' | 'created_at'], // the names above
        )
        return json(page)
      },
    }),
    endpoint({
      method: 'POST',
      path: '/pgmon/ssh-keys/generate',
      access,
      tag,
      summary: 'Makes an SSH key',
      description: 'Its public part belongs into `authorized_keys` of the machines.',
      body: GenerateWish,
      replies: made,
      faults: [409],
      async handle({ body: { name, description, key_type: type, key_size: bits = RSA_BITS }, caller }) {
        const parts = await work.do(
          type === 'rsa' ? { do: 'generate', type, bits } : { do: 'generate', type },
        )
        return added('ssh_key.generated', { name, description }, parts, caller)
      },
    }),
    endpoint({
      method: 'POST',
      path: '/pgmon/ssh-keys/import',
      access,
      tag,
      summary: 'Takes a private key as text',
      description: 'It is kept without its passphrase, sealed.',
      body: ImportWish,
      replies: made,
      faults: [409],
      handle: ({ body, caller }) => imported(body, caller),
    }),
    endpoint({
      method: 'POST',
      path: '/pgmon/ssh-keys/import-file',
      access,
      tag,
      summary: 'Takes a private key as a file',
      description: 'A form, such as `curl -F file=@id_ed25519 -F name=databases` sends it.',
      rawBody: ImportFileWish,
      rawType: 'multipart/form-data',
      bodyMax: FORM_MAX,
      replies: made,
      faults: [409, 415],
      async handle({ rawBody, headers, caller }) {
        const form = ImportFileWish.safeParse(await multipartFields(rawBody, headers.get('content-type')))
        if (form.success) {
          const { file, ...words } = form.data
          return imported({ ...words, private_key: file }, caller)
        }
        const issues = form.error.issues.map(({ path, message }) => ({ at: path.join('.'), message }))
        throw badRequest(issues.map(({ at, message }) => `${at || 'body'}: ${message}`).join('; '), issues)
      },
    }),
    endpoint({
      method: 'GET',
      path: '/pgmon/ssh-keys/{id}',
      access,
      tag,
      summary: 'Tells of one SSH key',
      params,
      replies: one,
      handle: async ({ params: { id } }) => json(keyForm(await keys.of(id))),
    }),
    endpoint({
      method: 'PUT',
      path: '/pgmon/ssh-keys/{id}',
      access,
      tag,
      summary: 'Gives an SSH key another name or description',
      params,
      body: KeyChange,
      replies: one,
      faults: [409],
      async handle({ params: { id }, body: { name, description }, caller }) {
        const words = {
          ...(name !== undefined && { name }),
          ...(description !== undefined && { description }),
        }
        const key = await keys.change(id, words)
        const detail = { ...toldOf(key), ...words }
        audit({ kind: 'ssh_key.changed', actor: nameOf(caller), subject: key.name, detail })
        return json(keyForm(key))
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/pgmon/ssh-keys/{id}',
      access,
      tag,
      summary: 'Removes an SSH key that no server uses',
      params,
      replies: { 204: { description: 'It is gone.' } },
      faults: [409],
      async handle({ params: { id }, caller }) {
        const key = await keys.remove(id)
        audit({ kind: 'ssh_key.removed', actor: nameOf(caller), subject: key.name, detail: toldOf(key) })
        return empty()
      },
    }),
    endpoint({
      method: 'GET',
      path: '/pgmon/ssh-keys/{id}/servers',
      access: 'viewer',
      tag,
      summary: 'Lists the servers that use an SSH key',
      params,
      query: z.object(listQuery('name')),
      replies: {
        200: {
          description: 'A page of servers.',
          schema: listReply('servers', z.object({ name: z.string() })),
        },
      },
      async handle({ params: { id }, query }) {
        const rows = (await keys.serversOf(id)).map(name => ({ name }))
        return json(listed('servers', rows, query, ({ name }) => name))
      },
    }),
    endpoint({
      method: 'GET',
      path: '/pgmon/ssh-keys/{id}/download-public',
      access: 'admin',
      tag,
      summary: 'Gives the public part of an SSH key as a file',
      params,
      replies: {
        200: { description: 'A line for `authorized_keys`.', schema: z.string(), type: 'text/plain' },
      },
      async handle({ params: { id } }) {
        const key = await keys.of(id)
        return text(`${publicLine(key)}\n`, undefined, 200, {
          'Content-Disposition': `attachment; filename="${fileName(key.name)}.pub"`,
        })
      },
    }),
  ]
}

/** Digits of the largest number: as texts they come in the order of the numbers. */
const NUMBER_WIDTH = 10

const keyForm = (key: SshKey): SshKeyForm => ({
  id: key.ssh_key_id,
  name: key.name,
  description: key.description,
  key_type: key.kind,
  bits: key.bits,
  fingerprint: key.fingerprint,
  public_key: publicLine(key),
  servers_count: Number(key.servers),
  created_by: key.created_by,
  created_at: key.created_at.toISOString(),
})

/** The comment tells whoever reads `authorized_keys` later whose key it is. */
const publicLine = ({ public_key, name }: SshKey): string => `${public_key} ${name}`

/** Returns a name that no file system takes for anything else. */
const fileName = (name: string): string =>
  name.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+/, '') || 'key'

const toldOf = ({ ssh_key_id: id, kind: key_type, bits, fingerprint }: SshKey) => ({
  id,
  key_type,
  bits,
  fingerprint,
})
