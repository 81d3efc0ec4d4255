/**
 * The one way in. Batches of every door wait in one queue; those that wait together are stored together, in one
 * transaction, and each is answered when it is durable.
 */
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import type { Log } from '../app/mesh.js'
import { type Batch, recordsOf } from './batch.js'
import type { Verdict } from './once.js'
import { Quota } from './quota.js'

export type Outcome =
  | { readonly outcome: 'stored'; readonly repeated: boolean }
  | {
      readonly outcome: 'later'
      readonly why: 'quota' | 'away' | 'full'
      readonly reason: string
      readonly retryAfterMs: number
    }
  | { readonly outcome: 'refused'; readonly reason: string }

export interface IntakeOptions {
  /** Resolves when batches are durable, all of them, with what became of each. */
  readonly write: (batches: readonly Batch[]) => Promise<readonly Verdict[]>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Records a minute of one reporter. */
  readonly recordsPerMinute: number
  /** Whose reports are not rationed. */
  readonly unrationed: string
}

/** Batches that may wait, at most a hundred records of each kind in one. */
const WAITING_MAX = 1_000
/** Records of one transaction: more are hardly faster, and keep the event loop while they are spelled. */
const GROUP_RECORDS = 2_000
/** When the database may be back, ms; up to twice as long, so that not everyone comes at once. */
const AWAY_MS = 5_000

interface Waiting {
  readonly batch: Batch
  readonly answer: (outcome: Outcome) => void
}

export class Intake {
  /** Since the start. */
  readonly counts = { counted: 0, repeated: 0, later: 0, refused: 0, records: 0 }
  readonly #options: IntakeOptions
  readonly #quota: Quota
  readonly #waiting: Waiting[] = []
  #working: Promise<void> | null = null
  #isAway = false
  #isStopping = false

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#quota = new Quota(options.clock, options.recordsPerMinute)
  }

  /** Resolves when the batch is durable, or says why it is not. Never rejects. */
  async take(batch: Batch): Promise<Outcome> {
    const outcome = await this.#taken(batch)
    if (outcome.outcome !== 'stored') this.counts[outcome.outcome]++
    else if (outcome.repeated) this.counts.repeated++
    else {
      this.counts.counted++
      this.counts.records += recordsOf(batch)
    }
    return outcome
  }

  /** Resolves when everything that was taken is answered. Whoever comes from now on is told to come later. */
  async stop(): Promise<void> {
    this.#isStopping = true
    while (this.#working !== null) await this.#working
  }

  async #taken(batch: Batch): Promise<Outcome> {
    const { reporter } = batch
    if (this.#isStopping) return this.#later('away', 'the coordinator is stopping')
    if (this.#waiting.length >= WAITING_MAX) return this.#later('full', 'too many reports wait')
    const waitMs = reporter === this.#options.unrationed ? 0 : this.#quota.take(reporter, recordsOf(batch))
    if (waitMs > 0)
      return {
        outcome: 'later',
        why: 'quota',
        reason: 'more records a minute than one agent may report',
        retryAfterMs: waitMs,
      }
    return new Promise(answer => {
      this.#waiting.push({ batch, answer })
      this.#working ??= this.#work().finally(() => {
        this.#working = null
      })
    })
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) await this.#store(this.#nextGroup())
  }

  #nextGroup(): Waiting[] {
    let records = 0
    const past = this.#waiting.findIndex(({ batch }, i) => {
      records += recordsOf(batch)
      return i > 0 && records > GROUP_RECORDS
    })
    return this.#waiting.splice(0, past < 0 ? this.#waiting.length : past)
  }

  async #store(group: readonly Waiting[]): Promise<void> {
    const { write, log } = this.#options
    try {
      const verdicts = await write(group.map(({ batch }) => batch))
      if (this.#isAway) log.info({}, 'reports are stored again')
      this.#isAway = false
      for (const [i, { answer }] of group.entries()) answer(asOutcome(verdicts[i]))
    } catch (error) {
      if (isAway(error)) {
        if (!this.#isAway) log.warn({ err: error }, 'reports wait for the database')
        this.#isAway = true
        for (const { answer } of group) answer(this.#later('away', 'the database is away'))
      } else if (group.length > 1) {
        // One of them cannot be stored: the others do not suffer for it.
        for (const one of group) await this.#store([one])
      } else {
        log.warn({ err: error, id: group[0]?.batch.reporter }, 'a report cannot be stored and was refused')
        group[0]?.answer({ outcome: 'refused', reason: 'the database does not take it' })
      }
    }
  }

  #later(why: 'away' | 'full', reason: string): Outcome {
    const retryAfterMs = Math.round(AWAY_MS * (1 + this.#options.random.float()))
    return { outcome: 'later', why, reason, retryAfterMs }
  }
}

function asOutcome(verdict: Verdict | undefined): Outcome {
  if (verdict === 'reused')
    return { outcome: 'refused', reason: 'this Idempotency-Key stood for something else' }
  return { outcome: 'stored', repeated: verdict === 'repeated' }
}

const isAway = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'STORE_UNAVAILABLE'
