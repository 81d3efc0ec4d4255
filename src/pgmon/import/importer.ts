/**
 * Takes over an installation of the Python system: its SSH keys first, then the servers that use them. What is here already
 * stays as it is, so that whoever repeats an import repeats nothing.
 */
import type { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { type Caller, nameOf } from '../../http/caller.js'
import type { Destinations } from '../../http/destination.js'
import { badRequest, HttpError } from '../../http/faults.js'
import type { Server } from '../ports.js'
import { ServerCreate } from '../servers/bodies.js'
import type { ServerBook } from '../servers/server-book.js'
import { KeyWords } from '../ssh-keys/forms.js'
import type { KeyParts } from '../ssh-keys/key-parts.js'
import type { KeyWork } from '../ssh-keys/key-work.js'
import type { SshKeys } from '../ssh-keys/ssh-keys.js'
import { type FernetKey, readFernetKey } from './fernet.js'
import type { Entry, ImportReport, ImportWish, OldKey, OldServer } from './forms.js'
import { opened, Sealed, translated } from './old-server.js'

export interface ImporterOptions {
  readonly audit: PluginHost['audit']
  readonly servers: Pick<ServerBook, 'all' | 'add'>
  readonly keys: Pick<SshKeys, 'all' | 'mustFit' | 'add'>
  readonly work: Pick<KeyWork, 'do'>
  readonly destinations: Pick<Destinations, 'hostComplaint'>
}

interface Round {
  readonly wish: ImportWish
  readonly key: FernetKey
  readonly caller: Caller
  /** Which number a key of theirs has here. */
  readonly keyIds: Map<string, number>
}

/** What is longer is cut. */
const DESCRIPTION_MAX = 256
/** Of a key that would be there if this were no trial. */
const SOME_KEY = 1

const NEEDS_PASSWORD = 'its password cannot be taken over: make the account anew, and give it another'

export class Importer {
  readonly #options: ImporterOptions

  constructor(options: ImporterOptions) {
    this.#options = options
  }

  /** Resolves with what became of each entry; rejects with a 400 when the key is none. */
  async run(wish: ImportWish, caller: Caller): Promise<ImportReport> {
    const key = readFernetKey(wish.encryption_key)
    if (key === null) throw badRequest('encryption_key: wanted a Fernet key: 32 bytes in base64url')
    const round: Round = { wish, key, caller, keyIds: new Map() }
    const report: ImportReport = { dry_run: wish.dry_run, ssh_keys: [], servers: [], users: [] }
    for (const old of wish.ssh_keys)
      report.ssh_keys.push(await this.#told(old.name, () => this.#takeKey(old, round)))
    for (const old of wish.servers)
      report.servers.push(await this.#told(old.name, () => this.#takeServer(old, round)))
    report.users = wish.users.map(({ login }) => ({
      name: login,
      was: login,
      outcome: 'password_needed',
      message: NEEDS_PASSWORD,
    }))
    return report
  }

  /** What is wrong with an entry is told, and the next one is taken; what is wrong with us ends the import. */
  async #told(was: string, take: () => Promise<Omit<Entry, 'was'>>): Promise<Entry> {
    try {
      return { ...(await take()), was }
    } catch (error) {
      const isTheirs = error instanceof Sealed || (error instanceof HttpError && error.statusCode < 500)
      if (!isTheirs) throw error
      return { name: was, was, outcome: 'failed', message: error.message }
    }
  }

  async #takeKey(old: OldKey, round: Round): Promise<Omit<Entry, 'was'>> {
    const { keys, audit } = this.#options
    const { wish, caller, keyIds } = round
    const { name, description } = checked(KeyWords, {
      name: old.name.trim(),
      description: old.description.slice(0, DESCRIPTION_MAX),
    })
    const parts = await this.#openKey(old, round)
    const there = (await keys.all()).find(({ fingerprint }) => fingerprint === parts.fingerprint)
    if (there !== undefined) {
      keyIds.set(old.id, there.ssh_key_id)
      return { name: there.name, outcome: 'exists', message: null }
    }
    await keys.mustFit(name)
    if (wish.dry_run) {
      keyIds.set(old.id, SOME_KEY)
      return { name, outcome: 'imported', message: null }
    }
    const { ssh_key_id: id, kind, fingerprint } = await keys.add({ name, description }, parts, nameOf(caller))
    keyIds.set(old.id, id)
    const detail = { id, key_type: kind, fingerprint, was: old.id }
    audit({ kind: 'ssh_key.imported', actor: nameOf(caller), subject: name, detail })
    return { name, outcome: 'imported', message: null }
  }

  /** A passphrase is kept with each server that uses the key. */
  async #openKey(old: OldKey, { wish, key }: Round): Promise<KeyParts> {
    const text = opened(old.private_key, key, 'private_key')
    const sealed = wish.servers.find(
      ({ ssh_key_id: id, ssh_key_passphrase: passphrase }) => id === old.id && passphrase !== '',
    )?.ssh_key_passphrase
    const passphrase = sealed === undefined ? null : opened(sealed, key, 'ssh_key_passphrase')
    return this.#options.work.do({ do: 'open', text, passphrase })
  }

  async #takeServer(old: OldServer, { wish, key, caller, keyIds }: Round): Promise<Omit<Entry, 'was'>> {
    const { servers, destinations, audit } = this.#options
    const keyIdOf = (oldId: string) => keyIds.get(oldId) ?? null
    const { wish: words, todo } = translated(old, { key, tls: wish.tls, keyIdOf })
    const { name } = words
    if (servers.all().some(server => server.name === name)) return { name, outcome: 'exists', message: null }
    const fields = checked(ServerCreate, words)
    const complaint = destinations.hostComplaint(words.host)
    if (complaint !== null) throw badRequest(`host: ${complaint}`)
    if (!wish.dry_run) {
      const server = await servers.add(fields, nameOf(caller))
      audit({
        kind: 'monitored_server.added',
        actor: nameOf(caller),
        subject: name,
        detail: toldOf(server, old),
      })
    }
    return { name, outcome: 'imported', message: todo }
  }
}

/** Returns what a schema makes of an entry; throws a 400 that says what is wrong with it. */
function checked<S extends z.ZodType>(schema: S, entry: unknown): z.output<S> {
  const { success, data, error } = schema.safeParse(entry)
  if (success) return data
  throw badRequest(error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '))
}

const toldOf = ({ host, port, database, user, tls }: Server, { name: was }: OldServer) => ({
  host,
  port,
  database,
  user,
  tls,
  was,
})
