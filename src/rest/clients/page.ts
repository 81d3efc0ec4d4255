/** One client, and the end of its session. */
import { z } from 'zod'
import { mustBe, nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict, notFound } from '../../http/faults.js'
import { id } from '../../http/fields.js'
import { empty, json } from '../../http/reply.js'
import type { Agents } from '../agents/agents.js'
import { clientRow, clientRowOf } from './row.js'

const params = z.object({ clientId: id })

const ClientPage = z
  .object({
    ...clientRow,
    state: z.string().nullable().meta({ description: 'State of its session; null when it has none.' }),
    generation: z.int().meta({ description: 'Counts its sessions; the newest wins.' }),
    overlay4: z.string().meta({ example: '10.77.0.3' }),
    overlay6: z.string().meta({ example: 'fd77:b050::3' }),
  })
  .meta({ id: 'ClientPage' })

export const clientPages = (agents: Agents): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/api/v1/clients/{clientId}',
    access: 'agent',
    tag: 'clients',
    summary: 'Tells what is known of a client',
    description: 'For the client itself and for operators.',
    params,
    replies: { 200: { description: 'The client.', schema: ClientPage } },
    faults: [401, 403, 404],
    handle({ params: { clientId }, caller }) {
      mustBe(caller, clientId)
      const { state, generation, overlay4, overlay6 } = clientCalled(agents, clientId)
      const row = clientRowOf(agents, clientId, agents.mesh.client(clientId))
      return json({ ...row, state, generation, overlay4, overlay6 })
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/api/v1/clients/{clientId}',
    access: 'agent',
    tag: 'clients',
    summary: 'Ends the session of a client that speaks HTTP',
    description: 'Its route ends with it. With its own session token, or an operator’s.',
    params,
    replies: { 204: { description: 'It has no session any more.' } },
    faults: [401, 403, 404, 409],
    handle({ params: { clientId }, caller }) {
      mustBe(caller, clientId)
      const { state } = clientCalled(agents, clientId)
      const box = agents.mailboxes.of(clientId)
      if (box === undefined && (state === 'online' || state === 'lapsed'))
        throw conflict(`${clientId} is connected by WebSocket: its agent ends that, or revoke its identity`)
      if (box === undefined) return empty()
      agents.mailboxes.dismiss(box, 'the client was deleted')
      agents.mesh.audit({ kind: 'session.deleted', actor: nameOf(caller), subject: clientId, detail: {} })
      return empty()
    },
  }),
]

function clientCalled({ mesh }: Agents, clientId: string) {
  const identity = mesh.identity(clientId)
  if (identity?.role !== 'client') throw notFound(`no client is called ${clientId}`)
  return identity
}
