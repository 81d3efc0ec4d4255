/**
 * `/api/v1/wireguard`: a client without a WebSocket tells where its WireGuard is. The node's agent hears of it as of any
 * other address, and may try to reach it there. Nobody is known by the address that packets come from: there is no
 * UDP port that takes packets in for whoever sends them.
 */
import { z } from 'zod'
import { mustBe } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict, forbidden, notFound } from '../../http/faults.js'
import { id, text } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { endpointText } from '../../protocol/address.js'
import type { Agents } from '../agents/agents.js'
import { ipAddress, port } from '../fields.js'

/** A session token, which clients of the first BosonServer send as session id. */
const TOKEN_MAX = 2_048

const place = { clientAddress: ipAddress, clientPort: port }

const Registration = z.object({
  clientId: id,
  nodeId: id,
  sessionId: text(TOKEN_MAX)
    .optional()
    .meta({ description: 'Not needed: the bearer token says whose it is.' }),
  ...place,
})

export const wireguardEndpoints = ({ mesh, mailboxes, notes }: Agents): readonly Endpoint[] => [
  endpoint({
    method: 'POST',
    path: '/api/v1/wireguard/register',
    access: 'agent',
    tag: 'wireguard',
    summary: 'Tells where the WireGuard of a client is',
    description: 'With the client’s own session token, for the node that its route leads to.',
    body: Registration,
    replies: {
      200: {
        description: 'The node knows.',
        schema: z.object({ status: z.literal('registered'), clientId: z.string(), nodeId: z.string() }),
      },
    },
    faults: [401, 403, 404, 409, 503],
    async handle({ body: { clientId, nodeId, clientAddress: address, clientPort }, caller, remote }) {
      mustBe(caller, clientId)
      if (caller.kind !== 'agent') throw forbidden('this is the client’s own: send its session token')
      const box = await mailboxes.at(clientId, remote)
      mailboxes.heard(box)
      if (mesh.identity(nodeId)?.role !== 'node') throw notFound(`no node is called ${nodeId}`)
      if (box.links.to(nodeId) === undefined) throw conflict(`no route joins ${clientId} and ${nodeId}`)
      notes.set(clientId, { wireguard: { nodeId, address, port: clientPort } })
      box.links.standAt(endpointText({ address, port: clientPort }))
      return json({ status: 'registered', clientId, nodeId })
    },
  }),
  endpoint({
    method: 'POST',
    path: '/api/v1/wireguard/unregister',
    access: 'agent',
    tag: 'wireguard',
    summary: 'Takes back where the WireGuard of a client was',
    description: 'With the client’s own session token.',
    body: z.object(place),
    replies: {
      200: { description: 'It is forgotten.', schema: z.object({ status: z.literal('unregistered') }) },
    },
    faults: [401, 403, 404],
    handle({ body: { clientAddress, clientPort }, caller }) {
      if (caller.kind !== 'agent') throw forbidden('this is the client’s own: send its session token')
      const { wireguard } = notes.of(caller.id)
      if (wireguard?.address !== clientAddress || wireguard.port !== clientPort)
        throw notFound(
          `${caller.id} has not registered ${endpointText({ address: clientAddress, port: clientPort })}`,
        )
      notes.set(caller.id, { wireguard: null })
      mailboxes.of(caller.id)?.links.standAt(null)
      return json({ status: 'unregistered' })
    },
  }),
]
