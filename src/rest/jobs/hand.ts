/**
 * Tells nodes of their jobs over the sessions that they have, and hears what comes of them.
 *
 *   ordered, or the node is ready (again) ─→ Jobs.take ─→ job.offer ─→ node
 *   job.progress: it has it ─→ told no more, unless its session begins anew
 *   job.done ─→ Jobs.finish          no word ─→ told again, ever more rarely, until its time is over
 */
import type { HearJobWord, JobOffer, JobWord, MeshApi } from '../../actors/ports.js'
import { DEPTH_MAX, depthOf } from '../../http/depth.js'
import { conflict } from '../../http/faults.js'
import { every } from '../../kit/clock.js'
import type { Clock } from '../../kit/clock.js'
import { JOB_JSON_MAX } from '../../protocol/messages.js'
import { payloadOf } from './actions.js'
import { type Job, type JobType, type Json, keepable } from './job.js'
import type { Jobs } from './jobs.js'

export interface HandOptions {
  readonly clock: Clock
  readonly jobs: Jobs
  readonly mesh: Pick<MeshApi, 'onJobWord' | 'offerJob' | 'node' | 'reprobe'>
  readonly log: { debug(fields: object, message: string): void }
}

export interface Hand {
  /** Throws a fault when this node has said what it does, and this kind is not among it. */
  mustDo(nodeId: string, type: JobType): void
  /** Tells the node of what it has to be told, if it is there. */
  tell(nodeId: string): void
  /** Returns how far a job is, as its node said last; null when it has said nothing. */
  stepOf(jobId: number): string | null
  /** Answers of jobs that were never offered to whoever gave them. */
  readonly strange: number
  stop(): Promise<void>
}

/** A job that a node was told of and that is not over, as far as is known here. */
interface Told {
  readonly nodeId: string
  readonly untilMs: number
  accepted: boolean
  step: string | null
}

/** How often those are told again who have not answered, ms. */
const AGAIN_EVERY_MS = 5_000
/** An answer to a job whose time was over a moment ago still counts, ms. */
const LATE_MS = 60_000

export function openHand({ clock, jobs, mesh, log }: HandOptions): Hand {
  /** What each node that is there does. */
  const ready = new Map<string, ReadonlySet<string>>()
  const told = new Map<number, Told>()
  const running = new Set<Promise<void>>()
  let strange = 0

  const soon = (work: Promise<unknown>) => {
    const run: Promise<void> = work
      .catch((error: unknown) => log.debug({ err: error }, 'a job cannot be seen to now'))
      .then(() => void running.delete(run))
    running.add(run)
  }

  async function tell(nodeId: string, all: boolean): Promise<void> {
    // Without a socket nothing is told, and what was taken would count as told.
    if ((mesh.node(nodeId)?.silentMs ?? null) === null) return void ready.delete(nodeId)
    for (const job of await jobs.take(nodeId, { all })) {
      const known = told.get(job.id)
      const isSent = mesh.offerJob(nodeId, offerOf(job, clock.wallMs()))
      if (!isSent) return void ready.delete(nodeId)
      told.set(job.id, {
        nodeId,
        untilMs: clock.now() + job.expires_at.getTime() - clock.wallMs() + LATE_MS,
        accepted: false,
        step: known?.step ?? null,
      })
      // Its agent waits for what comes of it.
      if (job.type === 'reprobe') mesh.reprobe(nodeId, job.created_by)
    }
  }

  async function finish(nodeId: string, { jobId, outcome, result }: JobWord & { type: 'job.done' }) {
    const read = readResult(result)
    try {
      await (read === null
        ? jobs.finish(jobId, 'failed', NOT_JSON, nodeId)
        : jobs.finish(jobId, outcome, read.value, nodeId))
      told.delete(jobId)
    } catch (error) {
      // It is told of again, and says the same again, when the database is back.
      log.debug({ err: error, id: nodeId, jobId }, 'what came of a job cannot be kept now')
    }
  }

  const hear: HearJobWord = (nodeId, word) => {
    if (word.type === 'job.ready') {
      ready.set(nodeId, new Set(word.kinds))
      return soon(tell(nodeId, true))
    }
    const mine = told.get(word.jobId)
    if (mine?.nodeId !== nodeId) {
      strange++
      return log.debug({ id: nodeId, jobId: word.jobId }, 'a node speaks of a job that it was not offered')
    }
    if (word.type === 'job.done') return soon(finish(nodeId, word))
    mine.step = word.step ?? mine.step
    if (mine.accepted) return
    mine.accepted = true
    soon(jobs.accept(word.jobId))
  }

  const endHearing = mesh.onJobWord(hear)
  const endTelling = every(clock, AGAIN_EVERY_MS, () => {
    for (const nodeId of ready.keys()) if (jobs.isDue(nodeId)) soon(tell(nodeId, false))
    for (const [jobId, { untilMs }] of told) if (untilMs < clock.now()) told.delete(jobId)
  })

  return {
    mustDo(nodeId, type) {
      const kinds = ready.get(nodeId)
      if (kinds === undefined || kinds.has(type)) return
      throw conflict(`${nodeId} does no ${type}; it does ${[...kinds].join(', ') || 'nothing'}`)
    },
    tell(nodeId) {
      if (ready.has(nodeId)) soon(tell(nodeId, false))
    },
    stepOf: jobId => told.get(jobId)?.step ?? null,
    get strange() {
      return strange
    },
    async stop() {
      endHearing()
      endTelling()
      await Promise.all(running)
    },
  }
}

function offerOf(job: Job, nowMs: number): JobOffer {
  const payload = payloadOf(job)
  return {
    jobId: job.id,
    orderedAtMs: job.created_at.getTime(),
    kind: job.type,
    withinMs: Math.max(0, job.expires_at.getTime() - nowMs),
    ...(payload !== null && { payload: Buffer.from(JSON.stringify(payload)) }),
  }
}

const NOT_JSON = {
  reason: `what came of it is not JSON of ${DEPTH_MAX} levels and ${JOB_JSON_MAX} bytes at most`,
}

/** Returns null when it is nothing that can be kept. */
function readResult(bytes: Uint8Array | undefined): { readonly value: Json } | null {
  if (bytes === undefined) return { value: null }
  if (depthOf(bytes) > DEPTH_MAX) return null
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString())
    return keepable.safeParse(value).success ? { value } : null
  } catch {
    return null
  }
}
