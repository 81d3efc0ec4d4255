import type { SessionEvent } from '../session/session.events.js'

/** What a node's session hears beside what every session hears. */
export type NodeEvent =
  | SessionEvent
  | { readonly type: 'places.taken' }
  | { readonly type: 'places.freed' }
  | { readonly type: 'asked.to.leave' }
  | { readonly type: 'asked.to.stay' }
  | { readonly type: 'probe.begun' }
  | { readonly type: 'probe.unanswered' }
  | { readonly type: 'nat.classified' }
