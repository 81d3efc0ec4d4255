/**
 * Sees in what is told of servers what has befallen them, and has it written down.
 *
 *   a look, a visit ──→ what is otherwise than before ──→ waits ──→ the event log
 *
 * What waits outlasts a database that is away: that may be the very server that it is about.
 */
import type { PluginHost } from '../../app/plugin.js'
import type { ServerStats } from '../figures/forms.js'
import type { Server } from '../ports.js'
import type { Visited } from './collectors.js'
import { COLLECTOR_FAILED, type Condition, CONDITIONS, DOWN, MEASURED } from './conditions.js'
import type { EventLog, MonitorEvent } from './event-log.js'

export interface WatchOptions extends Pick<PluginHost, 'clock' | 'log'> {
  readonly events: EventLog
}

/** What is known of a server from before. */
interface Known {
  /** Conditions that hold. */
  readonly holding: Set<Condition>
  /** Looks in a row that found it down. */
  downs: number
  /** When the first of these was, ms since 1970 UTC. */
  downSinceMs: number
  isReplica: boolean | null
  startedAt: string | null
  version: string | null
}

/** Looks that find a server down before that is told: one may be bad luck. */
const DOWNS = 2
/** Two starts that are closer together are one: servers tell the moment to the microsecond, and clocks are put right, ms. */
const START_MS = 2_000
/** Events that wait for the database; the oldest go first. */
const WAITING_MAX = 1_000

const ROLES = ['server.replica', 'server.primary'] as const

export class Watch {
  readonly #options: WatchOptions
  /** Null while it is being read. */
  readonly #known = new Map<number, Known | null>()
  #waiting: MonitorEvent[] = []
  #writing = false

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Hears what a server told of itself, or that it did not. */
  looked(server: Server, stats: ServerStats): void {
    if (stats.status !== 'up' && stats.status !== 'down') return
    const known = this.#knownOf(server)
    if (known === null) return
    const events = stats.status === 'down' ? downed(known, stats) : told(known, stats)
    const { clock, log } = this.#options
    for (const { kind } of events) {
      if (kind === DOWN.begins) log.warn({ server: server.name }, 'a monitored database is down')
      if (kind === DOWN.ends) log.info({ server: server.name }, 'a monitored database is up again')
    }
    this.#write(events.map(event => ({ atMs: clock.wallMs(), ...event, serverId: server.serverId })))
  }

  /** Hears what became of a visit. */
  visited(server: Server, { collector, outcome, error, deadlocks }: Visited): void {
    const known = this.#knownOf(server)
    if (known === null || outcome === 'down' || outcome === 'lost') return
    const failed = COLLECTOR_FAILED[collector]
    const events =
      outcome === 'failed'
        ? begun(known, failed, `its ${collector} cannot be collected: ${error}`)
        : ended(known, failed, `its ${collector} is collected again`)
    const locked: Told[] =
      deadlocks === 0
        ? []
        : [
            {
              level: 'warn',
              kind: 'deadlocks',
              message: deadlocks === 1 ? 'a deadlock was broken' : `${deadlocks} deadlocks were broken`,
              unless: null,
            },
          ]
    const atMs = this.#options.clock.wallMs()
    this.#write([...events, ...locked].map(event => ({ atMs, ...event, serverId: server.serverId })))
  }

  /** Events that are not written yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Returns whether it is known what befell a server before: until then nothing new is seen. */
  knows(serverId: number): boolean {
    return this.#known.get(serverId) != null
  }

  /** Forgets a server that is gone. */
  forget(serverId: number): void {
    this.#known.delete(serverId)
  }

  #knownOf({ serverId }: Server): Known | null {
    const known = this.#known.get(serverId)
    if (known === undefined) void this.#read(serverId)
    return known ?? null
  }

  /** What was begun before the coordinator was, and elsewhere, is ended by whoever sees its end. */
  async #read(serverId: number): Promise<void> {
    this.#known.set(serverId, null)
    try {
      const sets = [...CONDITIONS.map(({ begins, ends }) => [begins, ends]), ROLES]
      const last = await this.#options.events.lastOf(serverId, sets)
      const role = last.at(-1)
      this.#known.set(serverId, {
        holding: new Set(CONDITIONS.filter(({ begins }, i) => last[i] === begins)),
        downs: 0,
        downSinceMs: 0,
        isReplica: role == null ? null : role === ROLES[0],
        startedAt: null,
        version: null,
      })
    } catch (error) {
      this.#known.delete(serverId)
      this.#options.log.debug({ err: error }, 'what befell a database before waits to be read')
    }
  }

  #write(events: readonly MonitorEvent[]): void {
    this.#waiting.push(...events)
    this.#waiting.splice(0, this.#waiting.length - WAITING_MAX)
    if (this.#waiting.length > 0 && !this.#writing) void this.#flush()
  }

  async #flush(): Promise<void> {
    this.#writing = true
    try {
      for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
        try {
          await this.#options.events.add(next)
        } catch (error) {
          if (!isGone(error)) throw error
        }
        this.#waiting = this.#waiting.filter(event => event !== next)
      }
    } catch (error) {
      this.#options.log.debug({ err: error }, 'what befell a database waits to be written')
    } finally {
      this.#writing = false
    }
  }
}

type Told = Omit<MonitorEvent, 'serverId' | 'atMs'> & Partial<Pick<MonitorEvent, 'atMs'>>

function downed(known: Known, { checked_at, fault }: ServerStats): readonly Told[] {
  if (known.downs === 0) known.downSinceMs = Date.parse(checked_at)
  known.downs++
  if (known.downs < DOWNS) return []
  const events = begun(known, DOWN, fault ?? 'it does not answer')
  return events.map(event => ({ ...event, atMs: known.downSinceMs }))
}

function told(known: Known, stats: ServerStats): readonly Told[] {
  known.downs = 0
  const measured = MEASURED.flatMap(condition => {
    const holds = condition.holds(stats, known.holding.has(condition))
    if (holds === null) return []
    return holds ? begun(known, condition, condition.words(stats)) : ended(known, condition, condition.after)
  })
  return [...ended(known, DOWN, 'it answers again'), ...changed(known, stats), ...measured]
}

/** What is otherwise than when it was last up. */
function changed(known: Known, { replication, started_at, version }: ServerStats): readonly Told[] {
  const before = { ...known }
  known.isReplica = replication?.is_replica ?? known.isReplica
  known.startedAt = started_at ?? known.startedAt
  known.version = version ?? known.version
  const events: Told[] = []
  if (before.isReplica !== null && known.isReplica !== before.isReplica)
    events.push({
      level: 'warn',
      kind: ROLES[known.isReplica === true ? 0 : 1],
      message: known.isReplica === true ? 'it has become a replica' : 'it has become a primary',
      unless: ROLES,
    })
  if (before.version !== null && known.version !== before.version)
    events.push({
      level: 'info',
      kind: 'server.version',
      message: `from ${before.version} to ${known.version}`,
      unless: 'said',
    })
  if (before.startedAt !== null && isLater(known.startedAt, before.startedAt))
    events.push({
      level: 'warn',
      kind: 'server.restarted',
      message: `it has been started at ${known.startedAt}`,
      unless: 'said',
    })
  return events
}

const isLater = (now: string | null, before: string): boolean =>
  now !== null && Date.parse(now) - Date.parse(before) > START_MS

function begun({ holding }: Known, condition: Condition, message: string): readonly Told[] {
  if (holding.has(condition)) return []
  holding.add(condition)
  const { begins, ends, level } = condition
  return [{ level, kind: begins, message, unless: [begins, ends] }]
}

function ended({ holding }: Known, condition: Condition, message: string): readonly Told[] {
  if (!holding.delete(condition)) return []
  const { begins, ends } = condition
  return [{ level: 'info', kind: ends, message, unless: [begins, ends], ends: true }]
}

/** The server is there no more. */
const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23503'
