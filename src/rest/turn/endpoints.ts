/**
 * `/api/v1/turn`: STUN and TURN servers for who has a session. Credentials name the session's identity, are good for
 * minutes, and are the same for a minute however often they are asked for.
 */
import { z } from 'zod'
import type { Traversal } from '../../actors/ports.js'
import type { Caller } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, conflict } from '../../http/faults.js'
import { id } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import type { Agents } from '../agents/agents.js'
import { grouped, hostPortOf, hostPorts } from './servers.js'

const query = z.object({
  for: id.optional().meta({ description: 'Operators: whose credentials are wanted.' }),
})

const IceServer = z.object({
  urls: z.union([z.string(), z.array(z.string())]),
  username: z.string().exactOptional(),
  credential: z.string().exactOptional(),
})

const TurnServer = z.object({
  host: z.string(),
  port: z.int(),
  realm: z.string(),
  username: z.string(),
  password: z.string(),
  ttl: z.int().meta({ description: 'For how long the credentials open relays, s.' }),
})

const faults = [401, 409] as const
const description = 'For an agent with a session, or for operators who name one.'

export const turnEndpoints = (agents: Agents): readonly Endpoint[] => {
  const { clock, traversal, realm } = agents
  return [
    endpoint({
      method: 'GET',
      path: '/api/v1/turn/ice',
      access: 'agent',
      people: 'operator',
      tag: 'turn',
      summary: 'Lists STUN and TURN servers as browsers and WebRTC want them',
      description,
      query,
      replies: { 200: { description: 'The servers.', schema: z.object({ iceServers: z.array(IceServer) }) } },
      faults,
      handle: ({ query: { for: wanted }, caller }) =>
        json({ iceServers: grouped(serversOf(agents, caller, wanted)) }),
    }),
    endpoint({
      method: 'GET',
      path: '/api/v1/turn/servers',
      access: 'agent',
      people: 'operator',
      tag: 'turn',
      summary: 'Lists TURN servers with credentials',
      description,
      query,
      replies: { 200: { description: 'The servers.', schema: z.object({ servers: z.array(TurnServer) }) } },
      faults,
      handle({ query: { for: wanted }, caller }) {
        const servers = serversOf(agents, caller, wanted).flatMap(([uri, username, password]) => {
          const at = hostPortOf(uri)
          if (at === null || username == null || password == null) return []
          const ttl = Math.max(0, Number.parseInt(username, 10) - Math.floor(clock.wallMs() / 1_000))
          return [{ ...at, realm, username, password, ttl }]
        })
        return json({ servers: onceEach(servers) })
      },
    }),
    endpoint({
      method: 'GET',
      path: '/api/v1/turn/stun',
      access: 'agent',
      tag: 'turn',
      summary: 'Lists STUN servers',
      replies: {
        200: {
          description: 'The servers.',
          schema: z.object({ servers: z.array(z.object({ host: z.string(), port: z.int() })) }),
        },
      },
      faults: [401],
      handle: () => json({ servers: hostPorts(traversal?.stunServers() ?? []) }),
    }),
  ]
}

/** Returns the servers for whom they are wanted: one that has a session. */
function serversOf({ mesh, traversal }: Agents, caller: Caller, wanted: string | undefined): IceServers {
  const own = caller.kind === 'agent' ? caller.id : wanted
  if (own === undefined) throw badRequest('for: wanted the id of a node or client')
  if (mesh.identity(own)?.state == null)
    throw conflict(`${own} has no session: credentials are for who has one`)
  return traversal?.iceServers(own) ?? []
}

type IceServers = ReturnType<Traversal['iceServers']>

/** One server has a URI for each transport. */
const onceEach = <T extends { readonly host: string; readonly port: number }>(servers: readonly T[]): T[] => [
  ...new Map(servers.map(server => [`${server.host} ${server.port}`, server])).values(),
]
