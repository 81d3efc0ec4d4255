/** Who may join: keys that let agents enrol, `bek_<id>_<secret>`, shown once and stored hashed; and whom an operator enrols. */
import { createHash } from 'node:crypto'
import type { Identities } from '../actors/admission/identities.js'
import { UNSAID } from '../actors/admission/profile.js'
import type { EnrolOutcome, MeshApi, Store } from '../actors/ports.js'
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

/** Binds an identity without a key. Rejects with the store's error when it is not durable. */
export async function enrolIdentity(
  store: Store,
  identities: Identities,
  clock: Clock,
  { id, role, publicKey, by }: Parameters<MeshApi['enrol']>[0],
): Promise<EnrolOutcome> {
  // The store may not have heard of a revocation yet.
  if (identities.of(id)?.revokedAtMs != null) return { ok: false, code: 'not_authorised' }
  const outcome = await store.enrol({
    id,
    role,
    publicKey,
    profile: UNSAID,
    by: { operator: by },
    nowMs: clock.wallMs(),
  })
  if (!outcome.ok) return outcome
  // Its agent may have been here meanwhile: then memory knows more of it than the store.
  const identity = identities.of(id) ?? outcome.identity
  identities.set(identity)
  return { ok: true, identity }
}
