/** `POST /api/v1/nodes/{nodeId}/heartbeat`: a node that speaks HTTP is alive, and how it is doing. */
import { z } from 'zod'
import { mustBe } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { forbidden } from '../../http/faults.js'
import { id, moment, oneOf } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import type { Agents } from '../agents/agents.js'
import { gaugesOf, Metrics } from '../agents/gauges.js'
import { JOB_TYPES } from '../jobs/job.js'

const Heartbeat = z.object({
  metrics: Metrics.optional(),
  status: oneOf('online', 'degraded', 'offline')
    .optional()
    .meta({ description: '`offline`: it goes now, and its routes move at once.' }),
})

const Answer = z.object({
  status: z.literal('ok'),
  nextHeartbeat: z.int().meta({ description: 'Be heard within this, s: sooner while it is degraded.' }),
  actions: z
    .array(
      z.object({
        id: z.int(),
        type: oneOf(...JOB_TYPES),
        payload: z.unknown(),
        expiresAt: moment,
      }),
    )
    .meta({
      description:
        'What the node is to do. Each comes again, by the same id, until `POST /api/v1/jobs/{id}/ack`.',
    }),
})

export const heartbeatRoute = ({ mailboxes, notes, whereabouts, actionsFor }: Agents): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/api/v1/nodes/{nodeId}/heartbeat',
    access: 'agent',
    tag: 'nodes',
    summary: 'Takes the heartbeat of a node',
    description: 'With the node’s own session token. Its figures count when routes are chosen.',
    params: z.object({ nodeId: id }),
    body: Heartbeat,
    replies: { 200: { description: 'It was heard.', schema: Answer } },
    faults: [401, 403, 404, 409, 503],
    async handle({ params: { nodeId }, body: { metrics, status }, caller, remote }) {
      mustBe(caller, nodeId)
      if (caller.kind !== 'agent') throw forbidden('a heartbeat is the node’s own: send its session token')
      const box = await mailboxes.at(nodeId, remote)
      if (metrics !== undefined) box.gauges = gaugesOf(metrics)
      box.said = status ?? null
      if (status === 'offline') mailboxes.dismiss(box, 'the node said that it goes offline')
      else mailboxes.heard(box)
      const { networkInfo } = notes.of(nodeId)
      const publicIp = whereabouts.publicIpOf(remote)
      if (networkInfo !== undefined && networkInfo.publicIp !== publicIp)
        notes.set(nodeId, { networkInfo: { ...networkInfo, publicIp } })
      return json({
        status: 'ok',
        nextHeartbeat: mailboxes.nextHeartbeatS(box),
        actions: await actionsFor(nodeId),
      })
    },
  })
