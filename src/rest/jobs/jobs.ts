/**
 * The queue of what nodes are to do: durable when it is ordered, told with the next heartbeat, told again until it is
 * acknowledged, and over in the end. A heartbeat of a node without jobs costs a look into memory.
 */
import type { PluginHost } from '../../app/plugin.js'
import { HttpError } from '../../http/faults.js'
import { every } from '../../kit/clock.js'
import type { Room } from '../../store/index.js'
import type { RestDatabase } from '../database.js'
import { DAY_MS } from '../history/intervals.js'
import type { Job, Json, Order } from './job.js'
import { JobTable, OPEN_MAX } from './job-table.js'

export interface Jobs {
  readonly table: JobTable
  /** Resolves with the job when it is durable. */
  order(order: Order): Promise<Job>
  /** Whether a node has something to be told now; `all`: whether it has anything at all. */
  isDue(nodeId: string, all?: boolean): boolean
  /**
   * Resolves with what the node is to be told now; nothing while the database is away. `all`: with everything that is
   * not over, as the node may have forgotten it.
   */
  take(nodeId: string, options?: { readonly all: boolean }): Promise<readonly Job[]>
  /** Its node has it. */
  accept(id: number): Promise<void>
  /** Resolves with the job, which is over by this; null when it was over before. */
  cancel(id: number, by: string): Promise<Job | null>
  /** Resolves with the job as it ended; null when it had ended otherwise before. */
  finish(id: number, status: 'done' | 'failed', result: Json, by: string): Promise<Job | null>
  /** Finishes what it has begun. */
  stop(): Promise<void>
}

/** Jobs that one heartbeat brings. */
const TAKEN_MAX = 10
/** How often jobs are looked at: what is over ends, and what other coordinators were ordered is seen, ms. */
const LOOK_EVERY_MS = 5_000
/** Rows of one statement. */
const ROWS = 500
/** Within this a node with too many jobs may have done some, s. */
const RETRY_AFTER_S = 60

/** Resolves when jobs can be ordered. */
export async function openJobs(
  { clock, config, log, ...host }: PluginHost,
  room: Room<RestDatabase>,
): Promise<Jobs> {
  const table = new JobTable(room)
  /** When each node has something to be told, ms since 1970 UTC. */
  let due = new Map(await table.due(clock.wallMs()))
  /** What was ordered since the last look began. */
  let ordered = new Map<string, number>()

  const audit = (job: Job, kind: string, actor: string) =>
    host.audit({ kind, actor, subject: job.server_id, detail: { jobId: job.id, type: job.type } })

  const look = async () => {
    for (;;) {
      const over = await table.expire(clock.wallMs(), ROWS)
      for (const job of over) audit(job, 'job.expired', 'coordinator')
      if (over.length < ROWS) break
    }
    while (await table.prune(clock.wallMs() - config.jobsKeptDays * DAY_MS, ROWS));
    ordered = new Map()
    due = new Map([...(await table.due(clock.wallMs())), ...ordered])
  }
  const isDue = (nodeId: string, all = false) => {
    const dueMs = due.get(nodeId) ?? Number.POSITIVE_INFINITY
    return all ? Number.isFinite(dueMs) : dueMs <= clock.wallMs()
  }
  let looking: Promise<void> = Promise.resolve()
  const endLooking = every(clock, LOOK_EVERY_MS, () => {
    looking = look().catch(error => log.debug({ err: error }, 'jobs cannot be looked at now'))
  })

  return {
    table,
    async order(order) {
      const job = await table.add(order, clock.wallMs())
      if (job === null)
        throw new HttpError(429, 'too_many_jobs', `${order.server_id} has ${OPEN_MAX} jobs to do already`, {
          'Retry-After': String(RETRY_AFTER_S),
        })
      for (const times of [due, ordered]) times.set(job.server_id, clock.wallMs())
      audit(job, 'job.created', job.created_by)
      return job
    },
    isDue,
    async take(nodeId, { all } = { all: false }) {
      const nowMs = clock.wallMs()
      if (!isDue(nodeId, all)) return []
      const limit = all ? OPEN_MAX : TAKEN_MAX
      try {
        const jobs = await table.take(nodeId, nowMs, { limit, all })
        // There may be more than were taken; otherwise these are the next ones that anybody knows of.
        if (jobs.length < limit) due.set(nodeId, Math.min(...jobs.map(({ due_at }) => due_at.getTime())))
        for (const job of jobs) if (job.deliveries === 1) audit(job, 'job.delivered', nodeId)
        return jobs
      } catch (error) {
        log.debug({ err: error, id: nodeId }, 'jobs cannot be told now')
        return []
      }
    },
    accept: id => table.accept(id, clock.wallMs()),
    async cancel(id, by) {
      const job = await table.cancel(id, clock.wallMs())
      if (job !== null) audit(job, 'job.cancelled', by)
      return job
    },
    async finish(id, status, result, by) {
      const job = await table.finish(id, status, result, clock.wallMs())
      if (job !== null) audit(job, `job.${status}`, by)
      return job
    },
    async stop() {
      endLooking()
      await looking
    },
  }
}
