/** Every pool to one server: of the database it is known by, and of the others that were asked for lately. */
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { Asking, PoolView, Server } from '../ports.js'
import { ServerFault } from './errors.js'
import { Gate } from './gate.js'
import type { Line } from './line.js'
import { Pool } from './pool.js'
import { EMBEDDED, OTHER, OTHERS_MAX, PROFILES } from './profiles.js'

/** Makes a connection; calls `silent` when one of its answers stays away. Rejects with a `ServerFault`. */
export type Connect = (
  server: Server,
  database: string | null,
  silent: (fault: ServerFault) => void,
) => Promise<Line>

export interface ServerPoolsOptions {
  readonly server: Server
  readonly isEmbedded: boolean
  readonly clock: Clock
  readonly random: Random
  /** How long a caller waits for a connection, ms. */
  readonly waitMs: number
  readonly connect: Connect
}

interface Entry {
  readonly pool: Pool
  readonly gate: Gate
}

export class ServerPools {
  readonly server: Server
  readonly #options: ServerPoolsOptions
  /** By database; null: the one that the server is known by. */
  readonly #pools = new Map<string | null, Entry>()
  /** Shut while the server is away, for all of its databases. */
  readonly #gate: Gate
  /** Whether a connection is made whatever the gate says. */
  #isTried = false

  constructor(options: ServerPoolsOptions) {
    const { server, clock, random } = options
    this.server = server
    this.#options = options
    this.#gate = new Gate({ clock, random, shutBy: code => code === 'SERVER_AWAY' })
  }

  /** Whether it does not answer, or does not let us into the database that it is known by. */
  get isAway(): boolean {
    return this.#gate.shut !== null || (this.#pools.get(null)?.gate.shut ?? null) !== null
  }

  use<T>(database: string | null, work: (db: Asking) => Promise<T>): Promise<T> {
    const named = database === this.server.database ? null : database
    return this.#entry(named).pool.use(work)
  }

  /** Runs statements on a connection of their own, made now, however long the server has been away. */
  async useNew<T>(work: (db: Asking) => Promise<T>): Promise<T> {
    if (this.#isTried) throw new ServerFault('SERVER_BUSY', 'it is being connected to just now')
    this.#isTried = true
    try {
      const line = await this.#connect(null)
      this.#gate.open()
      this.#pools.get(null)?.gate.open()
      return await work(line).finally(() => line.close())
    } finally {
      this.#isTried = false
    }
  }

  views(nowMs: number): readonly PoolView[] {
    return Array.from(this.#pools, ([database, { pool, gate }]) => {
      const shut = this.#gate.shut ?? gate.shut
      const { min, max } = this.#sizeOf(database)
      return {
        server: this.server.name,
        database: database ?? this.server.database,
        profile: this.server.pool,
        min,
        max,
        total: pool.total,
        idle: pool.idle,
        waiting: pool.waiting,
        state: shut === null ? 'open' : 'away',
        fault: shut?.fault.message ?? null,
        retryAtMs: shut === null ? null : nowMs + Math.ceil(shut.forMs),
      }
    })
  }

  /** Closes connections that nobody wants, and forgets databases that nobody asks for. */
  tidy(): void {
    for (const [database, { pool, gate }] of this.#pools) {
      const isResting = (gate.shut?.forMs ?? 0) > 0
      if (pool.tidy() && database !== null && !isResting) this.#pools.delete(database)
    }
  }

  end(fault: ServerFault): void {
    for (const { pool } of this.#pools.values()) pool.end(fault)
    this.#pools.clear()
  }

  #entry(database: string | null): Entry {
    const known = this.#pools.get(database)
    if (known !== undefined) return known
    if (database !== null) this.#makeRoom()
    const { clock, random, waitMs } = this.#options
    const gate = new Gate({ clock, random, shutBy: code => code !== 'SERVER_AWAY' })
    const open = () => gate.pass(() => this.#gate.pass(() => this.#connect(database)))
    const refusal = () => this.#gate.refusal() ?? gate.refusal()
    const entry = { gate, pool: new Pool({ clock, waitMs, ...this.#sizeOf(database), open, refusal }) }
    this.#pools.set(database, entry)
    return entry
  }

  #connect(database: string | null): Promise<Line> {
    const { connect, server } = this.#options
    return connect(server, database, fault => {
      this.#gate.close(fault)
      // What is open to a server that is silent is of no use when it comes back.
      for (const { pool } of this.#pools.values()) pool.drop(fault)
    })
  }

  #makeRoom(): void {
    const others = [...this.#pools].flatMap(([database, { pool }]) =>
      database === null ? [] : { database, pool },
    )
    if (others.length < OTHERS_MAX) return
    const [oldest] = others
      .filter(({ pool }) => !pool.isBusy)
      .toSorted((a, b) => a.pool.usedAtMs - b.pool.usedAtMs)
    if (oldest === undefined)
      throw new ServerFault('SERVER_BUSY', `${OTHERS_MAX} of its databases are being asked already`)
    oldest.pool.end(new ServerFault('SERVER_BUSY', 'another database took its place'))
    this.#pools.delete(oldest.database)
  }

  #sizeOf(database: string | null) {
    if (this.#options.isEmbedded) return EMBEDDED
    return database === null ? PROFILES[this.server.pool] : OTHER
  }
}
