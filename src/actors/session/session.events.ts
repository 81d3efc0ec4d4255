/** The closed set of events that any session hears. A wire message never becomes one by its own name. */
import type { CloseName } from '../../protocol/close-codes.js'
import type { Wire, WireOf } from '../../protocol/messages.js'
import type { Role, Slot } from '../ports.js'

export interface SessionInput {
  readonly slot: Slot
}
export type SessionContext = SessionInput

export type RefusalCode = WireOf<'refused'>['code']

export type SessionEvent =
  | { readonly type: 'admitted' }
  | {
      readonly type: 'denied'
      readonly code: RefusalCode
      readonly reason: string
      readonly retryAfterMs?: number
    }
  | { readonly type: 'restored' }
  | { readonly type: 'reattached'; readonly by: 'register' | 'resume' }
  | { readonly type: 'socket.lost' }
  | { readonly type: 'heartbeat.lapsed' }
  | { readonly type: 'heartbeat.returned' }
  | { readonly type: 'fell.silent' }
  | { readonly type: 'window.closed' }
  | { readonly type: 'dismissed'; readonly close: CloseName; readonly reason: string }
  | { readonly type: 'said.goodbye'; readonly reason: string }
  | { readonly type: 'asked.renewal' }

/** What the coordinator hears of a session. */
export type SessionFact = 'joined' | 'restored' | 'lost' | 'returned' | 'dimmed' | 'brightened' | 'left'

/** What an established agent may say beside heartbeats and packets. */
export type AgentRequest = Extract<
  Wire,
  {
    readonly type:
      | 'route.request'
      | 'route.release'
      | 'drain.request'
      | 'path.ready'
      | 'path.report'
      | 'path.closed'
      | 'probe.report'
      | 'path.signal'
      | 'path.attempt'
      | 'report.batch'
      | 'job.progress'
      | 'job.done'
      | 'job.ready'
      | 'renew'
      | 'goodbye'
      | 'error'
  }
>

const BOTH = [
  'path.ready',
  'path.report',
  'path.closed',
  'probe.report',
  'path.signal',
  'path.attempt',
  'report.batch',
  'renew',
  'goodbye',
  'error',
] as const
const MAY_SAY: Readonly<Record<Role, ReadonlySet<string>>> = {
  node: new Set([...BOTH, 'drain.request', 'job.progress', 'job.done', 'job.ready']),
  client: new Set([...BOTH, 'route.request', 'route.release']),
}

/** Returns whether an established session of this role may say `event`. */
export const maySay = (role: Role, event: Wire): event is AgentRequest => MAY_SAY[role].has(event.type)
