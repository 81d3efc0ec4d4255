/** Looks at one server, at most once at a time, and remembers what it saw. */
import type { Clock } from '../../kit/clock.js'
import { ServerFault } from '../databases/errors.js'
import type { Databases, Disks, Server } from '../ports.js'
import { type Baseline, baselineOf } from './baseline.js'
import { DiskEye } from './disk-eye.js'
import { ServerStats } from './forms.js'
import { lookAt, type Sight } from './look.js'
import { isOfServer } from './section.js'
import type { Sizes } from './sizes.js'
import { type Moment, nothingOf, statsOf } from './stats.js'

export interface EyeOptions {
  readonly clock: Clock
  readonly databases: Databases
  readonly disks: Disks
  /** What a server is, before it has told so itself. */
  readonly kindOf: (server: Server) => ServerStats['kind']
  /** Called after each look. */
  readonly looked: (server: Server, now: ServerStats, before: ServerStats | null) => void
  /** Called when a look ends with what is no fault of the server. */
  readonly failed: (server: Server, error: unknown) => void
}

/** How long what was seen is told again, ms. */
const FRESH_MS = 5_000
/** Whoever has taken longer is asked no further question in this look, ms. */
const LATE_MS = 4_000
/** How long sizes are told again, ms. */
const SIZES_MS = 60_000

export class Eye {
  readonly server: Server
  readonly #options: EyeOptions
  readonly #diskEye: DiskEye
  #last: ServerStats | null = null
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #looking: Promise<ServerStats> | null = null
  #baseline: Baseline | null = null
  #sizes: Sizes | null = null
  #sizedAtMs = Number.NEGATIVE_INFINITY
  #dataDirectory: string | null = null

  constructor(server: Server, options: EyeOptions) {
    this.server = server
    this.#options = options
    this.#diskEye = new DiskEye(options.disks)
  }

  get last(): ServerStats | null {
    return this.#last
  }

  /** For how long what was seen is told again, ms. */
  get freshForMs(): number {
    return Math.max(0, this.#lookedAtMs + FRESH_MS - this.#options.clock.now())
  }

  /** Resolves with what the server tells, at most 5 s old. Never rejects. */
  stats(): Promise<ServerStats> {
    if (this.#last !== null && this.freshForMs > 0) return Promise.resolve(this.#last)
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async #look(): Promise<ServerStats> {
    const { clock, looked } = this.#options
    const before = this.#last
    this.#diskEye.ask(this.server, this.#dataDirectory)
    this.#last = await this.#see(clock.now())
    this.#lookedAtMs = clock.now()
    looked(this.server, this.#last, before)
    return this.#last
  }

  async #see(beganMs: number): Promise<ServerStats> {
    const { clock, databases, failed } = this.#options
    const isLate = () => clock.now() - beganMs > LATE_MS
    const areSizesFresh = clock.now() - this.#sizedAtMs < SIZES_MS
    const wishes = { isLate, sizes: areSizesFresh ? this.#sizes : null }
    try {
      const sight = await databases.use(this.server, null, db => lookAt(db, wishes))
      const stats = this.#read(sight, this.#momentAfter(beganMs))
      this.#remember(sight, areSizesFresh)
      return stats
    } catch (error) {
      if (!isOfServer(error)) failed(this.server, error)
      return this.#downOf(error, this.#momentAfter(beganMs))
    }
  }

  /** What calls itself PostgreSQL may answer anything. */
  #read(sight: Sight, moment: Moment): ServerStats {
    try {
      return ServerStats.parse(statsOf(this.server, sight, this.#baseline, this.#diskEye.seen, moment))
    } catch (cause) {
      throw new ServerFault('SERVER_REFUSED', 'it answers what PostgreSQL does not answer', { cause })
    }
  }

  #remember(sight: Sight, areSizesFresh: boolean): void {
    this.#baseline = baselineOf(sight, this.#baseline)
    this.#dataDirectory = sight.kind === 'pglite' ? null : sight.identity.data_directory
    this.#sizes = sight.sizes
    if (sight.sizes !== null && !areSizesFresh) this.#sizedAtMs = this.#options.clock.now()
  }

  /** A machine may live whose database does not, and have a full disk. */
  #downOf(error: unknown, moment: Moment): ServerStats {
    const fault = error instanceof Error ? error.message : String(error)
    const kind = this.#options.kindOf(this.server)
    const nothing = nothingOf(this.server, kind, { status: 'down', fault }, moment)
    return { ...nothing, disks: this.#diskEye.seen.disks }
  }

  #momentAfter(beganMs: number): Moment {
    const { clock } = this.#options
    return { checkedAtMs: clock.wallMs(), tookMs: Math.round((clock.now() - beganMs) * 10) / 10 }
  }
}
