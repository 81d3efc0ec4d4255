/** `/tasks`: jobs as agents of the first heartbeat server fetch and acknowledge them. */
import { z } from 'zod'
import { mustBe, nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { notFound } from '../../http/faults.js'
import { moment, oneOf } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { serverId } from '../heartbeats/heartbeat.js'
import { acknowledged, jobId } from './endpoints.js'
import { JOB_STATES, JOB_TYPES, keepable } from './job.js'
import type { Jobs } from './jobs.js'

const TAG = 'servers'

export function taskEndpoints(jobs: Jobs): readonly Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/tasks',
      access: 'agent',
      people: 'operator',
      tag: TAG,
      summary: 'Fetches what a VPN server is to do',
      description:
        'What is fetched is delivered. It comes again, by the same id, after a minute and then after ever longer, until it is acknowledged or its time is over. Operators look at `GET /api/v1/jobs`, which delivers nothing.',
      query: z.object({ server_id: serverId }),
      replies: {
        200: {
          description: 'The tasks, the oldest first.',
          schema: z.object({
            tasks: z.array(
              z.object({
                id: z.int(),
                server_id: z.string(),
                type: oneOf(...JOB_TYPES),
                key_id: z.string().nullable(),
                email: z.string().nullable(),
                payload: z.unknown(),
                status: oneOf(...JOB_STATES),
                created_at: moment,
              }),
            ),
          }),
        },
      },
      faults: [403],
      async handle({ caller, query: { server_id } }) {
        mustBe(caller, server_id)
        const tasks = await jobs.take(server_id)
        return json({
          tasks: tasks.map(({ id, server_id, type, key_id, email, payload, status, created_at }) => ({
            id,
            server_id,
            type,
            key_id,
            email,
            payload,
            status,
            created_at,
          })),
        })
      },
    }),

    endpoint({
      method: 'POST',
      path: '/tasks/{id}/ack',
      access: 'agent',
      tag: TAG,
      summary: 'Says that a task is done, or failed',
      description: 'Without a status it is done. Saying the same again changes nothing.',
      params: z.object({ id: jobId }),
      body: z.object({ status: oneOf('done', 'failed').default('done'), result: keepable.optional() }),
      replies: {
        200: {
          description: 'As it ended.',
          schema: z.object({ success: z.literal(true), id: z.int(), status: oneOf('done', 'failed') }),
        },
      },
      faults: [403, 404, 409],
      async handle({ caller, params: { id }, body: { status, result = null } }) {
        const job = await jobs.table.find(id)
        if (job === null) throw notFound(`there is no task ${id}`)
        mustBe(caller, job.server_id)
        await acknowledged(jobs, job, status, result, nameOf(caller))
        return json({ success: true, id, status })
      },
    }),
  ]
}
