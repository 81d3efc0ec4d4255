/**
 * When what changed is written to the store.
 *
 *   idle ─ due ─→ writing ─ written ─→ idle
 *                    └─ failed ─→ backingOff ─ due ─→ writing
 */
import { assign, setup } from 'xstate'

export type SnapshotEvent =
  | { readonly type: 'due' }
  | { readonly type: 'written' }
  | { readonly type: 'failed' }

export const snapshotMachine = setup({
  types: { context: {} as { failures: number }, events: {} as SnapshotEvent },
  actions: {
    /** Starts the pause after which the next write is due. */
    pause: () => {},
    /** Starts the longer pause after `failures` failures in a row. */
    rest: (_: unknown, _params: { failures: number }) => {},
    write: () => {},
    countFailure: assign({ failures: ({ context }) => context.failures + 1 }),
    forgetFailures: assign({ failures: 0 }),
  },
}).createMachine({
  id: 'snapshot',
  context: { failures: 0 },
  initial: 'idle',
  states: {
    idle: { entry: 'pause', on: { due: 'writing' } },
    writing: {
      entry: 'write',
      on: {
        written: { target: 'idle', actions: 'forgetFailures' },
        failed: { target: 'backingOff', actions: 'countFailure' },
      },
    },
    backingOff: {
      entry: { type: 'rest', params: ({ context }) => ({ failures: context.failures }) },
      on: { due: 'writing' },
    },
  },
})
