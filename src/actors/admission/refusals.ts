/** Why a session is refused, and whether its agent should come back. */
import type { CloseName } from '../../protocol/close-codes.js'
import type { WireOf } from '../../protocol/messages.js'
import type { Denial } from '../ports.js'
import type { RefusalCode } from '../session/session.events.js'

export type Answer = Omit<WireOf<'refused'>, 'type'>

/** What the wire has room for: UTF-16 units, and ms in 32 bits. */
const REASON_MAX = 256
const RETRY_MAX_MS = 0xffff_ffff

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

/** Returns a denial as it is told, whatever its room made of reason and time. */
export const answerTo = ({ code, reason, retryAfterMs }: Denial): Answer => ({
  code,
  reason: reason.slice(0, REASON_MAX),
  retryAfterMs: Math.min(RETRY_MAX_MS, Math.max(0, Math.ceil(retryAfterMs))),
})
