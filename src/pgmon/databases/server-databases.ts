/** Connections to every server: made when somebody asks, thrown away when the server has changed. */
import { every } from '../../kit/clock.js'
import type { Destinations } from '../../http/destination.js'
import type { Ground } from '../part.js'
import type { Asking, Databases, PoolView, Server, ServerFaultCode, Servers } from '../ports.js'
import { clientOptions, ownOptions } from './client-options.js'
import { openEmbeddedLine } from './embedded-line.js'
import { asConnectFault, ServerFault } from './errors.js'
import { openLine } from './line.js'
import { type Connect, ServerPools } from './server-pools.js'
import type { DatabaseTiming } from './timing.js'

/** How often connections that nobody wants are looked for, ms. */
const TIDY_EVERY_MS = 5_000

export interface ServerDatabasesOptions {
  readonly ground: Ground
  readonly servers: Servers
  readonly destinations: Destinations
  readonly timing: DatabaseTiming
}

export class ServerDatabases implements Databases {
  readonly #ground: Ground
  readonly #servers: Servers
  readonly #destinations: Destinations
  readonly #timing: DatabaseTiming
  readonly #byId = new Map<number, ServerPools>()
  readonly #ends: readonly (() => void)[]
  /** Faults that callers met, since the start. */
  readonly faults = new Map<ServerFaultCode, number>()

  constructor({ ground, servers, destinations, timing }: ServerDatabasesOptions) {
    this.#ground = ground
    this.#servers = servers
    this.#destinations = destinations
    this.#timing = timing
    this.#ends = [
      servers.onChange(serverId => this.#changed(serverId)),
      every(ground.host.clock, TIDY_EVERY_MS, () => {
        for (const pools of this.#byId.values()) pools.tidy()
      }),
    ]
  }

  use<T>(server: Server, database: string | null, work: (db: Asking) => Promise<T>): Promise<T> {
    return this.#counted(async () => this.#poolsOf(server).use(database, work))
  }

  useNew<T>(server: Server, work: (db: Asking) => Promise<T>): Promise<T> {
    return this.#counted(async () => this.#poolsOf(server).useNew(work))
  }

  /** Whether every server that was asked for has answered. */
  get isWell(): boolean {
    return [...this.#byId.values()].every(({ isAway }) => !isAway)
  }

  pools(): readonly PoolView[] {
    const nowMs = this.#ground.host.clock.wallMs()
    return [...this.#byId.values()].flatMap(pools => pools.views(nowMs))
  }

  stop(): void {
    for (const end of this.#ends) end()
    const fault = new ServerFault('SERVER_AWAY', 'the coordinator stops')
    for (const pools of this.#byId.values()) pools.end(fault)
    this.#byId.clear()
  }

  /** Of what the server is now, whatever the caller knows of it. */
  #poolsOf({ serverId }: Server): ServerPools {
    const server = this.#servers.byId(serverId)
    if (server === null) throw new ServerFault('SERVER_DISABLED', 'it is not watched any more')
    if (!server.isEnabled) throw new ServerFault('SERVER_DISABLED', 'it is not enabled')
    const known = this.#byId.get(serverId)
    if (known !== undefined) return known
    const { clock, random } = this.#ground.host
    const isEmbedded = server.isOwn && this.#ground.room.kind === 'pglite'
    const pools = new ServerPools({
      server,
      isEmbedded,
      clock,
      random,
      waitMs: this.#timing.waitMs,
      connect: this.#connect,
    })
    this.#byId.set(serverId, pools)
    return pools
  }

  #changed(serverId: number): void {
    const pools = this.#byId.get(serverId)
    if (pools === undefined) return
    this.#byId.delete(serverId)
    pools.end(new ServerFault('SERVER_BUSY', 'it was changed just now; ask again'))
  }

  readonly #connect: Connect = async (server, database, silent) => {
    const { host, room } = this.#ground
    if (server.isOwn) {
      if (room.kind === 'postgres' && host.config.databaseUrl !== null)
        return openLine(ownOptions(host.config.databaseUrl, database, this.#timing), silent)
      if (database !== null) throw new ServerFault('SERVER_REFUSED', 'the embedded database is a single one')
      return openEmbeddedLine(room)
    }
    const password = await this.#passwordOf(server)
    const address = await this.#addressOf(server.host)
    const place = { address, database: database ?? server.database, password }
    return openLine(clientOptions(server, place, this.#timing), silent)
  }

  async #passwordOf(server: Server): Promise<string | null> {
    const password = await this.#servers.passwordOf(server)
    if (password === null && server.hasPassword)
      throw new ServerFault('SERVER_SECRET', 'its password was sealed by another key; set it again')
    return password
  }

  /** Looked up anew for each connection: a name may lead elsewhere by now. */
  async #addressOf(host: string): Promise<string> {
    try {
      return await this.#destinations.addressOfHost(host)
    } catch (error) {
      throw asConnectFault(error)
    }
  }

  async #counted<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof ServerFault) this.faults.set(error.code, (this.faults.get(error.code) ?? 0) + 1)
      throw error
    }
  }
}
