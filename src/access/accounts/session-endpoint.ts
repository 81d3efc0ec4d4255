/** `/pgmon/audit/sessions`: who has signed in, from where, and whether it still holds. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { moment, oneOf } from '../../http/fields.js'
import { listQuery, listReply, listReplyOf } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import { ACCOUNT_ROLES } from '../../http/roles.js'
import { name, nameKey } from './name.js'
import type { SignIns } from './sign-ins.js'

export interface SessionParts {
  readonly signIns: SignIns
  readonly nowMs: () => number
}

const STATES = ['good', 'expired', 'ended'] as const

const MonitorSession = z
  .object({
    id: z.string(),
    login: z.string(),
    role: z.enum(ACCOUNT_ROLES),
    address: z
      .string()
      .meta({ description: 'Whose limits it counted against: an IPv4 address, or the /64 of an IPv6 one.' }),
    state: z.enum(STATES),
    created_at: moment,
    renewed_at: moment.nullable().meta({ description: 'When a token was last renewed; null: never.' }),
    expires_at: moment.meta({ description: 'When it can be renewed no more.' }),
    ended_at: moment.nullable().meta({ description: 'Null: nobody has ended it.' }),
  })
  .meta({ id: 'MonitorSession' })

export const sessionEndpoint = ({ signIns, nowMs }: SessionParts): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/pgmon/audit/sessions',
    access: 'admin',
    tag: 'accounts',
    summary: 'Lists the sign-ins of those who run the mesh',
    description:
      'By whichever door, of the last 90 days. What they have done is in `GET /api/v1/audit`, which takes `actor`.',
    query: z.object({
      ...listQuery('created_at'),
      login: name.optional(),
      state: oneOf('good', 'over').optional().meta({ description: 'Only those that are good, or others.' }),
    }),
    replies: {
      200: { description: 'The newest first.', schema: listReply('sessions', MonitorSession) },
    },
    async handle({ query: { limit, after, sort, login, state } }) {
      const { rows, total, next } = await signIns.list({
        limit,
        after,
        sort,
        nameKey: login === undefined ? undefined : nameKey(login),
        good: state === undefined ? undefined : state === 'good',
      })
      const now = nowMs()
      const sessions = rows.map(
        ({ sign_in_id, name: called, role, address, created_at, renewed_at, expires_at, ended_at }) =>
          ({
            id: sign_in_id,
            login: called,
            role,
            address,
            state: ended_at !== null ? 'ended' : expires_at.getTime() <= now ? 'expired' : 'good',
            created_at: created_at.toISOString(),
            renewed_at: renewed_at?.toISOString() ?? null,
            expires_at: expires_at.toISOString(),
            ended_at: ended_at?.toISOString() ?? null,
          }) satisfies z.output<typeof MonitorSession>,
      )
      return json(listReplyOf('sessions', { rows: sessions, total, next }))
    },
  })
