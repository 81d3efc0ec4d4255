/** `POST /api/v1/nodes/{nodeId}/heartbeat`: a node that speaks HTTP is alive, and how it is doing. */
import { z } from 'zod'
import { mustBe } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { forbidden } from '../../http/faults.js'
import { id, moment, oneOf } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import type { Agents } from '../agents/agents.js'
import type { Mailbox } from '../agents/mailbox.js'
import { issueTo } from '../agents/issue.js'
import { revisionOf } from './peers.js'
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
  peersRevision: z.string().meta({
    description: 'Look at `/api/v1/nodes/{nodeId}/peers` when it is another one than before.',
  }),
  sessionToken: z
    .string()
    .exactOptional()
    .meta({ description: 'When half the life of the last one is over: take this one from now on.' }),
  expiresAt: z.number().exactOptional().meta({ description: 'Until when it is good, ms since 1970 UTC.' }),
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

export const heartbeatRoute = (agents: Agents): Endpoint => {
  const { mailboxes, actionsFor } = agents
  return endpoint({
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
      if (box.notedRemote !== remote) noteRemote(agents, box, remote)
      return json({
        status: 'ok',
        nextHeartbeat: mailboxes.nextHeartbeatS(box),
        peersRevision: revisionOf(box),
        ...(await renewed(agents, box)),
        actions: await actionsFor(nodeId),
      })
    },
  })
}

/** Resolves with a new token when the last one is of a certain age, or of another process. */
async function renewed({ tokens, clock }: Agents, box: Mailbox) {
  if (clock.wallMs() < box.renewAtMs) return {}
  const { token, expiresAtMs } = await issueTo(tokens, clock, box)
  return { sessionToken: token, expiresAt: expiresAtMs }
}

/** Notes where a node is seen now. */
function noteRemote({ notes, whereabouts }: Agents, box: Mailbox, remote: string): void {
  box.notedRemote = remote
  const { networkInfo } = notes.of(box.id)
  const publicIp = whereabouts.publicIpOf(remote)
  if (networkInfo !== undefined && networkInfo.publicIp !== publicIp)
    notes.set(box.id, { networkInfo: { ...networkInfo, publicIp } })
}
