/** What a client's route does to the world. */
import type { Wire, WireOf } from '../protocol/messages.js'
import { type Route, routeMachine, type SwitchCause } from './route.machine.js'

export interface RouteEffects {
  readonly send: (event: Wire) => void
  readonly tell: {
    carrying(route: Route): void
    switched(from: Route | null, to: Route, cause: SwitchCause): void
    lost(route: Route | null, reason: string): void
    refused(refusal: WireOf<'route.refused'>): void
  }
}

export const routeWith = ({ send, tell }: RouteEffects) =>
  routeMachine.provide({
    actions: {
      request: (_, { requestId, wish }) => send({ type: 'route.request', requestId, ...wish }),
      releaseRoute: (_, { route }) => {
        if (route !== null) send({ type: 'route.release', routeId: route.routeId })
      },
      tellCarrying: (_, { route }) => {
        if (route !== null) tell.carrying(route)
      },
      tellSwitched: (_, { from, to, cause }) => tell.switched(from, to, cause),
      tellLost: (_, { route, reason }) => tell.lost(route, reason),
      tellRefused: (_, { refusal }) => tell.refused(refusal),
    },
  })
