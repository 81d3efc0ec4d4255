/** A live or suspended session: the handle that lanes, effects and the supervisor share. */
import type { CloseName } from '../../protocol/close-codes.js'
import type { Wire } from '../../protocol/messages.js'
import type { Identity, LinkId, Role, SessionId, Slot, Socket, Terms } from '../ports.js'
import type { Standing } from '../shared-machine.js'

/** The socket of a session, as the actors see it. Saying something on a line that is gone does nothing. */
export interface Line {
  readonly socket: Socket
  /** The socket is closed or closing. */
  readonly gone: boolean
  /** Sends one control message, ahead of every queued packet. */
  tell(event: Wire): void
  /** From now on what arrives belongs to this session. */
  attach(slot: Slot): void
  close(name: CloseName, reason: string): void
}

export interface Cell {
  readonly slot: Slot
  readonly role: Role
  readonly sessionId: SessionId
  /** Owned by admission (profile) and by the `greet` effect (generation). */
  identity: Identity
  /** On which terms it is here. Owned by the gate. */
  terms: Terms
  /** What its machine says it is doing. Owned by the supervisor. */
  standing: Standing
  /** The socket that carries the session; null while it is suspended. Owned by the effects. */
  line: Line | null
  /** A proven socket that is about to carry it. Set by admission, taken by `greet`. */
  incoming: Line | null
  /** Hash of the ticket that resumes it, base64. Owned by the `greet` and `renewTicket` effects. */
  ticket: string | null
  readonly startedAtMs: number
  /** When its socket was lost, monotonic ms; null while it has one. */
  lostMs: number | null
  /** Whether its heartbeat has lapsed. Owned by the sweep. */
  lapsed: boolean
  /** Links it is an end of; null while there has been none. Owned by the paths. */
  links: Set<LinkId> | null
}
