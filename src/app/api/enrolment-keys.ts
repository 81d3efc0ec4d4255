/** Enrolment keys: made, listed and revoked. A secret is shown once, when it is made. */
import { z } from 'zod'
import type { EnrolmentKey } from '../../actors/ports.js'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { notFound } from '../../http/faults.js'
import { moment, oneOf, whole, yesNo } from '../../http/fields.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { ApiParts } from './routes.js'

/** An enrolment key as it is listed: without its secret, which nobody has. */
const Key = z
  .object({
    keyId: z.string(),
    role: z.enum(['node', 'client']).nullable().meta({ description: 'Null: any.' }),
    usesLeft: z.int().nullable().meta({ description: 'Null: any number.' }),
    expiresAt: moment.nullable(),
    revokedAt: moment.nullable(),
    createdAt: moment,
    note: z.string(),
  })
  .meta({ id: 'EnrolmentKey' })
export type ListedKey = z.output<typeof Key>

/** Ten years, ms: longer is "for ever", which is null. */
const TTL_MAX_MS = 10 * 365 * 86_400_000
const role = oneOf('node', 'client')

const Wish = z.strictObject({
  role: role.nullable().default(null).meta({ description: 'Whom it admits; null: anyone.' }),
  uses: whole(1, 1_000_000).nullable().default(1).meta({ description: 'How often; null: any number.' }),
  ttlMs: whole(1_000, TTL_MAX_MS)
    .nullable()
    .default(86_400_000)
    .meta({ description: 'How long, ms; null: for ever.' }),
  note: z.string().max(256).default(''),
})

const PATH = '/api/v1/enrolment-keys'

export const enrolmentRoutes = ({ mesh, store }: Pick<ApiParts, 'mesh' | 'store'>): readonly Endpoint[] => [
  endpoint({
    method: 'POST',
    path: PATH,
    access: 'admin',
    tag: 'enrolment',
    summary: 'Makes an enrolment key',
    body: Wish,
    replies: {
      201: {
        description: 'The secret is shown here and never again.',
        schema: z.object({ keyId: z.string(), secret: z.string() }),
      },
    },
    handle: async ({ body, caller }) => {
      const { keyId, secret } = await mesh.createEnrolmentKey({ ...body, actor: nameOf(caller) })
      return json({ keyId, secret }, 201)
    },
  }),
  endpoint({
    method: 'GET',
    path: PATH,
    access: 'admin',
    tag: 'enrolment',
    summary: 'Lists the enrolment keys',
    query: z.object({
      ...listQuery('keyId', 'createdAt', 'expiresAt'),
      role: role.optional(),
      revoked: yesNo
        .optional()
        .meta({ description: 'Only those that are revoked, or only those that are not.' }),
    }),
    replies: { 200: { description: 'The newest first.', schema: listReply('keys', Key) } },
    handle: async ({ query }) => {
      const rows = (await store.enrolmentKeys())
        .map(asListed)
        .filter(
          key =>
            (query.role === undefined || key.role === query.role) &&
            (query.revoked === undefined || (key.revokedAt !== null) === query.revoked),
        )
      return json(
        listed(
          'keys',
          rows,
          { ...query, sort: query.sort ?? '-createdAt' },
          ({ keyId }) => keyId,
          (key, field) => key[field as 'keyId' | 'createdAt' | 'expiresAt'], // the query lets no other through
        ),
      )
    },
  }),
  endpoint({
    method: 'DELETE',
    path: `${PATH}/{id}`,
    access: 'admin',
    tag: 'enrolment',
    summary: 'Revokes an enrolment key',
    replies: {
      200: {
        description: 'Nobody is admitted by it any more.',
        schema: z.object({ keyId: z.string(), revoked: z.literal(true) }),
      },
    },
    handle: async ({ params, caller }) => {
      const keyId = String(params['id'])
      if (!(await mesh.revokeEnrolmentKey(keyId, nameOf(caller))))
        throw notFound('there is no such enrolment key')
      return json({ keyId, revoked: true })
    },
  }),
]

const asListed = (key: EnrolmentKey): ListedKey => ({
  keyId: key.keyId,
  role: key.role,
  usesLeft: key.usesLeft,
  expiresAt: iso(key.expiresAtMs),
  revokedAt: iso(key.revokedAtMs),
  createdAt: new Date(key.createdAtMs).toISOString(),
  note: key.note,
})

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
