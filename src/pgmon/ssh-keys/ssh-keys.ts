/** SSH keys in the database: their private parts only ever sealed, each for the key that it belongs to. */
import type { Selectable } from 'kysely'
import type { ParsedKey } from 'ssh2'
import type { Vault } from '../../app/plugin.js'
import { conflict, notFound } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { Keys } from '../ports.js'
import type { MonitorTables } from '../tables.js'
import type { KeyWords } from './forms.js'
import type { KeyParts } from './key-parts.js'

/** A key as it is shown. */
export interface SshKey extends Omit<Selectable<MonitorTables['pgmon_ssh_keys']>, 'private_key'> {
  /** Servers that use it. */
  readonly servers: string | number | null
}

export interface SshKeysOptions {
  readonly room: Room<MonitorTables>
  readonly clock: Pick<Clock, 'wallMs'>
  readonly vault: Vault
}

/** Each can be used by any number of servers. */
const KEYS_MAX = 256

export class SshKeys implements Keys {
  readonly #options: SshKeysOptions

  constructor(options: SshKeysOptions) {
    this.#options = options
  }

  /** Resolves with all of them: there are few. */
  all(): Promise<readonly SshKey[]> {
    return this.#options.room.ask(db => shownKeys(db).orderBy('name').execute())
  }

  /** Resolves with a key, or rejects with a 404. */
  async of(sshKeyId: number): Promise<SshKey> {
    const [key] = await this.#options.room.ask(db =>
      shownKeys(db).where('ssh_key_id', '=', sshKeyId).execute(),
    )
    return key ?? none(sshKeyId)
  }

  /** Rejects with a 409 when there is no room for another key, or none by this name: so that none is made for nothing. */
  async mustFit(name: string): Promise<void> {
    const all = await this.all()
    if (all.length >= KEYS_MAX) throw conflict(`there are ${KEYS_MAX} SSH keys already`)
    if (all.some(key => key.name === name)) throw taken(name)
  }

  /** Resolves with the new key; rejects with a 409 when its name is taken, or it is there already. */
  async add({ name, description }: KeyWords, parts: KeyParts, by: string): Promise<SshKey> {
    const { room, clock, vault } = this.#options
    const { kind, bits, publicKey, fingerprint, privateKey } = parts
    const row = await room.ask(db =>
      db
        .insertInto('pgmon_ssh_keys')
        .values({
          name,
          description,
          kind,
          bits,
          public_key: publicKey,
          fingerprint,
          private_key: vault.seal(privateKey, placeOf(fingerprint)),
          created_by: by,
          created_at: new Date(clock.wallMs()),
        })
        .onConflict(conflicting => conflicting.doNothing())
        .returning('ssh_key_id')
        .executeTakeFirst(),
    )
    if (row !== undefined) return this.of(row.ssh_key_id)
    const there = (await this.all()).find(key => key.fingerprint === fingerprint)
    throw there === undefined
      ? taken(name)
      : conflict(`this key is there already, under the name ${there.name}`)
  }

  /** Resolves with the key as it is called from now on; rejects with a 404, or a 409 when its name is taken. */
  async change(sshKeyId: number, words: Partial<KeyWords>): Promise<SshKey> {
    const { room } = this.#options
    await room
      .ask(db => db.updateTable('pgmon_ssh_keys').set(words).where('ssh_key_id', '=', sshKeyId).execute())
      .catch((error: unknown) => {
        throw codeOf(error) === 'STORE_CONFLICT' ? taken(words.name ?? '') : error
      })
    return this.of(sshKeyId)
  }

  /** Resolves with the key that is gone; rejects with a 404, or a 409 while servers use it. */
  async remove(sshKeyId: number): Promise<SshKey> {
    const { room } = this.#options
    const key = await this.of(sshKeyId)
    const gone = await room
      .ask(db =>
        db
          .deleteFrom('pgmon_ssh_keys')
          .where('ssh_key_id', '=', sshKeyId)
          .returning('ssh_key_id')
          .executeTakeFirst(),
      )
      .catch(async (error: unknown) => {
        throw IS_REFERRED_TO.has(codeOf(error)) ? inUse(await this.serversOf(sshKeyId)) : error
      })
    return gone === undefined ? none(sshKeyId) : key
  }

  /** Resolves with the names of the servers that use a key; rejects with a 404. */
  async serversOf(sshKeyId: number): Promise<readonly string[]> {
    await this.of(sshKeyId)
    const rows = await this.#options.room.ask(db =>
      db
        .selectFrom('pgmon_servers')
        .select('name')
        .where('ssh_key_id', '=', sshKeyId)
        .orderBy('name')
        .execute(),
    )
    return rows.map(({ name }) => name)
  }

  async privateKey(sshKeyId: number): Promise<ParsedKey | null> {
    const { room, vault } = this.#options
    const row = await room.ask(db =>
      db
        .selectFrom('pgmon_ssh_keys')
        .select(['fingerprint', 'private_key'])
        .where('ssh_key_id', '=', sshKeyId)
        .executeTakeFirst(),
    )
    const text = row === undefined ? null : vault.open(row.private_key, placeOf(row.fingerprint))
    if (text === null) return null
    // Only who asks a host by a key pays for what speaks SSH.
    const { readPrivateKey } = await import('../../ssh/private-key.js')
    return readPrivateKey(text)
  }

  async has(sshKeyId: number): Promise<boolean> {
    const row = await this.#options.room.ask(db =>
      db
        .selectFrom('pgmon_ssh_keys')
        .select('ssh_key_id')
        .where('ssh_key_id', '=', sshKeyId)
        .executeTakeFirst(),
    )
    return row !== undefined
  }
}

type Asked = Parameters<Parameters<Room<MonitorTables>['ask']>[0]>[0]

const shownKeys = (db: Asked) =>
  db
    .selectFrom('pgmon_ssh_keys as keys')
    .select([
      'ssh_key_id',
      'name',
      'description',
      'kind',
      'bits',
      'public_key',
      'fingerprint',
      'created_by',
      'created_at',
    ])
    .select(eb =>
      eb
        .selectFrom('pgmon_servers')
        .select(({ fn }) => fn.countAll<string | number>().as('count'))
        .whereRef('pgmon_servers.ssh_key_id', '=', 'keys.ssh_key_id')
        .as('servers'),
    )

/** SQLSTATE: a row that stays refers to the one that was to go. PostgreSQL says the first since version 18. */
const IS_REFERRED_TO: ReadonlySet<unknown> = new Set(['23001', '23503'])

/** A private key opens only beside the public one that it belongs to. */
const placeOf = (fingerprint: string): string => `pgmon ssh key ${fingerprint}`

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

const inUse = (servers: readonly string[]) =>
  conflict(`${servers.join(', ')} ${servers.length === 1 ? 'uses' : 'use'} it: give them another key first`)

const taken = (name: string) => conflict(`there is an SSH key with the name ${name} already`)

function none(sshKeyId: number): never {
  throw notFound(`there is no SSH key ${sshKeyId}`)
}
