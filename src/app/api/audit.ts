/** `/api/v1/audit`: who changed what, and when. */
import { z } from 'zod'
import type { AuditEvent } from '../../actors/ports.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { instant, text } from '../../http/fields.js'
import { listed, listQuery, listReply, ROWS_MAX } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { ApiParts } from './routes.js'

const Event = z
  .object({
    auditId: z.string(),
    atMs: z.number().meta({ description: 'ms since 1970 UTC.' }),
    kind: z.string().meta({ example: 'identity.enrolled' }),
    actor: z.string().meta({ description: 'Who did it.' }),
    subject: z.string().meta({ description: 'To whom or to what.' }),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEvent' }) satisfies z.ZodType<AuditEvent>

export const auditRoute = ({ store }: Pick<ApiParts, 'store'>): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/api/v1/audit',
    access: 'viewer',
    tag: 'audit',
    summary: 'Lists what was changed',
    description: `Of the newest ${ROWS_MAX} events.`,
    query: z.object({
      ...listQuery('atMs', 'kind', 'actor', 'subject'),
      kind: text(64).optional(),
      actor: text(128).optional(),
      subject: text(128).optional(),
      since: instant.optional(),
    }),
    replies: {
      200: {
        description: 'The newest first, unless `sort` says otherwise.',
        schema: listReply('audit', Event),
      },
    },
    handle: async ({ query: { kind, actor, subject, since = 0, ...page } }) => {
      const rows = (await store.auditEvents(ROWS_MAX)).filter(
        event =>
          (kind ?? event.kind) === event.kind &&
          (actor ?? event.actor) === event.actor &&
          (subject ?? event.subject) === event.subject &&
          event.atMs >= since,
      )
      return json(
        listed(
          'audit',
          rows,
          { ...page, sort: page.sort ?? '-atMs' },
          ({ auditId }) => auditId,
          (event, field) => event[field as 'atMs' | 'kind' | 'actor' | 'subject'], // the query lets no other through
        ),
      )
    },
  })
