/** What an enrolment leaves behind: an identity, and the event that says who let it in. */
import type { AuditEvent, EnrolRequest, Identity } from '../actors/ports.js'
import type { OverlayAddresses } from './overlay-pool.js'

export function newIdentity(request: EnrolRequest, addresses: OverlayAddresses): Identity {
  return {
    id: request.id,
    role: request.role,
    publicKey: request.publicKey,
    ...addresses,
    generation: 0,
    profile: request.profile,
    createdAtMs: request.nowMs,
    revokedAtMs: null,
  }
}

/** An identity is enrolled once, so its id makes the event's own id. */
export function enrolledEvent(identity: Identity, actor: string): AuditEvent {
  return {
    auditId: `identity.enrolled:${identity.id}`,
    atMs: identity.createdAtMs,
    kind: 'identity.enrolled',
    actor,
    subject: identity.id,
    detail: { role: identity.role, overlay4: identity.overlay4, overlay6: identity.overlay6 },
  }
}
