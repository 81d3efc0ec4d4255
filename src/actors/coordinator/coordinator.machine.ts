/**
 * The coordinator: hears of every session, gives out routes, moves them when their node is gone.
 *
 *   warming ⇄ serving{steady ⇄ shedding} → draining
 *
 * While it warms, sessions of the process before are coming back, or those that a storm has driven away: nothing is
 * moved yet, and no route leads to a node that has not come back. Shedding refuses new sessions and keeps the old ones.
 */
import { setup } from 'xstate'
import type { LinkId, RouteId, RouteOutcome, RouteWish } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { SessionFact } from '../session/session.events.js'

export type CoordinatorEvent =
  | { readonly type: 'session.told'; readonly cell: Cell; readonly fact: SessionFact }
  | {
      readonly type: 'route.wanted'
      readonly cell: Cell
      readonly requestId: number
      readonly wish: RouteWish
    }
  | { readonly type: 'route.unwanted'; readonly cell: Cell; readonly routeId: RouteId }
  | {
      readonly type: 'path.failed'
      readonly link: LinkId
      readonly end: Cell | null
      readonly reason: string
    }
  /** What the operator has laid down for a node or a client is new. */
  | { readonly type: 'steering.changed'; readonly cell: Cell }
  /** The operator wants a decision for this client; `answer` hears at once what came of it. */
  | {
      readonly type: 'route.ordered'
      readonly cell: Cell
      readonly wish: RouteWish
      readonly answer: (outcome: RouteOutcome['outcome']) => void
    }
  | { readonly type: 'failover.due'; readonly node: Cell }
  | { readonly type: 'handover.due'; readonly client: Cell }
  | { readonly type: 'patience.over'; readonly client: Cell }
  | { readonly type: 'look.due' }
  | { readonly type: 'node.settled'; readonly node: Cell }
  | { readonly type: 'warmed' }
  | { readonly type: 'pressure.high' }
  | { readonly type: 'pressure.low' }
  | { readonly type: 'drain' }

export const coordinatorMachine = setup({
  types: { events: {} as CoordinatorEvent },
  actions: {
    /** Starts the time in which the sessions of the process before come back. */
    awaitReturns: () => {},
    note: (_: unknown, _params: { cell: Cell; fact: SessionFact }) => {},
    giveRoute: (_: unknown, _params: { cell: Cell; requestId: number; wish: RouteWish }) => {},
    refuseRoute: (_: unknown, _params: { cell: Cell; requestId: number }) => {},
    endRoute: (_: unknown, _params: { cell: Cell; routeId: RouteId }) => {},
    repairRoute: (_: unknown, _params: { link: LinkId; end: Cell | null; reason: string }) => {},
    moveRoutes: (_: unknown, _params: { node: Cell }) => {},
    /** Moves routes that are wrong by what is laid down now. */
    recheckRoutes: (_: unknown, _params: { cell: Cell }) => {},
    orderRoute: (
      _: unknown,
      _params: { cell: Cell; wish: RouteWish; answer: (outcome: RouteOutcome['outcome']) => void },
    ) => {},
    /** Closes what a moved route has left, or gives up where it went. */
    settleHandover: (_: unknown, _params: { client: Cell }) => {},
    /** Ends a route that is not where it should be, and has waited long enough. */
    giveUpRoute: (_: unknown, _params: { client: Cell }) => {},
    /** Looks how some of the nodes carry. */
    lookAtNodes: () => {},
    /** Moves the routes that would rather have this node. */
    bringHome: (_: unknown, _params: { node: Cell }) => {},
    /** Moves the routes of every node that is still away. */
    moveAbsent: () => {},
    /** Keeps those waiting who have no session, until it is calm again. */
    holdNewcomers: () => {},
  },
  guards: {
    /** Most sessions lost their sockets together: they come back by themselves. */
    isStorm: () => false,
  },
}).createMachine({
  id: 'coordinator',
  initial: 'warming',
  on: {
    'session.told': { actions: { type: 'note', params: ({ event: { cell, fact } }) => ({ cell, fact }) } },
    'route.wanted': {
      actions: {
        type: 'giveRoute',
        params: ({ event: { cell, requestId, wish } }) => ({ cell, requestId, wish }),
      },
    },
    'route.unwanted': {
      actions: { type: 'endRoute', params: ({ event: { cell, routeId } }) => ({ cell, routeId }) },
    },
    'path.failed': {
      actions: { type: 'repairRoute', params: ({ event: { link, end, reason } }) => ({ link, end, reason }) },
    },
    'steering.changed': { actions: { type: 'recheckRoutes', params: ({ event: { cell } }) => ({ cell }) } },
    'route.ordered': {
      actions: {
        type: 'orderRoute',
        params: ({ event: { cell, wish, answer } }) => ({ cell, wish, answer }),
      },
    },
    'handover.due': { actions: { type: 'settleHandover', params: ({ event: { client } }) => ({ client }) } },
    'patience.over': { actions: { type: 'giveUpRoute', params: ({ event: { client } }) => ({ client }) } },
    drain: '.draining',
  },
  states: {
    warming: {
      entry: 'awaitReturns',
      on: { warmed: { target: 'serving', actions: 'moveAbsent' } },
    },
    serving: {
      initial: 'steady',
      on: {
        'failover.due': [
          { guard: 'isStorm', target: 'warming' },
          { actions: { type: 'moveRoutes', params: ({ event }) => ({ node: event.node }) } },
        ],
        'node.settled': { actions: { type: 'bringHome', params: ({ event }) => ({ node: event.node }) } },
        'look.due': { actions: 'lookAtNodes' },
      },
      states: {
        steady: { on: { 'pressure.high': 'shedding' } },
        shedding: {
          entry: 'holdNewcomers',
          on: { 'pressure.high': { actions: 'holdNewcomers' }, 'pressure.low': 'steady' },
        },
      },
    },
    draining: {
      on: {
        // Routes stay as they are until the next process has them.
        'steering.changed': {},
        'route.ordered': {},
        'patience.over': {},
        'route.wanted': {
          actions: { type: 'refuseRoute', params: ({ event: { cell, requestId } }) => ({ cell, requestId }) },
        },
      },
    },
  },
})
