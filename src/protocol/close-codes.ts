/**
 * Why a session's socket was closed, and whether to come back. Application codes of RFC 6455 §7.4.2:
 * 4000–4499 say "come back, with back-off"; 4500–4999 are final for this identity until a person acts.
 * Any other code, and 1006 above all (no close frame arrived), means: come back, with back-off.
 */
interface CloseReason {
  readonly code: number
  readonly doc: string
}

export const CLOSE = {
  restarting: { code: 4000, doc: 'The coordinator restarts; return in the slot that `restarting` gave.' },
  faulted: { code: 4001, doc: 'The session failed inside the coordinator; it alone was closed.' },
  malformed: { code: 4002, doc: 'Too many messages that are not of this protocol.' },
  resumeRefused: { code: 4003, doc: 'The ticket is unknown, used or too old: register again.' },
  tryLater: { code: 4004, doc: 'Refused for now; `refused.retryAfterMs` says when to come back.' },
  kicked: {
    code: 4005,
    doc: 'An operator ended the session; its ticket is worth nothing any more: register again.',
  },
  greetingTimeout: { code: 4008, doc: 'Neither `register` nor `resume` arrived in time.' },
  silent: { code: 4009, doc: 'No complete valid message arrived for too long.' },
  slowConsumer: { code: 4010, doc: 'Control messages could not be delivered: the reader is too slow.' },
  notEntitled: {
    code: 4020,
    doc: 'What let this identity in has ended, or was never bought; it comes back when that is renewed.',
  },
  quotaUsed: {
    code: 4021,
    doc: 'The traffic of this identity is used up; it comes back when there is more.',
  },
  inactive: {
    code: 4022,
    doc: 'This identity, or its owner, is switched off; it comes back when it is on again.',
  },
  flooding: { code: 4029, doc: 'More messages or pings than the limits allow.' },
  notAuthorised: { code: 4500, doc: 'The credential is missing, wrong, used up or expired.' },
  keyMismatch: { code: 4501, doc: 'This id is bound to another WireGuard key.' },
  proofFailed: { code: 4502, doc: 'The proof of key possession does not verify.' },
  replaced: { code: 4509, doc: 'A newer proven session of the same identity took over.' },
  revoked: { code: 4510, doc: 'An operator revoked the identity.' },
  left: { code: 4511, doc: 'The agent said goodbye; the session has ended.' },
} as const satisfies Record<string, CloseReason>

export type CloseName = keyof typeof CLOSE

/** Returns whether an agent whose socket closed with `code` should come back by itself. */
export const mayReturn = (code: number): boolean => !(code >= 4500 && code <= 4999)
