/** How a request is turned down: the code of the standard for the client, the reason for the operator. */
import type { Refusal } from './counters.js'

export interface Refused {
  readonly code: RefusalCode
  readonly refusal: Refusal
  /** Attributes that were not understood, with 420. */
  readonly types?: readonly number[]
}

export const PHRASES = {
  400: 'Bad Request',
  401: 'Unauthenticated',
  403: 'Forbidden',
  420: 'Unknown Attribute',
  437: 'Allocation Mismatch',
  438: 'Stale Nonce',
  440: 'Address Family not Supported',
  441: 'Wrong Credentials',
  442: 'Unsupported Transport Protocol',
  443: 'Peer Address Family Mismatch',
  486: 'Allocation Quota Reached',
  508: 'Insufficient Capacity',
} as const
export type RefusalCode = keyof typeof PHRASES

export const BAD_REQUEST: Refused = { code: 400, refusal: 'bad_request' }
