/** Enrolment keys: made, listed and revoked. A secret is shown once, when it is made. */
import { z } from 'zod'
import type { EnrolmentKey } from '../../actors/ports.js'
import { readJson } from '../../edge/body.js'
import { notFound, unavailable } from '../../http/faults.js'
import { json, type Reply } from '../../http/reply.js'
import type { Route } from '../../http/router.js'
import type { ApiParts } from './routes.js'

/** An enrolment key as it is listed: without its secret, which nobody has. */
export interface ListedKey {
  readonly keyId: string
  readonly role: string | null
  readonly usesLeft: number | null
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  readonly createdAt: string
  readonly note: string
}

/** Ten years, ms: longer is "for ever", which is null. */
const TTL_MAX_MS = 10 * 365 * 86_400_000

const Wish = z.strictObject({
  role: z.enum(['node', 'client']).nullable().default(null),
  uses: z.int().min(1).max(1_000_000).nullable().default(1),
  ttlMs: z.int().min(1_000).max(TTL_MAX_MS).nullable().default(86_400_000),
  note: z.string().max(256).default(''),
})

/** When a store that is away should be asked again, s. */
const RETRY_AFTER_S = 5

export function enrolmentRoutes({ mesh, store }: Pick<ApiParts, 'mesh' | 'store'>): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/enrolment-keys',
      access: 'operator',
      handle: request => {
        const wish = readJson(request, Wish)
        return whenStored(async () => {
          const { keyId, secret } = await mesh.createEnrolmentKey({ ...wish, actor: 'operator' })
          return json({ keyId, secret }, 201)
        })
      },
    },
    {
      method: 'GET',
      path: '/api/v1/enrolment-keys',
      access: 'operator',
      handle: () => whenStored(async () => json({ keys: (await store.enrolmentKeys()).map(listed) })),
    },
    {
      method: 'DELETE',
      path: '/api/v1/enrolment-keys/{id}',
      access: 'operator',
      handle: ({ params: { id = '' } }) =>
        whenStored(async () => {
          if (!(await mesh.revokeEnrolmentKey(id, 'operator')))
            throw notFound('there is no such enrolment key')
          return json({ keyId: id, revoked: true })
        }),
    },
  ]
}

const listed = (key: EnrolmentKey): ListedKey => ({
  keyId: key.keyId,
  role: key.role,
  usesLeft: key.usesLeft,
  expiresAt: iso(key.expiresAtMs),
  revokedAt: iso(key.revokedAtMs),
  createdAt: new Date(key.createdAtMs).toISOString(),
  note: key.note,
})

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

/** A database that is away is a state of ours, not a fault. */
async function whenStored(work: () => Promise<Reply>): Promise<Reply> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'STORE_UNAVAILABLE')
      throw unavailable('the database is away: sessions go on, keys cannot be changed now', RETRY_AFTER_S)
    throw error
  }
}
