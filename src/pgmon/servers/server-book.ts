/** Every server that is watched: kept in the database, and in memory as it is asked for all the time. Secrets only ever sealed. */
import type { Updateable } from 'kysely'
import { conflict, notFound } from '../../http/faults.js'
import type { Ground } from '../part.js'
import type { Server, Servers } from '../ports.js'
import type { MonitorTables } from '../tables.js'
import type { ServerChange, ServerWish } from './bodies.js'
import { type ServerRecord, serverOf } from './rows.js'
import { changed, mustFit, type ServerState, stateOf, wrong } from './rules.js'

/** A coordinator looks after so many, and a list of them fits a screen or two. */
const SERVERS_MAX = 200

interface Entry {
  readonly row: ServerRecord
  readonly server: Server
}

export class ServerBook implements Servers {
  readonly #ground: Ground
  /** By their number, in the order that they are told in. */
  #entries: ReadonlyMap<number, Entry> = new Map()
  readonly #hearers = new Set<(serverId: number) => void>()

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /** Reads what there is, and tells of what has changed since. */
  async load(): Promise<void> {
    const rows = await this.#ground.room.ask(db => db.selectFrom('pgmon_servers').selectAll().execute())
    const before = this.#entries
    this.#set(rows)
    for (const [serverId, { server }] of this.#entries)
      if (before.get(serverId)?.server.revision !== server.revision) this.#tell(serverId)
    for (const serverId of before.keys()) if (!this.#entries.has(serverId)) this.#tell(serverId)
  }

  all(): readonly Server[] {
    return Array.from(this.#entries.values(), ({ server }) => server)
  }

  called(name: string): Server {
    return this.#called(name).server
  }

  byId(serverId: number): Server | null {
    return this.#entries.get(serverId)?.server ?? null
  }

  /** Returns a server as its form words it. */
  stateOf({ serverId }: Server): ServerState {
    return stateOf(this.#entry(serverId).row)
  }

  async passwordOf({ serverId }: Server): Promise<string | null> {
    return this.#opened(this.#entries.get(serverId)?.row.password, passwordPlace(serverId))
  }

  async sshPasswordOf({ serverId }: Server): Promise<string | null> {
    return this.#opened(this.#entries.get(serverId)?.row.ssh_password, sshPasswordPlace(serverId))
  }

  async pinHostKey(server: Server, hostKey: string): Promise<void> {
    // Of the machine that was asked, whatever the server says by now.
    if (this.byId(server.serverId)?.revision !== server.revision) throw changedMeanwhile(server.name)
    await this.change(server, { ssh_host_key: hostKey })
  }

  onChange(hear: (serverId: number) => void): () => void {
    this.#hearers.add(hear)
    return () => this.#hearers.delete(hear)
  }

  /** Resolves with the new server; rejects with a 409 when its name is taken or there are enough. */
  async add(wish: ServerWish, createdBy: string): Promise<Server> {
    if (this.#entries.size >= SERVERS_MAX)
      throw conflict(`there are ${SERVERS_MAX} servers already, which is the most`)
    const { password, ssh_password: sshPassword, ...rest } = wish
    const state = { ...rest, has_password: password !== null, has_ssh_password: sshPassword !== null }
    mustFit(state)
    const now = new Date(this.#ground.host.clock.wallMs())
    const row = await this.#writing(wish, () =>
      this.#ground.room.transact(async tx => {
        const { server_id: serverId } = await tx
          .insertInto('pgmon_servers')
          .values({
            ...columnsOf(state),
            is_own: false,
            created_by: createdBy,
            created_at: now,
            changed_at: now,
          })
          .returning('server_id')
          .executeTakeFirstOrThrow()
        // Sealed for its place, which has a number from now on.
        return tx
          .updateTable('pgmon_servers')
          .set({
            password: this.#sealed(password, passwordPlace(serverId)),
            ssh_password: this.#sealed(sshPassword, sshPasswordPlace(serverId)),
          })
          .where('server_id', '=', serverId)
          .returningAll()
          .executeTakeFirstOrThrow()
      }),
    )
    return this.#keep(row)
  }

  /** Resolves with a server as it is from now on; rejects with a 400 or a 409 that says what is in the way. */
  async change({ serverId }: Server, change: ServerChange): Promise<Server> {
    const { row } = this.#entry(serverId)
    const state = changed(stateOf(row), row.is_own, change)
    const { password, ssh_password: sshPassword } = change
    const columns: Updateable<MonitorTables['pgmon_servers']> = {
      ...columnsOf(state),
      changed_at: new Date(Math.max(this.#ground.host.clock.wallMs(), row.changed_at.getTime() + 1)),
      ...(password !== undefined && { password: this.#sealed(password, passwordPlace(serverId)) }),
      ...(sshPassword !== undefined && {
        ssh_password: this.#sealed(sshPassword, sshPasswordPlace(serverId)),
      }),
    }
    const after = await this.#writing(change, () =>
      this.#ground.room.ask(db =>
        db
          .updateTable('pgmon_servers')
          .set(columns)
          .where('server_id', '=', serverId)
          .where('changed_at', '=', row.changed_at)
          .returningAll()
          .executeTakeFirst(),
      ),
    )
    if (after !== undefined) return this.#keep(after)
    await this.load()
    throw changedMeanwhile(row.name)
  }

  /** What was kept of it goes when it is due to go; nobody can ask for it any more. */
  async remove({ serverId, isOwn }: Server): Promise<void> {
    if (isOwn)
      throw conflict('the coordinator’s own database stays: set enabled to false, and it is not asked')
    await this.#ground.room.ask(db =>
      db.deleteFrom('pgmon_servers').where('server_id', '=', serverId).execute(),
    )
    this.#set(this.#rows().filter(row => row.server_id !== serverId))
    this.#tell(serverId)
  }

  #called(name: string): Entry {
    for (const entry of this.#entries.values()) if (entry.server.name === name) return entry
    throw notFound(`there is no server ${name}`)
  }

  #entry(serverId: number): Entry {
    const entry = this.#entries.get(serverId)
    if (entry === undefined) throw notFound('the server is not watched any more')
    return entry
  }

  #rows(): readonly ServerRecord[] {
    return Array.from(this.#entries.values(), ({ row }) => row)
  }

  #keep(row: ServerRecord): Server {
    this.#set([...this.#rows().filter(other => other.server_id !== row.server_id), row])
    this.#tell(row.server_id)
    return this.#entry(row.server_id).server
  }

  #set(rows: readonly ServerRecord[]): void {
    const inOrder = rows.toSorted(
      (a, b) => Number(b.is_own) - Number(a.is_own) || (a.name < b.name ? -1 : Number(a.name > b.name)),
    )
    this.#entries = new Map(inOrder.map(row => [row.server_id, { row, server: serverOf(row) }]))
  }

  #tell(serverId: number): void {
    for (const hear of this.#hearers) hear(serverId)
  }

  #sealed(secret: string | null, place: string): Uint8Array | null {
    return secret === null ? null : this.#ground.host.vault.seal(secret, place)
  }

  #opened(sealed: Uint8Array | null | undefined, place: string): string | null {
    return sealed ? this.#ground.host.vault.open(sealed, place) : null
  }

  async #writing<T>(wish: ServerChange, write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null
      if (code === 'STORE_CONFLICT') throw conflict(`a server ${wish.name} is watched already`)
      if (code === REFERS_TO_NOTHING) throw wrong('ssh_key_id', `there is no SSH key ${wish.ssh_key_id}`)
      throw error
    }
  }
}

const changedMeanwhile = (name: string) =>
  conflict(`${name} was changed by somebody else just now: look at it, and try again`)

/** SQLSTATE. */
const REFERS_TO_NOTHING = '23503'

const passwordPlace = (serverId: number): string => `pgmon server ${serverId} password`
const sshPasswordPlace = (serverId: number): string => `pgmon server ${serverId} ssh password`

const columnsOf = (state: ServerState) => ({
  name: state.name,
  is_enabled: state.enabled,
  description: state.description,
  host: state.host,
  port: state.port,
  database: state.database,
  username: state.user,
  tls: state.tls,
  tls_ca: state.tls_ca,
  pool: state.pool,
  ssh_host: state.ssh_host,
  ssh_port: state.ssh_port,
  ssh_user: state.ssh_user,
  ssh_auth: state.ssh_auth,
  ssh_key_id: state.ssh_key_id,
  ssh_host_key: state.ssh_host_key,
})
