/** `/api/v1/mails`: what was mailed, for an admin to pass on where there is no mail server. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { moment } from '../../http/fields.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { Outbox } from './outbox.js'

/** Of the newest. */
const MAILS_MAX = 1_000

const Mail = z.object({
  mailId: z.int(),
  to: z.string(),
  subject: z.string(),
  text: z
    .string()
    .nullable()
    .meta({ description: 'Null: `BOSON_VAULT_KEY` was another one when it was written.' }),
  createdAt: moment,
  sentAt: moment.nullable(),
  refusedAt: moment
    .nullable()
    .meta({ description: 'When it was refused for good: it is not tried any more.' }),
  attempts: z.int(),
  error: z.string().nullable().meta({ description: 'Why it did not leave the last time.' }),
})

export const mailEndpoint = (outbox: Outbox): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/api/v1/mails',
    access: 'admin',
    tag: 'accounts',
    summary: 'Lists what was mailed',
    description: `Of the newest ${MAILS_MAX} of a week.`,
    query: z.object(listQuery('mailId')),
    replies: { 200: { description: 'The newest first.', schema: listReply('mails', Mail) } },
    async handle({ query }) {
      const rows = (await outbox.newest(MAILS_MAX)).map(mail => ({
        mailId: mail.mail_id,
        to: mail.recipient,
        subject: mail.subject,
        text: mail.text,
        createdAt: mail.created_at.toISOString(),
        sentAt: mail.sent_at?.toISOString() ?? null,
        refusedAt: mail.refused_at?.toISOString() ?? null,
        attempts: mail.attempts,
        error: mail.error,
      }))
      return json(
        listed(
          'mails',
          rows,
          { ...query, sort: query.sort ?? '-mailId' },
          ({ mailId }) => String(mailId),
          ({ mailId }) => mailId,
        ),
      )
    },
  })
