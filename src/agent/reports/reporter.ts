/**
 * Reports what an agent saw: keeps it until the coordinator has counted it, and sends it in time. An error goes at
 * once, the rest in batches.
 *
 *   client, log, traffic ─→ spool ─→ batch ─→ carrier (the session, or HTTP) ─→ stored │ later │ refused
 */
import { backoffMs } from '../../kit/backoff.js'
import { type Clock, every, type Timer } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { WireOf } from '../../protocol/messages.js'
import { type Letter, recordOf } from './letter.js'
import {
  type ClientSeen,
  clientRecord,
  type LogSeen,
  logRecord,
  type Record,
  type ResourceType,
  trafficRecord,
} from './records.js'
import { type Batch, Spool } from './spool.js'
import { TrafficCounters, type TrafficStep } from './traffic.js'

/** The configuration that agents of this kind have everywhere; what is left out is as in `REPORT_DEFAULTS`. */
export interface ReportOptions {
  readonly reportingIntervals?:
    | {
        /** How often counters of traffic are reported, ms. */
        readonly statistics?: number | undefined
        /** How long a line that is no error may wait for others, ms. */
        readonly logs?: number | undefined
      }
    | undefined
  readonly batching?:
    | {
        readonly maxLogsPerBatch?: number | undefined
        /** Attempts in a row, 2^i s apart, before it rests until the next interval. */
        readonly maxRetries?: number | undefined
      }
    | undefined
  readonly localCache?:
    | {
        /** Whether records outlive the process, at `path`. */
        readonly enabled?: boolean | undefined
        readonly maxEntries?: number | undefined
      }
    | undefined
}

export const REPORT_DEFAULTS = {
  reportingIntervals: { statistics: 300_000, logs: 30_000 },
  batching: { maxLogsPerBatch: 100, maxRetries: 3 },
  localCache: { enabled: true, maxEntries: 10_000 },
} as const

export type Outcome = Pick<WireOf<'report.ack'>, 'outcome' | 'reason' | 'retryAfterMs'>

/** Carries a batch to whoever counts it. Resolves with what came of it: `later` when nobody can be reached. */
export type Carrier = (batch: Batch) => Promise<Outcome>

export interface ReporterOptions extends ReportOptions {
  readonly clock: Clock
  readonly random: Random
  readonly carrier: Carrier
  /** Where the spool is; absent: in memory. */
  readonly path?: string | undefined
  /** Something is not as it should be; reporting goes on without it. */
  readonly fault: (what: string, error: unknown) => void
}

export interface ReportStatus {
  /** Records that wait for the coordinator. */
  readonly waiting: number
  /** Records that there was no room for, or that it refused. */
  readonly dropped: number
  /** Whether they outlive the process. */
  readonly kept: boolean
  /** What came of the last batch, and why; null before the first. */
  readonly last: Outcome | null
}

/** Users and other hurried records of one moment leave together, ms. */
const GATHER_MS = 1_000
/** Ceiling of the first pause after a batch that was not taken, ms: 2^i s. */
const FIRST_PAUSE_MS = 1_000

export class Reporter {
  readonly #options: ReporterOptions
  readonly #spool: Spool
  readonly #traffic: TrafficCounters
  readonly #logsMs: number
  readonly #statisticsMs: number
  readonly #maxRetries: number
  readonly #perBatch: number
  #timer: Timer | undefined
  #dueMs = Number.POSITIVE_INFINITY
  #sending: Promise<void> | null = null
  #failures = 0
  #stopped = false
  #last: Outcome | null = null
  #stopTicking: (() => void) | null = null

  constructor(options: ReporterOptions) {
    const { clock, random, path, fault } = options
    const { reportingIntervals, batching, localCache } = REPORT_DEFAULTS
    const { enabled = localCache.enabled, maxEntries = localCache.maxEntries } = options.localCache ?? {}
    this.#options = options
    this.#logsMs = options.reportingIntervals?.logs ?? reportingIntervals.logs
    this.#statisticsMs = options.reportingIntervals?.statistics ?? reportingIntervals.statistics
    this.#maxRetries = options.batching?.maxRetries ?? batching.maxRetries
    this.#perBatch = options.batching?.maxLogsPerBatch ?? batching.maxLogsPerBatch
    this.#traffic = new TrafficCounters(clock.wallMs())
    this.#spool = new Spool({
      random,
      max: maxEntries,
      logsPerBatch: this.#perBatch,
      fault: error => fault('reports', error),
      ...(enabled && { path }),
    })
    // What an earlier process left.
    if (this.#spool.size > 0) this.#sendIn(GATHER_MS)
  }

  /** A user of the agent's was seen: when it came, and every few minutes while it stays. */
  client(seen: ClientSeen): void {
    this.#keep(clientRecord(seen, this.#options.clock.wallMs()), GATHER_MS)
  }

  /** Adds to the traffic of a resource. */
  traffic(type: ResourceType, id: string, step: TrafficStep): void {
    // Not before there is something to report: an agent that reports nothing costs nothing.
    this.#stopTicking ??= every(this.#options.clock, this.#statisticsMs, () => this.#takeTraffic())
    this.#traffic.add(type, id, step)
  }

  /** An error is sent at once; other lines wait for company. */
  log(seen: LogSeen): void {
    this.#keep(logRecord(seen, this.#options.clock.wallMs()), seen.level === 'error' ? 0 : this.#logsMs)
  }

  /** Takes over what others of this machine left for the agent; see `inbox.ts`. */
  take(letter: Letter, name: string): void {
    if (!this.#spool.has(name)) this.#keep(recordOf(letter), letter.level === 'error' ? 0 : GATHER_MS, name)
  }

  /** Somebody can be reached again: nothing waits any longer. */
  resume(): void {
    this.#failures = 0
    if (this.#spool.size > 0) this.#sendIn(0)
  }

  /** Sends what there is, traffic up to now included; resolves when that was tried. */
  async flush(): Promise<void> {
    this.#takeTraffic()
    await this.#send()
  }

  status(): ReportStatus {
    const { size, dropped, isKept } = this.#spool
    return { waiting: size, dropped, kept: isKept, last: this.#last }
  }

  /** Keeps what was counted, and sends nothing any more. */
  stop(): void {
    if (this.#stopped) return
    this.#takeTraffic()
    this.#stopped = true
    this.#stopTicking?.()
    this.#options.clock.clearTimeout(this.#timer)
    this.#spool.close()
  }

  #keep(record: Record, withinMs: number, name?: string): void {
    if (this.#stopped) return
    this.#spool.add(record, name)
    this.#sendIn(this.#spool.size % this.#perBatch === 0 ? 0 : withinMs)
  }

  #takeTraffic(): void {
    this.#traffic.take(this.#options.clock.wallMs(), seen => this.#keep(trafficRecord(seen), GATHER_MS))
  }

  /** Sends at the latest in so long; not before a pause is over. */
  #sendIn(ms: number): void {
    if (this.#stopped || this.#failures > 0) return
    this.#at(ms)
  }

  #at(ms: number): void {
    const { clock } = this.#options
    const dueMs = clock.now() + ms
    if (dueMs >= this.#dueMs) return
    clock.clearTimeout(this.#timer)
    this.#dueMs = dueMs
    this.#timer = clock.setTimeout(() => {
      this.#dueMs = Number.POSITIVE_INFINITY
      void this.#send()
    }, ms)
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null
    })
    return this.#sending
  }

  /** Sends one batch after the other, until none waits or one is not taken. */
  async #sendAll(): Promise<void> {
    for (let batch = this.#spool.next(); batch !== null && !this.#stopped; batch = this.#spool.next()) {
      const outcome = await this.#carry(batch)
      this.#last = outcome
      if (this.#stopped) return
      if (outcome.outcome === 'later') return this.#rest(outcome.retryAfterMs)
      this.#failures = 0
      if (outcome.outcome === 'refused')
        this.#options.fault(
          'reports',
          new Error(`a batch was refused: ${outcome.reason ?? 'no reason given'}`),
        )
      this.#spool.settled(batch.stream, batch.seq, outcome.outcome)
    }
  }

  async #carry(batch: Batch): Promise<Outcome> {
    try {
      return await this.#options.carrier(batch)
    } catch (error) {
      this.#options.fault('reports', error)
      return { outcome: 'later', reason: error instanceof Error ? error.message : String(error) }
    }
  }

  /** Pauses 2^i s as often as is allowed, and then for an interval; longer when that was asked for. */
  #rest(retryAfterMs = 0): void {
    const { random } = this.#options
    const attempt = this.#failures++
    const pauseMs =
      attempt < this.#maxRetries
        ? FIRST_PAUSE_MS * 2 ** attempt
        : this.#logsMs + backoffMs(0, random, { firstMs: this.#logsMs })
    this.#dueMs = Number.POSITIVE_INFINITY
    this.#at(Math.max(pauseMs, retryAfterMs))
  }
}
