/** SSH keys as they are answered: never their private part. */
import { z } from 'zod'
import { moment } from '../../http/fields.js'

export const SshKeyForm = z
  .object({
    id: z.int(),
    name: z.string(),
    description: z.string(),
    key_type: z.enum(['rsa', 'ed25519', 'ecdsa']),
    bits: z.int().nullable().meta({ description: 'Of an RSA key.' }),
    fingerprint: z.string().meta({ description: '`SHA256:…`, as `ssh-keygen -l` tells it.' }),
    public_key: z.string().meta({ description: 'A line for `authorized_keys`.' }),
    servers_count: z.int().meta({ description: 'Servers that use it.' }),
    created_by: z.string(),
    created_at: moment,
  })
  .meta({ id: 'SshKey' })
export type SshKeyForm = z.output<typeof SshKeyForm>

/** What `POST /pgmon/servers/{name}/test-ssh` answers, whether it went well or not. */
export const SshTest = z
  .object({
    ok: z.boolean(),
    message: z.string(),
    host_key: z
      .string()
      .nullable()
      .meta({ description: 'The key that the host showed, `SHA256:…`; null: it was not reached.' }),
    is_pinned: z.boolean().meta({ description: 'It is the one that is pinned.' }),
    took_ms: z.number(),
  })
  .meta({ id: 'SshTest' })
export type SshTest = z.output<typeof SshTest>
