/**
 * STUN and TURN, whoever serves them: started, looked at now and then, and started again when they end or do
 * not answer. The mesh never waits for them: its relay carries every pair meanwhile.
 *
 *   off → starting → up ⇄ degraded.silent
 *            ↑  └──────┴──────┤ failed, ended, silent for too long
 *            └───────── degraded.resting
 */
import { assign, setup } from 'xstate'

export type TurnEvent =
  | { readonly type: 'start' }
  | { readonly type: 'stop' }
  /** It serves; or it could not be had. */
  | { readonly type: 'opened' }
  | { readonly type: 'failed'; readonly reason: string }
  /** It ended by itself. */
  | { readonly type: 'ended'; readonly reason: string }
  /** What came of a look. */
  | { readonly type: 'answered' }
  | { readonly type: 'unanswered' }
  /** The pause that was asked for is over. */
  | { readonly type: 'due' }

interface TurnContext {
  /** Starts in a row that came to nothing. */
  readonly failures: number
  /** Looks in a row without an answer. */
  readonly misses: number
  readonly reason: string
}

/** Looks without an answer after which it is started anew: some are lost under load, so many are not. */
const MISSES_MAX = 6

export const turnMachine = setup({
  types: { context: {} as TurnContext, events: {} as TurnEvent },
  actions: {
    open: () => {},
    close: () => {},
    /** Starts the pause until the next look. */
    pause: () => {},
    /** Asks it for an answer. */
    look: () => {},
    /** Starts the pause after `failures` starts in a row that came to nothing. */
    rest: (_: unknown, _params: { failures: number }) => {},
    tellUp: () => {},
    tellDegraded: (_: unknown, _params: { reason: string }) => {},
    countMiss: assign({ misses: ({ context }) => context.misses + 1 }),
    forgetMisses: assign({ misses: 0 }),
    countFailure: assign({ failures: ({ context }) => context.failures + 1 }),
    forgetFailures: assign({ failures: 0 }),
    noteReason: assign({ reason: (_, { reason }: { reason: string }) => reason }),
  },
  guards: { givesUp: ({ context }) => context.misses >= MISSES_MAX },
}).createMachine({
  id: 'turn',
  context: { failures: 0, misses: 0, reason: '' },
  initial: 'off',
  on: { stop: { target: '.off', actions: 'close' } },
  states: {
    off: { on: { start: 'starting' } },
    starting: {
      entry: 'open',
      on: {
        opened: { target: 'up', actions: 'tellUp' },
        failed: {
          target: 'degraded.resting',
          actions: { type: 'noteReason', params: ({ event }) => ({ reason: event.reason }) },
        },
      },
    },
    up: {
      entry: ['forgetMisses', 'pause'],
      on: {
        due: { actions: 'look' },
        // What answers a while after it was started has come to something.
        answered: { actions: ['forgetFailures', 'pause'] },
        unanswered: {
          target: 'degraded.silent',
          actions: { type: 'noteReason', params: { reason: 'it does not answer' } },
        },
        ended: {
          target: 'degraded.resting',
          actions: { type: 'noteReason', params: ({ event }) => ({ reason: event.reason }) },
        },
      },
    },
    degraded: {
      entry: { type: 'tellDegraded', params: ({ context }) => ({ reason: context.reason }) },
      initial: 'silent',
      states: {
        silent: {
          entry: ['countMiss', 'pause'],
          on: {
            due: { actions: 'look' },
            answered: { target: '#turn.up', actions: 'tellUp' },
            unanswered: [
              { guard: 'givesUp', target: 'resting' },
              { target: 'silent', reenter: true },
            ],
            ended: 'resting',
          },
        },
        resting: {
          entry: [
            'close',
            { type: 'rest', params: ({ context }) => ({ failures: context.failures }) },
            'countFailure',
          ],
          on: { due: '#turn.starting' },
        },
      },
    },
  },
})
