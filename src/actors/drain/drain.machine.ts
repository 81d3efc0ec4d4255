/**
 * One node that is drained: its routes move to other nodes, a few at a time.
 *
 *   underway{moving ⇄ waiting} ─→ empty       no link is left
 *                             └─→ expired     time was up first; the routes that were left were ended
 *   any of them ─→ cancelled                  nobody asks for it any more
 *
 * While it waits, the routes that are left were all tried, and nothing qualifies for them. A drained node stays
 * drained: `empty` and `expired` last until the drain is cancelled, or is asked for anew.
 */
import { setup } from 'xstate'
import type { WireOf } from '../../protocol/messages.js'
import type { IdentityId } from '../ports.js'

export interface DrainInput {
  readonly nodeId: IdentityId
}

export type DrainEvent =
  /** A look at the node: its links, and those of its routes that were not tried in this round. */
  | { readonly type: 'looked'; readonly left: number; readonly untried: number }
  /** It is time to try the remaining routes again. */
  | { readonly type: 'retry.due' }
  /** Time is up, and the node has so many routes. */
  | { readonly type: 'time.up'; readonly routes: number }
  /** It is asked for anew, or the node is here again. */
  | { readonly type: 'asked' }
  | { readonly type: 'cancelled' }

export type DrainState = WireOf<'drain.state'>['state']

const setUp = setup({
  types: { input: {} as DrainInput, context: {} as DrainInput, events: {} as DrainEvent },
  actions: {
    /** Begins to look at the node again and again, and to watch the time. */
    watch: () => {},
    stopWatching: () => {},
    /** Begins a round: every route that the node has now is to be tried. */
    lineUp: () => {},
    /** Tries as many routes as should have been tried by now. */
    moveSome: () => {},
    awaitRetry: () => {},
    stopAwaitingRetry: () => {},
    /** Ends the routes that are left, and lets none come back that is moving away; their clients hear why. */
    endRest: () => {},
    /** Lets the node have routes again. */
    readmit: () => {},
    /** Tells the node how far its drain is. */
    report: (_: unknown, _params: { state: DrainState }) => {},
  },
})

const report = (state: DrainState) => ({ type: 'report', params: { state } }) as const
const whenEmpty = {
  guard: ({ event }: { event: { left: number } }) => event.left === 0,
  target: '#drain.empty',
} as const

export const drainMachine = setUp.createMachine({
  id: 'drain',
  context: ({ input }) => input,
  initial: 'underway',
  on: { asked: '.underway', cancelled: '.cancelled' },
  states: {
    underway: {
      entry: ['watch', report('draining')],
      exit: 'stopWatching',
      initial: 'moving',
      on: {
        'time.up': [
          { guard: ({ event }) => event.routes > 0, target: 'expired', actions: 'endRest' },
          { target: 'empty', actions: 'endRest' },
        ],
      },
      states: {
        moving: {
          entry: 'lineUp',
          on: {
            looked: [
              whenEmpty,
              { guard: ({ event }) => event.untried === 0, target: 'waiting', actions: report('draining') },
              { actions: ['moveSome', report('draining')] },
            ],
          },
        },
        waiting: {
          entry: 'awaitRetry',
          exit: 'stopAwaitingRetry',
          on: { looked: [whenEmpty, { actions: report('draining') }], 'retry.due': 'moving' },
        },
      },
    },
    empty: { entry: report('empty') },
    expired: { entry: report('expired') },
    cancelled: { type: 'final', entry: ['readmit', report('cancelled')] },
  },
})
