/** SSH keys as they are asked for and answered: never their private part. */
import { z } from 'zod'
import { moment, oneOf } from '../../http/fields.js'

const NAME_MAX = 64
const aName = `wanted 1 to ${NAME_MAX} characters that can be seen`
const name = z
  .string({ error: aName })
  .max(NAME_MAX, { error: aName })
  .regex(/^[^\p{C}\p{Z}](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u, { error: aName })
  .meta({ example: 'databases' })
const description = z.string({ error: 'wanted text' }).max(256, { error: 'wanted at most 256 characters' })
/** Of the longest RSA key that is taken, with room for what stands around it, characters. */
const KEY_TEXT_MAX = 32_768
const aKey = 'wanted the text of a private key'
const privateKey = z
  .string({ error: aKey })
  .min(1, { error: aKey })
  .max(KEY_TEXT_MAX, { error: `wanted at most ${KEY_TEXT_MAX} characters` })
  .meta({
    description: 'OpenSSH’s own form, or PEM: PKCS#1, SEC 1, PKCS#8. RSA from 2048 bits, Ed25519, ECDSA.',
  })
const passphrase = z
  .string({ error: 'wanted text' })
  .max(1_024, { error: 'wanted at most 1024 characters' })
  .meta({ description: 'It opens the key now, and is forgotten.' })

const RSA_BITS = [2_048, 3_072, 4_096] as const

export const GenerateWish = z
  .strictObject({
    name,
    key_type: oneOf('rsa', 'ed25519'),
    key_size: z
      .literal(RSA_BITS, { error: `wanted one of ${RSA_BITS.join(', ')}` })
      .optional()
      .meta({ description: 'Of an RSA key, bits; 4096 when absent.' }),
    description: description.default(''),
  })
  .refine(({ key_type, key_size }) => key_type === 'rsa' || key_size === undefined, {
    path: ['key_size'],
    error: 'an Ed25519 key has no other size than its own',
  })

export const ImportWish = z.strictObject({
  name,
  private_key: privateKey,
  passphrase: passphrase.optional(),
  description: description.default(''),
})
export type ImportWish = z.output<typeof ImportWish>

/** The same as a form with a file, which browsers and curl send. */
export const ImportFileWish = z.strictObject({
  file: privateKey.meta({ format: 'binary' }),
  name,
  passphrase: passphrase.optional(),
  description: description.default(''),
})

/** How a key is called. */
export const KeyWords = z.strictObject({ name, description })
export type KeyWords = z.output<typeof KeyWords>

export const KeyChange = KeyWords.partial().refine(change => Object.keys(change).length > 0, {
  error: 'wanted at least one field to change',
})

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
