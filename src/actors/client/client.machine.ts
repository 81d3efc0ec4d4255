/**
 * A client's session: the life of session.states.ts, and while it is online
 *
 *   presence  fresh ⇄ lapsed
 *   demand    idle → asking → served      a resumed client is told its route again, and so is served again
 */
import type { RouteMessage } from './client.events.js'
import {
  closed,
  online,
  presence,
  refused,
  registering,
  session,
  suspended,
  whatever,
} from '../session/session.states.js'

const tellIt = {
  type: 'tellRoute',
  params: ({ event }: { event: { message: RouteMessage } }) => ({ message: event.message }),
} as const

export const clientMachine = session.createMachine({
  id: 'client',
  context: ({ input }) => ({ slot: input.slot }),
  initial: 'registering',
  ...whatever,
  states: {
    registering,
    online: {
      ...online,
      type: 'parallel',
      states: {
        presence,
        demand: {
          initial: 'idle',
          on: {
            'route.wanted': {
              target: '.asking',
              actions: {
                type: 'askRoute',
                params: ({ event }) => ({ requestId: event.requestId, wish: event.wish }),
              },
            },
            'route.given': {
              target: '.served',
              actions: tellIt,
            },
            'route.ended': {
              target: '.idle',
              actions: tellIt,
            },
          },
          states: {
            idle: {},
            asking: {
              on: {
                'route.denied': [
                  { guard: ({ event }) => event.keeps, target: 'served', actions: tellIt },
                  { target: 'idle', actions: tellIt },
                ],
              },
            },
            served: {
              on: {
                'route.unwanted': {
                  actions: { type: 'giveRouteBack', params: ({ event }) => ({ routeId: event.routeId }) },
                },
              },
            },
          },
        },
      },
    },
    suspended,
    closed,
    refused,
  },
})
