/** What sessions ask of the world. Bodies are given at composition; a bare machine performs nothing. */
import type { CloseName } from '../../protocol/close-codes.js'
import type { RouteMessage } from '../client/client.events.js'
import type { RouteId, RouteWish } from '../ports.js'
import type { RefusalCode, SessionFact } from './session.events.js'

export const sessionActions = {
  /** Bumps the generation, makes a ticket, attaches the lanes and answers `registered` or `resumed`. */
  greet: (_: unknown, _params: { by: 'register' | 'resume' }) => {},
  /** Answers `refused` and closes the socket. */
  refuse: (_: unknown, _params: { code: RefusalCode; reason: string; retryAfterMs?: number }) => {},
  /** Takes the lanes away and forgets the socket. */
  detach: () => {},
  /** Starts the time in which the session may come back. */
  openWindow: () => {},
  closeWindow: () => {},
  /** Tells the socket that is being replaced so, and closes it. */
  tellReplaced: () => {},
  closeSocket: (_: unknown, _params: { close: CloseName; reason: string }) => {},
  renewTicket: () => {},
  /** Tells the coordinator. */
  inform: (_: unknown, _params: { fact: SessionFact }) => {},
  /** Gives back what the session holds: ticket, slot. */
  release: () => {},
  /** Client: asks the coordinator for a node. */
  askRoute: (_: unknown, _params: { requestId: number; wish: RouteWish }) => {},
  giveRouteBack: (_: unknown, _params: { routeId: RouteId }) => {},
  tellRoute: (_: unknown, _params: { message: RouteMessage }) => {},
}
