/**
 * Gathers what paths tell of their traffic, and accounts for it now and then.
 *
 *   heard … heard … ─► account, mark            while the process lives
 *   killed, started ─► what ended since the mark, as the mesh has stored it ─► account
 *
 * What a process has heard and not accounted for when it is killed is not lost: live paths tell it again, for their
 * figures are of all they ever carried, and the mesh keeps those that have ended.
 */
import { sql } from 'kysely'
import type { Log } from '../../app/mesh.js'
import type { MeshApi, PathTraffic } from '../../actors/ports.js'
import { type Clock, every } from '../../kit/clock.js'
import type { Room } from '../../store/index.js'
import type { ReportTables } from '../tables.js'
import { account } from './account.js'

export interface SamplerOptions {
  readonly mesh: Pick<MeshApi, 'serverId' | 'onTraffic' | 'endedTraffic' | 'stats'>
  readonly room: Room<ReportTables>
  readonly clock: Clock
  readonly log: Log
  /** How often traffic is accounted for, ms. */
  readonly everyMs: number
}

/** Paths of one transaction: it takes a few milliseconds, and others may have theirs in between. */
const GROUP_PATHS = 1_000
/** Wall clocks are set: how much earlier than the mark a path may have ended that was not heard of, ms. */
const MARGIN_MS = 60_000

export class Sampler {
  readonly #options: SamplerOptions
  readonly #endings: (() => void)[] = []
  /** The newest of each path. */
  #heard = new Map<string, PathTraffic>()
  /** When the process before us accounted last, ms; null: we have taken in what it has left. */
  #sinceMs: number | null
  #working: Promise<void> | null = null
  #isAway = false

  private constructor(options: SamplerOptions, sinceMs: number) {
    this.#options = options
    this.#sinceMs = sinceMs
    const { mesh, clock, everyMs } = options
    this.#endings.push(
      mesh.onTraffic(traffic => this.#heard.set(traffic.pathId, traffic)),
      every(clock, everyMs, () => void this.sample()),
    )
  }

  /** Resolves with a sampler that listens. */
  static async start(options: SamplerOptions): Promise<Sampler> {
    const { room, mesh, clock } = options
    // The first process of all begins here, even if it is killed before it accounts for anything.
    const mark = await room.ask(db =>
      db
        .insertInto('traffic_marks')
        .values({ server_id: mesh.serverId, accounted_at: new Date(clock.wallMs()) })
        .onConflict(q => q.column('server_id').doUpdateSet({ server_id: mesh.serverId }))
        .returning('accounted_at')
        .executeTakeFirstOrThrow(),
    )
    return new Sampler(options, mark.accounted_at.getTime())
  }

  /** Resolves when what was heard until now is accounted for, or waits for the database. Never rejects. */
  async sample(): Promise<void> {
    while (this.#working !== null) await this.#working
    this.#working = this.#sample()
      .catch((error: unknown) => {
        if (!this.#isAway) this.#options.log.warn({ err: error }, 'traffic waits to be accounted for')
        this.#isAway = true
      })
      .finally(() => {
        this.#working = null
      })
    await this.#working
  }

  /** Accounts for what was heard, and listens no more. */
  async stop(): Promise<void> {
    for (const end of this.#endings.splice(0)) end()
    await this.sample()
  }

  async #sample(): Promise<void> {
    const beganMs = this.#options.clock.wallMs()
    const isCaughtUp = await this.#catchUp()
    const hasHeard = this.#heard.size > 0
    while (this.#heard.size > 0) await this.#accountHeard()
    if (isCaughtUp && hasHeard) await this.#mark(beganMs)
    this.#isAway = false
  }

  async #accountHeard(): Promise<void> {
    const group = [...this.#heard.values()].slice(0, GROUP_PATHS)
    await this.#account(group)
    // What was heard meanwhile stays.
    for (const path of group) if (this.#heard.get(path.pathId) === path) this.#heard.delete(path.pathId)
  }

  /** Takes in what ended unaccounted before this process, once the mesh has stored what it found of it. */
  async #catchUp(): Promise<boolean> {
    const { mesh } = this.#options
    if (this.#sinceMs === null) return true
    if (mesh.stats().snapshot.state === 'backingOff') return false
    let after: PathTraffic | null = null
    for (;;) {
      const ended: readonly PathTraffic[] = await mesh.endedTraffic(
        this.#sinceMs - MARGIN_MS,
        after,
        GROUP_PATHS,
      )
      if (ended.length > 0) await this.#account(ended)
      after = ended.at(-1) ?? null
      if (ended.length < GROUP_PATHS) break
    }
    this.#sinceMs = null
    return true
  }

  async #account(paths: readonly PathTraffic[]): Promise<void> {
    const { room, clock } = this.#options
    await room.transact(tx => account(tx, paths, clock.wallMs()))
  }

  /** Everything that ended before this moment is accounted for. */
  async #mark(atMs: number): Promise<void> {
    const { room, mesh } = this.#options
    await room.ask(db =>
      sql`
        insert into traffic_marks (server_id, accounted_at) values (${mesh.serverId}, ${new Date(atMs)})
        on conflict (server_id) do update set accounted_at = excluded.accounted_at`.execute(db),
    )
  }
}
