/** An installation of the Python system as its files word it, and what became of it here. */
import { z } from 'zod'
import { oneOf, yesNo } from '../../http/fields.js'
import { TLS } from '../ports.js'

/** No line of its files is longer than a private key, characters. */
const TEXT_MAX = 65_536
const text = z
  .string({ error: 'wanted text' })
  .max(TEXT_MAX, { error: `wanted at most ${TEXT_MAX} characters` })
const maybeText = text.nullish().transform(given => given ?? '')
const port = (otherwise: number) =>
  z
    .union([z.int(), z.string().regex(/^\d{1,5}$/)], { error: 'wanted a port' })
    .nullish()
    .transform(given => Number(given ?? otherwise))

/** Fields that we do not know are of no use here, and in nobody’s way. */
const OldServer = z
  .looseObject({
    name: text,
    host: text,
    port: port(5_432),
    user: text,
    password: maybeText.meta({ description: 'A Fernet token, or as it is.' }),
    stats_db: maybeText,
    ssh_user: maybeText,
    ssh_password: maybeText.meta({ description: 'Likewise.' }),
    ssh_port: port(22),
    ssh_auth_type: maybeText.meta({ description: '`password`, or `key`.' }),
    ssh_key_id: maybeText,
    ssh_key_passphrase: maybeText.meta({ description: 'Likewise.' }),
  })
  .meta({ id: 'OldServer' })
export type OldServer = z.output<typeof OldServer>

const OldKey = z
  .looseObject({
    id: text,
    name: text,
    description: maybeText,
    private_key: text.meta({ description: 'What its file in `ssh_keys/private` has: a Fernet token.' }),
  })
  .meta({ id: 'OldSshKey' })
export type OldKey = z.output<typeof OldKey>

const OldUser = z.looseObject({ login: text, role: maybeText }).meta({ id: 'OldUser' })

const LIST_MAX = 1_000
const list = <T extends z.ZodType>(entry: T, what: string) =>
  z.array(entry, { error: `wanted a list of ${what}` }).max(LIST_MAX, { error: `wanted at most ${LIST_MAX}` })

/** A list, or an object whose names are those of the servers. */
const servers = z.preprocess(
  given =>
    typeof given === 'object' && given !== null && !Array.isArray(given)
      ? Object.entries(given).map(([name, entry]) => (typeof entry === 'object' ? { name, ...entry } : entry))
      : given,
  list(OldServer, 'servers'),
)

export const ImportWish = z.strictObject({
  encryption_key: z
    .string({ error: 'wanted the text of encryption_key.key' })
    .max(128, { error: 'wanted the text of encryption_key.key' })
    .meta({ description: 'The text of `encryption_key.key`.' }),
  servers: servers.meta({ description: 'What `servers.json` has.' }),
  ssh_keys: list(OldKey, 'SSH keys')
    .default([])
    .meta({ description: 'What `ssh_keys/keys.json` has, each with its `private_key`.' }),
  users: list(OldUser, 'users')
    .default([])
    .meta({ description: 'What `users.json` has. Its hashes of passwords cannot be used here.' }),
  tls: oneOf(...TLS)
    .default('require')
    .meta({
      description:
        'How the servers are reached. The Python system fell back to plain text where there was no TLS.',
    }),
  dry_run: yesNo
    .default(false)
    .meta({ description: 'Everything is opened and looked at, and nothing is kept.' }),
})
export type ImportWish = z.output<typeof ImportWish>

const Entry = z
  .object({
    name: z.string().meta({ description: 'As it is called here.' }),
    was: z.string().meta({ description: 'As it was called there.' }),
    outcome: z.enum(['imported', 'exists', 'failed', 'password_needed']),
    message: z.string().nullable().meta({ description: 'Why it failed, or what is still to be done.' }),
  })
  .meta({ id: 'ImportedEntry' })
export type Entry = z.output<typeof Entry>

export const ImportReport = z
  .object({
    dry_run: z.boolean().meta({ description: 'Then `imported` is what would be.' }),
    ssh_keys: z.array(Entry),
    servers: z.array(Entry),
    users: z.array(Entry),
  })
  .meta({ id: 'MonitorImport' })
export type ImportReport = z.output<typeof ImportReport>
