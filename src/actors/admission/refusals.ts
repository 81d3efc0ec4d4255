/** Why a session is refused, and whether its agent should come back. */
import type { CloseName } from '../../protocol/close-codes.js'
import type { RefusalCode } from '../session/session.events.js'

const CLOSES: Readonly<Record<RefusalCode, CloseName>> = {
  proof_failed: 'proofFailed',
  key_mismatch: 'keyMismatch',
  not_authorised: 'notAuthorised',
  revoked: 'revoked',
  role_mismatch: 'notAuthorised',
  key_in_use: 'keyMismatch',
  ticket_unknown: 'resumeRefused',
  overloaded: 'tryLater',
  store_unavailable: 'tryLater',
  draining: 'tryLater',
  addresses_exhausted: 'tryLater',
  kept_away: 'tryLater',
  not_entitled: 'notEntitled',
  quota_used: 'quotaUsed',
  inactive: 'inactive',
}

/** Returns the close code that goes with a refusal. */
export const closeFor = (code: RefusalCode): CloseName => CLOSES[code]
