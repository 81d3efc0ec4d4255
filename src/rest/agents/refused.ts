/** What the mesh refuses, as HTTP says it. */
import { HttpError } from '../../http/faults.js'
import type { WireOf } from '../../protocol/messages.js'

const STATUSES: Readonly<Record<WireOf<'refused'>['code'], number>> = {
  proof_failed: 401,
  not_authorised: 403,
  revoked: 403,
  key_mismatch: 409,
  key_in_use: 409,
  role_mismatch: 409,
  ticket_unknown: 409,
  overloaded: 503,
  store_unavailable: 503,
  draining: 503,
  addresses_exhausted: 503,
  kept_away: 403,
  not_entitled: 403,
  quota_used: 403,
  inactive: 403,
}

/** Returns the fault that a refusal is. */
export function refused({ code, reason, retryAfterMs }: WireOf<'refused'>): HttpError {
  return new HttpError(STATUSES[code], code, reason, retryAfter(retryAfterMs))
}

/** Returns the header that says when to come back. */
export const retryAfter = (ms: number | undefined): Readonly<Record<string, string>> =>
  ms === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(ms / 1_000))) }
