import type { WireOf } from '../../protocol/messages.js'
import type { RouteId, RouteWish } from '../ports.js'
import type { SessionEvent } from '../session/session.events.js'

/** What a client is told of its route; null: nothing. */
export type RouteMessage =
  | WireOf<'route.assigned'>
  | WireOf<'route.switched'>
  | WireOf<'route.refused'>
  | null

/** What a client's session hears beside what every session hears. */
export type ClientEvent =
  | SessionEvent
  | { readonly type: 'route.wanted'; readonly requestId: number; readonly wish: RouteWish }
  | { readonly type: 'route.unwanted'; readonly routeId: RouteId }
  | { readonly type: 'route.given'; readonly message: WireOf<'route.assigned'> | WireOf<'route.switched'> }
  /** `keeps`: the client has a route already and keeps it. */
  | { readonly type: 'route.denied'; readonly message: WireOf<'route.refused'>; readonly keeps: boolean }
  /** The route ended; with a message when the client should hear of it. */
  | { readonly type: 'route.ended'; readonly message: WireOf<'route.refused'> | null }
