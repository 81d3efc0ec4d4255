/** `/api/v1/identities/{id}/kick`, `/revoke`, `/reprobe`: what an operator does to one node or client at once. */
import { z } from 'zod'
import type { Kick, Reprobe, Revocation } from '../../actors/ports.js'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { notFound } from '../../http/faults.js'
import { id, oneOf, whole } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { str } from '../../protocol/schema.js'
import type { ApiParts } from './routes.js'

/** Whoever is kept away for longer is better revoked, ms: a week. */
const KEPT_AWAY_MAX_MS = 7 * 86_400_000
/** What a WebSocket's close frame has room for, bytes: RFC 6455 §5.5 allows 125 with the code. */
const REASON_MAX = 123

const isPlain = str(REASON_MAX).check
const reason = z
  .string({ error: 'wanted text' })
  .refine(text => isPlain(text) === undefined && Buffer.byteLength(text) <= REASON_MAX, {
    error: `wanted one line of at most ${REASON_MAX} bytes`,
  })
  .meta({ description: 'Why: its agent is told, and the audit keeps it.', example: 'maintenance' })

const subject = { id, role: oneOf('node', 'client') }
const ended = z.boolean().meta({ description: 'Whether there was a session to end.' })

const Kicked = z
  .object({
    ...subject,
    ended,
    refusedForMs: z.number().meta({ description: 'How long the identity is refused from now on, ms.' }),
  })
  .meta({ id: 'Kick' }) satisfies z.ZodType<Kick>

const Revoked = z
  .object({
    ...subject,
    ended,
    revokedAtMs: z.number().meta({ description: 'ms since 1970 UTC; of the first time.' }),
  })
  .meta({ id: 'Revocation' }) satisfies z.ZodType<Revocation>

const Reprobed = z
  .object({
    ...subject,
    probe: oneOf('asked', 'away', 'cannot', 'no_servers').meta({
      description:
        '`asked`: its agent is told what to try within seconds; `away`: it is not connected; `cannot`: it knows no probes; `no_servers`: there is no STUN server.',
    }),
    paths: z.int().meta({ description: 'Paths that are tried again.' }),
  })
  .meta({ id: 'Reprobe' }) satisfies z.ZodType<Reprobe>

const common = { method: 'POST', access: 'operator', tag: 'identities', params: z.object({ id }) } as const

export const interventionRoutes = ({ mesh }: Pick<ApiParts, 'mesh'>): readonly Endpoint[] => [
  endpoint({
    ...common,
    path: '/api/v1/identities/{id}/kick',
    summary: 'Ends the session of a node or a client',
    description:
      'Its routes move or end at once, and its ticket is worth nothing any more. Its agent comes back by itself and registers anew, unless `forMs` keeps it away: until then, or until the coordinator restarts.',
    body: z.strictObject({
      reason: reason.default('an operator ended the session'),
      forMs: whole(0, KEPT_AWAY_MAX_MS).default(0).meta({ description: 'Keeps it away for so long, ms.' }),
    }),
    replies: { 200: { description: 'What was done.', schema: Kicked } },
    handle: ({ caller, params, body }) =>
      json(known(params.id, mesh.kick(params.id, { ...body, actor: nameOf(caller) }))),
  }),
  endpoint({
    ...common,
    path: '/api/v1/identities/{id}/revoke',
    summary: 'Bars a node or a client for good',
    description:
      'Its session and its routes end at once. Nobody is given its name, its key or its addresses again, and nothing takes this back.',
    body: z.strictObject({ reason: reason.default('an operator revoked this identity') }),
    replies: { 200: { description: 'It is revoked, now or before.', schema: Revoked } },
    handle: ({ caller, params, body }) =>
      json(known(params.id, mesh.revoke(params.id, { ...body, actor: nameOf(caller) }))),
  }),
  endpoint({
    ...common,
    path: '/api/v1/identities/{id}/reprobe',
    summary: 'Looks anew at the network of a node or a client',
    description:
      'Its agent is asked about the NAT in front of it, and its paths try again to leave the relay.',
    replies: { 200: { description: 'What was begun.', schema: Reprobed } },
    handle: ({ caller, params }) => json(known(params.id, mesh.reprobe(params.id, nameOf(caller)))),
  }),
]

function known<T>(subject: string, outcome: T | null): T {
  if (outcome === null) throw notFound(`nobody has enrolled as ${subject}`)
  return outcome
}
