/** `/api/v1/nodes/{nodeId}/jobs` and `/api/v1/jobs`: operators order what nodes are to do, and see what came of it. */
import { z } from 'zod'
import type { MeshApi } from '../../actors/ports.js'
import { mustBe, nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, conflict, notFound } from '../../http/faults.js'
import { oneOf, whole } from '../../http/fields.js'
import { cursorOf, listQuery, listReply, listReplyOf } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import { line } from '../fields.js'
import { serverId } from '../heartbeats/heartbeat.js'
import type { HeartbeatTable } from '../heartbeats/heartbeat-table.js'
import { JOB_STATES, JOB_TYPES, type Job, JobReply, keepable } from './job.js'
import type { Hand } from './hand.js'
import type { Jobs } from './jobs.js'

const TAG = 'nodes'
const DAY_S = 86_400
/** How long a job is wanted when nobody says, s. */
const TTL_S = 3_600

/** Ids count up; a larger one is not ours. */
export const jobId = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, { error: 'wanted the id of a job' })
  .transform(Number)
  .meta({ example: '17' })

export interface JobParts {
  readonly jobs: Jobs
  readonly hand: Hand
  readonly mesh: Pick<MeshApi, 'identity'>
  readonly servers: Pick<HeartbeatTable, 'isKnown'>
}

export function jobEndpoints({ jobs, hand, mesh, servers }: JobParts): readonly Endpoint[] {
  /** When it comes again is our own affair. */
  const told = ({ due_at: _, ...job }: Job & { due_at?: Date }) => ({ ...job, step: hand.stepOf(job.id) })

  return [
    endpoint({
      method: 'POST',
      path: '/api/v1/nodes/{nodeId}/jobs',
      access: 'operator',
      tag: TAG,
      summary: 'Orders something that a node, or a VPN server, is to do',
      description:
        'A node with a WebSocket is told at once, or when it is there again; others with their next heartbeat (`actions`), or by `GET /tasks`. It is told again until it is acknowledged or its time is over: agents go by its id. `add_key` and `del_key` need `key_id`.',
      params: z.object({ nodeId: serverId }),
      body: z
        .object({
          type: oneOf(...JOB_TYPES),
          payload: keepable.optional(),
          key_id: line(128).min(1).nullish(),
          email: line(254).min(1).nullish(),
          ttl: whole(1, 30 * DAY_S)
            .default(TTL_S)
            .meta({ description: 'How long it is wanted, s.' }),
        })
        .refine(({ type, key_id }) => !type.endsWith('_key') || key_id != null, {
          error: 'wanted which key is meant',
          path: ['key_id'],
        }),
      replies: { 201: { description: 'It is ordered, durably.', schema: JobReply } },
      faults: [404, 409, 429],
      async handle({ caller, params: { nodeId }, body }) {
        if (mesh.identity(nodeId)?.role !== 'node' && !(await servers.isKnown(nodeId)))
          throw notFound(`no node of the name ${nodeId} has enrolled`)
        hand.mustDo(nodeId, body.type)
        const { type, payload = null, key_id = null, email = null, ttl } = body
        const job = await jobs.order({
          server_id: nodeId,
          type,
          key_id,
          email,
          payload,
          created_by: nameOf(caller),
          ttlMs: ttl * 1_000,
        })
        hand.tell(nodeId)
        return json(told(job), 201)
      },
    }),

    endpoint({
      method: 'POST',
      path: '/api/v1/jobs/{id}/ack',
      access: 'agent',
      tag: TAG,
      summary: 'Says what came of a job',
      description:
        'With the token of the node whose job it is. Saying the same again changes nothing; saying otherwise is a conflict. An operator may end a job by this too.',
      params: z.object({ id: jobId }),
      body: z.object({ status: oneOf('done', 'failed'), result: keepable.optional() }),
      replies: { 200: { description: 'As it ended.', schema: JobReply } },
      faults: [403, 404, 409],
      async handle({ caller, params: { id }, body: { status, result = null } }) {
        const job = await jobs.table.find(id)
        if (job === null) throw notFound(`there is no job ${id}`)
        mustBe(caller, job.server_id)
        return json(told(await acknowledged(jobs, job, status, result, nameOf(caller))))
      },
    }),

    endpoint({
      method: 'GET',
      path: '/api/v1/jobs/{job}',
      access: 'viewer',
      tag: TAG,
      summary: 'Tells how far a job is',
      params: z.object({ job: jobId }),
      replies: { 200: { description: 'The job.', schema: JobReply } },
      faults: [404],
      async handle({ params: { job: id } }) {
        const job = await jobs.table.find(id)
        if (job === null) throw notFound(`there is no job ${id}`)
        return json(told(job))
      },
    }),

    endpoint({
      method: 'DELETE',
      path: '/api/v1/jobs/{job}',
      access: 'operator',
      tag: TAG,
      summary: 'Takes a job back',
      description:
        'It is told no more. A node that has begun it is not stopped, and what comes of it is not kept.',
      params: z.object({ job: jobId }),
      replies: { 200: { description: 'It is cancelled.', schema: JobReply } },
      faults: [404, 409],
      async handle({ caller, params: { job: id } }) {
        const cancelled = await jobs.cancel(id, nameOf(caller))
        if (cancelled !== null) return json(told(cancelled))
        const job = await jobs.table.find(id)
        throw job === null
          ? notFound(`there is no job ${id}`)
          : conflict(`job ${id} is ${job.status} already`)
      },
    }),

    endpoint({
      method: 'GET',
      path: '/api/v1/jobs',
      access: 'viewer',
      tag: TAG,
      summary: 'Lists jobs, the newest first',
      query: z.object({
        node: serverId.optional(),
        status: oneOf(...JOB_STATES).optional(),
        ...listQuery('id'),
      }),
      replies: { 200: { description: 'The jobs.', schema: listReply('jobs', JobReply) } },
      async handle({ query: { node, status, limit, after, sort } }) {
        const { rows, total } = await jobs.table.list(
          { node, status },
          {
            limit: limit + 1,
            after: after === undefined ? null : idOfCursor(after),
            oldestFirst: sort === 'id',
          },
        )
        const page = rows.slice(0, limit)
        const last = page.at(-1)
        const isMore = last !== undefined && rows.length > page.length
        const next = isMore ? ([last.id, ''] as const) : null
        return json(listReplyOf('jobs', { rows: page.map(told), total, next }))
      },
    }),
  ]
}

/** Resolves with the job as it ended. */
export async function acknowledged(
  jobs: Jobs,
  job: Job,
  status: 'done' | 'failed',
  result: unknown,
  by: string,
): Promise<Job> {
  const ended = (await jobs.finish(job.id, status, result, by)) ?? (await jobs.table.find(job.id)) ?? job
  if (ended.status !== status) throw conflict(`job ${job.id} is ${ended.status} already`)
  return ended
}

function idOfCursor(after: string): number {
  const [id] = cursorOf(after)
  if (typeof id === 'number' && Number.isSafeInteger(id)) return id
  throw badRequest('after: wanted `next` of the page before')
}
