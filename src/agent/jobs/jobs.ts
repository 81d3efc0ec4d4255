/**
 * What operators order a node to do. Each job is done once, whatever is lost: it is remembered before it is begun, and
 * its outcome before that is told.
 *
 *   job.offer ─→ known? ─ no ─→ remembered as begun ─ job.progress ─→ run ─→ outcome remembered ─→ job.done
 *                  └─ yes: what was said is said again           begun by a process before this one ─→ failed
 */
import type { Clock } from '../../kit/clock.js'
import { JOB_JSON_MAX, JOB_KINDS_MAX, type Wire, type WireOf } from '../../protocol/messages.js'
import { isId } from '../../protocol/schema.js'
import { AgentError } from '../errors.js'
import { plain } from '../plain.js'
import { JobFailed, type JobOptions, type RunJob } from './job.js'
import { type JobMemory, type KnownJob, volatileJobs } from './job-memory.js'

export interface JobsOptions {
  readonly clock: Clock
  readonly say: (event: Wire) => void
  /** Keeps what was done over a restart of this process; without one, a restart may do it again. */
  readonly memory?: JobMemory | undefined
  readonly fault: (what: string, error: unknown) => void
}

/** Jobs that are remembered at most; the oldest is forgotten. A node has a hundred open ones at most. */
const KNOWN_MAX = 256
/** The other clock may be behind: a job is remembered for so much longer than it is wanted, ms. */
const GRACE_MS = 3_600_000
/** A step is one line of so many UTF-16 units. */
const STEP_MAX = 256
const INTERRUPTED = 'the process ended while it was at it: it may be done in part'

export class Jobs {
  readonly #options: JobsOptions
  readonly #memory: JobMemory
  readonly #runs = new Map<string, { readonly run: RunJob; readonly options: JobOptions }>()
  #known: Map<string, KnownJob> | null = null
  /** Those that this process has begun; the others were begun before it. */
  readonly #mine = new Set<string>()
  readonly #aborts = new Set<AbortController>()
  /** One after another: what a restart ends is not begun beside it. */
  #turn: Promise<void> = Promise.resolve()

  constructor(options: JobsOptions) {
    this.#options = options
    this.#memory = options.memory ?? volatileJobs()
  }

  /** Does jobs of this kind by `run` from the next time on that the session stands. Throws when the name is no id. */
  on(kind: string, run: RunJob, options: JobOptions = {}): this {
    if (!isId(kind)) throw new AgentError('BAD_OPTION', 'jobs: wanted a kind such as restart')
    if (this.#runs.size >= JOB_KINDS_MAX && !this.#runs.has(kind))
      throw new AgentError('BAD_OPTION', `jobs: wanted at most ${JOB_KINDS_MAX} kinds`)
    this.#runs.set(kind, { run, options })
    return this
  }

  /** The session stands: whoever does nothing says nothing. */
  stood(): void {
    if (this.#runs.size > 0) this.#options.say({ type: 'job.ready', kinds: [...this.#runs.keys()] })
  }

  offered(offer: WireOf<'job.offer'>): void {
    const name = nameOf(offer)
    const known = this.#all().get(name)
    if (known === undefined) this.#begin(offer)
    else if (known.state !== 'begun') this.#tellOutcome(known)
    else if (this.#mine.has(name)) this.#options.say({ type: 'job.progress', jobId: offer.jobId })
    else this.#end(known, ...this.#afterRestart(known))
  }

  /** The agent stops: what is being done is given up, and stays remembered as begun. */
  stop(): void {
    this.#mine.clear()
    for (const abort of this.#aborts) abort.abort(new AgentError('STOPPED', 'the agent stops'))
  }

  #begin(offer: WireOf<'job.offer'>): void {
    const { clock, say } = this.#options
    const { jobId, kind, orderedAtMs, withinMs } = offer
    const job: KnownJob = {
      jobId,
      orderedAtMs,
      kind,
      state: 'begun',
      result: null,
      untilMs: Math.min(clock.wallMs() + withinMs + GRACE_MS, Number.MAX_SAFE_INTEGER),
    }
    const known = this.#runs.get(kind)
    if (known === undefined) return this.#end(job, 'failed', { reason: `this node does no ${kind}` })
    const payload = readPayload(offer.payload)
    if (payload === undefined) return this.#end(job, 'failed', { reason: 'the payload is not JSON' })
    // What cannot be remembered would be done again: it is not begun.
    if (!this.#remember(job)) return
    this.#mine.add(nameOf(offer))
    say({ type: 'job.progress', jobId })
    this.#turn = this.#turn.then(() => this.#run(job, known.run, payload, withinMs))
  }

  async #run(job: KnownJob, run: RunJob, payload: unknown, withinMs: number): Promise<void> {
    const { clock, say } = this.#options
    const { jobId: id, kind, orderedAtMs } = job
    const abort = new AbortController()
    this.#aborts.add(abort)
    const late = () => abort.abort(new JobFailed('its time was over before it was done'))
    const timer = clock.setTimeout(late, Math.min(withinMs, TIMER_MAX_MS))
    const over = new Promise<never>((_, reject) => {
      abort.signal.addEventListener('abort', () => reject(abort.signal.reason as Error)) // as given above
    })
    const tell = (step: string) => say({ type: 'job.progress', jobId: id, step: plain(step, STEP_MAX) })
    try {
      const work = Promise.resolve(run({ id, kind, payload, orderedAtMs, signal: abort.signal, tell }))
      this.#ended(job, 'done', await Promise.race([work, over]))
    } catch (error) {
      this.#ended(job, 'failed', reasonOf(error))
    } finally {
      clock.clearTimeout(timer)
      this.#aborts.delete(abort)
    }
  }

  /** After a stop nobody waits for it: the next start says what became of it. */
  #ended(job: KnownJob, state: 'done' | 'failed', result: unknown): void {
    if (this.#mine.has(nameOf(job))) this.#end(job, state, result)
  }

  #afterRestart({ kind }: KnownJob): readonly ['done' | 'failed', unknown] {
    const after = this.#runs.get(kind)?.options.afterRestart
    return after === undefined ? ['failed', { reason: INTERRUPTED }] : ['done', after()]
  }

  #end(job: KnownJob, state: 'done' | 'failed', result: unknown): void {
    const kept = fits(result)
    const ended: KnownJob = kept
      ? { ...job, state, result: result ?? null }
      : { ...job, state: 'failed', result: TOO_LARGE }
    this.#remember(ended)
    this.#tellOutcome(ended)
  }

  #tellOutcome({ jobId, state, result }: KnownJob): void {
    if (state === 'begun') return
    const bytes = result === null ? {} : { result: UTF8.encode(JSON.stringify(result)) }
    this.#options.say({ type: 'job.done', jobId, outcome: state, ...bytes })
  }

  #remember(job: KnownJob): boolean {
    const all = this.#all()
    const nowMs = this.#options.clock.wallMs()
    all.delete(nameOf(job))
    for (const [name, { untilMs }] of all) if (untilMs < nowMs || all.size >= KNOWN_MAX) all.delete(name)
    all.set(nameOf(job), job)
    try {
      this.#memory.save([...all.values()])
      return true
    } catch (error) {
      if (job.state === 'begun') all.delete(nameOf(job))
      this.#options.fault('jobs', error)
      return false
    }
  }

  /** Read at the first offer: most nodes never get one. */
  #all(): Map<string, KnownJob> {
    if (this.#known !== null) return this.#known
    let saved: readonly KnownJob[] = []
    try {
      saved = this.#memory.load()
    } catch (error) {
      this.#options.fault('jobs', error)
    }
    this.#known = new Map(saved.map(job => [nameOf(job), job]))
    return this.#known
  }
}

const UTF8 = new TextEncoder()
/** The longest time that timers of Node take, ms. */
const TIMER_MAX_MS = 2 ** 31 - 1
const TOO_LARGE = { reason: `what came of it is not JSON of at most ${JOB_JSON_MAX} bytes` }

const nameOf = ({ jobId, orderedAtMs }: Pick<KnownJob, 'jobId' | 'orderedAtMs'>): string =>
  `${jobId}/${orderedAtMs}`

/** Returns what a job's error says for people, and what else it carries for programs. */
function reasonOf(error: unknown): unknown {
  if (error instanceof JobFailed) return { reason: error.message, ...error.detail }
  return { reason: plain(error instanceof Error ? error.message : String(error), STEP_MAX) }
}

function fits(result: unknown): boolean {
  try {
    return UTF8.encode(JSON.stringify(result ?? null)).length <= JOB_JSON_MAX
  } catch {
    return false
  }
}

/** Returns undefined when it is not JSON. */
function readPayload(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return null
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch {
    return undefined
  }
}
