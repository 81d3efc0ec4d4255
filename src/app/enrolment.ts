/** Making enrolment keys: `bek_<id>_<secret>`, shown once, stored as a hash. */
import { createHash } from 'node:crypto'
import type { MeshApi, Store } from '../actors/ports.js'
import type { Changes } from '../actors/snapshot/snapshots.js'
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

/** Resolves when the key is durable; rejects with the store's error when it is not. */
export async function createEnrolmentKey(
  store: Store,
  changes: Changes,
  random: Random,
  clock: Clock,
  wish: Parameters<MeshApi['createEnrolmentKey']>[0],
): ReturnType<MeshApi['createEnrolmentKey']> {
  const keyId = Buffer.from(random.bytes(6)).toString('hex')
  const secret = `bek_${keyId}_${text(random.bytes(24))}`
  const nowMs = clock.wallMs()
  const { role, uses, ttlMs, note, actor } = wish
  await store.addEnrolmentKey({
    keyId,
    secretHash: createHash('sha256').update(secret).digest(),
    role,
    usesLeft: uses,
    expiresAtMs: ttlMs === null ? null : nowMs + ttlMs,
    note,
    createdAtMs: nowMs,
    revokedAtMs: null,
  })
  changes.audit({ kind: 'enrolment_key.created', actor, subject: keyId, detail: { role, uses, ttlMs, note } })
  return { keyId, secret }
}
