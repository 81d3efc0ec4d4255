/**
 * Visits servers, every so often, and keeps what they tell.
 *
 *   pgmon_rounds ──due──→ claimed ──→ a few servers at a time, one visit each ──→ pgmon_…_samples
 *
 * A server that hangs keeps one place for a bounded time, and is not visited again until it has answered; nobody waits
 * for it. What was missed is not made up: there is a gap then, and `error` of the round says why.
 */
import type { PluginHost } from '../../app/plugin.js'
import { every } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { Server, Servers } from '../ports.js'
import type { MonitorTables } from '../tables.js'
import { readCounters } from './counters.js'
import { nextDueMs, sampleAtMs } from './due.js'
import { type Collector, COLLECTORS } from './forms.js'
import { keepStatement, samplesIn } from './keep.js'
import type { Partitions } from './partitions.js'
import type { Outcome, RoundCounts } from './round-counts.js'
import { type ClaimedRound, type KeptRound, type Round, RoundTable } from './round-table.js'
import type { Settings } from './settings.js'
import { type Found, VisitFailed, type VisitParts, VISITS, wordsOf } from './visit.js'

export interface CollectorsOptions extends Pick<PluginHost, 'clock' | 'log'> {
  readonly room: Room<MonitorTables>
  readonly servers: Servers
  readonly visits: VisitParts
  readonly settings: Settings
  readonly partitions: Partitions
  readonly counts: RoundCounts
  /** Called when a visit is over. */
  readonly visited: (server: Server, visit: Visited) => void
}

/** What became of a visit. */
export interface Visited {
  readonly collector: Collector
  readonly outcome: Outcome
  readonly tookMs: number
  readonly samples: number
  /** null: it was good. */
  readonly error: string | null
  readonly deadlocks: number
}

/** How often it is looked for what is due, ms. */
const LOOK_MS = 5_000
/** Servers that are visited at a time. */
const SERVERS_MAX = 8
/** Rounds that are looked at to find those servers: each has four. */
const ROUNDS_MAX = SERVERS_MAX * COLLECTORS.length
/** For a visit, ms: a look is bounded by 8 s; 20 databases take longer. */
const VISIT_MS: Readonly<Record<Collector, number>> = {
  activity: 20_000,
  sizes: 20_000,
  disk: 30_000,
  upkeep: 180_000,
}
/** Of a server that was not visited for so many times, rates are not told: they would say nothing of the moment. */
const MISSED_MAX = 3

export class Collectors {
  readonly #options: CollectorsOptions
  readonly #table: RoundTable
  /** Servers whose rounds are in the database. */
  readonly #added = new Set<number>()
  /** Servers that are being visited, or have not answered yet. */
  readonly #busy = new Set<number>()
  /** What servers have not answered yet, although nobody waits for it any more. */
  readonly #late = new Map<number, Promise<void>>()
  readonly #stops: readonly (() => void)[]
  #visiting = 0
  #looking: Promise<void> | null = null
  #isStopped = false

  constructor(options: CollectorsOptions) {
    this.#options = options
    this.#table = new RoundTable(options.room)
    const { clock, settings, servers } = options
    this.#stops = [
      every(clock, LOOK_MS, () => void this.look()),
      settings.onChange(() => void this.#hasten()),
      servers.onChange(serverId => void this.#added.delete(serverId)),
    ]
  }

  /** Servers that are being visited just now. */
  get visiting(): number {
    return this.#visiting
  }

  /** Resolves with when each collector visits each server. */
  rounds(): Promise<readonly KeptRound[]> {
    return this.#table.all()
  }

  /** Begins what is due, as far as there is room; resolves when it has begun. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        this.#options.log.debug({ err: error }, 'visits to databases wait')
      })
      .finally(() => {
        this.#looking = null
      })
    return this.#looking
  }

  /** Visits a server now, with every collector; resolves with what became of it, null when it is being visited already. */
  async visitNow(server: Server): Promise<readonly Visited[] | null> {
    const { serverId } = server
    if (this.#busy.has(serverId)) return null
    this.#busy.add(serverId)
    try {
      await this.#add([server])
      const claimed = await this.#claim(await this.#table.of(serverId))
      const dueAtMs = Math.floor(this.#options.clock.wallMs() / 1_000) * 1_000
      return await this.#visitAll(
        server,
        claimed.map(round => ({ ...round, dueAtMs })),
      )
    } finally {
      this.#free(serverId)
    }
  }

  /** Begins nothing more, and waits for nobody. */
  stop(): void {
    this.#isStopped = true
    for (const stop of this.#stops) stop()
  }

  async #look(): Promise<void> {
    if (this.#visiting >= SERVERS_MAX) return
    const { servers } = this.#options
    const enabled = servers.all().filter(({ isEnabled }) => isEnabled)
    await this.#add(enabled)
    for (;;) {
      const claimed = await this.#claimNext(enabled)
      if (claimed.size === 0) return
      for (const [serverId, rounds] of claimed) {
        const server = servers.byId(serverId)
        const visiting = server === null ? Promise.resolve() : this.#visitAll(server, rounds)
        void visiting.finally(() => {
          this.#free(serverId)
          void this.look()
        })
      }
    }
  }

  /** Resolves with rounds that are to be done now, by server; those servers are busy from now on. */
  async #claimNext(servers: readonly Server[]): Promise<ReadonlyMap<number, readonly ClaimedRound[]>> {
    const free = SERVERS_MAX - this.#visiting
    const ready = servers.map(({ serverId }) => serverId).filter(serverId => !this.#busy.has(serverId))
    if (free <= 0 || ready.length === 0 || this.#isStopped) return new Map()
    const due = await this.#table.due(ready, this.#options.clock.wallMs(), ROUNDS_MAX)
    const chosen = [...new Set(due.map(({ serverId }) => serverId))]
      .filter(serverId => !this.#busy.has(serverId))
      .slice(0, free)
    if (chosen.length === 0) return new Map()
    for (const serverId of chosen) this.#busy.add(serverId)
    const claimed = new Map<number, ClaimedRound[]>()
    try {
      for (const round of await this.#claim(due.filter(({ serverId }) => chosen.includes(serverId))))
        claimed.set(round.serverId, [...(claimed.get(round.serverId) ?? []), round])
      return claimed
    } finally {
      for (const serverId of chosen) if (!claimed.has(serverId)) this.#free(serverId)
    }
  }

  /** Who has not answered yet is not asked anything else. */
  #free(serverId: number): void {
    const late = this.#late.get(serverId)
    this.#late.delete(serverId)
    if (late === undefined) this.#busy.delete(serverId)
    else void late.then(() => this.#busy.delete(serverId))
  }

  /** A server that is new is visited at once: nobody wants to look at nothing for ten minutes. */
  async #add(servers: readonly Server[]): Promise<void> {
    const fresh = servers.filter(({ serverId }) => !this.#added.has(serverId))
    if (fresh.length === 0) return
    const dueAtMs = this.#options.clock.wallMs()
    await this.#table.add(
      fresh.flatMap(({ serverId }) => COLLECTORS.map(collector => ({ serverId, collector, dueAtMs }))),
    )
    for (const { serverId } of fresh) this.#added.add(serverId)
  }

  #claim(rounds: readonly Round[]): Promise<readonly ClaimedRound[]> {
    const nowMs = this.#options.clock.wallMs()
    return this.#table.claim(rounds, round => this.#nextMs(round, nowMs))
  }

  #nextMs({ serverId, collector }: Round, afterMs: number): number {
    const { settings } = this.#options
    return nextDueMs(serverId, settings.everyMs(collector), settings.everyMs('activity'), afterMs)
  }

  /** What comes oftener from now on does not wait for when it would have come. */
  async #hasten(): Promise<void> {
    const nowMs = this.#options.clock.wallMs()
    try {
      const all = await this.#table.all()
      await this.#claim(all.filter(round => round.dueAtMs > this.#nextMs(round, nowMs)))
    } catch (error) {
      this.#options.log.debug({ err: error }, 'visits to databases come as before for once')
    }
  }

  /** One visit after the other: what the first one has asked, the others need not. */
  async #visitAll(server: Server, rounds: readonly ClaimedRound[]): Promise<readonly Visited[]> {
    this.#visiting++
    try {
      const over: Visited[] = []
      for (const round of rounds) over.push(await this.#visit(server, round))
      return over
    } finally {
      this.#visiting--
    }
  }

  async #visit(server: Server, round: ClaimedRound): Promise<Visited> {
    const { clock, visited, counts, partitions, log } = this.#options
    const { collector, dueAtMs } = round
    const beganMs = clock.now()
    const atMs = sampleAtMs(dueAtMs, clock.wallMs())
    const { found, error, isDown } = await this.#ask(server, round, atMs)
    const tookMs = clock.now() - beganMs
    const over = {
      serverId: server.serverId,
      collector,
      atMs,
      endedAtMs: clock.wallMs(),
      tookMs,
      found,
      error,
    }
    let samples = found === null ? 0 : samplesIn(found)
    let outcome: Outcome = isDown ? 'down' : found === null ? 'failed' : 'kept'
    try {
      await partitions.write(atMs, keepStatement(over))
    } catch (thrown) {
      samples = 0
      outcome = 'lost'
      log.debug({ err: thrown, server: server.name, collector }, 'what a database told was not kept')
    }
    counts.visited(collector, outcome, tookMs, samples)
    const visit = { collector, outcome, tookMs, samples, error, deadlocks: found?.deadlocks ?? 0 }
    visited(server, visit)
    return visit
  }

  async #ask(server: Server, { collector, counters }: ClaimedRound, atMs: number): Promise<Answer> {
    const { clock, visits } = this.#options
    const { serverId } = server
    if (this.#late.has(serverId)) return { found: null, error: 'it has not answered yet', isDown: true }
    const asked = VISITS[collector](visits, server, this.#readCounters(counters, collector, atMs))
    try {
      return { found: await within(clock, VISIT_MS[collector], asked), error: null, isDown: false }
    } catch (error) {
      if (error instanceof LateError) this.#late.set(serverId, asked.then(nothing, nothing))
      const isDown = error instanceof LateError || (error instanceof VisitFailed && error.isDown)
      return { found: null, error: wordsOf(error), isDown }
    }
  }

  #readCounters(left: unknown, collector: Collector, nowMs: number) {
    const counters = collector === 'activity' ? readCounters(left) : null
    if (counters === null) return null
    const longestMs = MISSED_MAX * this.#options.settings.everyMs(collector)
    return nowMs - counters.at_s * 1_000 > longestMs ? null : counters
  }
}

type Answer = Pick<Visited, 'error'> & { readonly found: Found | null; readonly isDown: boolean }

const nothing = (): void => {}

/** It has not answered in time, and may still do so. */
class LateError extends Error {
  override readonly name = 'LateError'
  readonly code = 'VISIT_LATE'
}

function within<T>(clock: PluginHost['clock'], ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(
      () => reject(new LateError(`it did not answer within ${Math.round(ms / 1_000)} s`)),
      ms,
    )
    promise.then(resolve, reject).finally(() => clock.clearTimeout(timer))
  })
}
