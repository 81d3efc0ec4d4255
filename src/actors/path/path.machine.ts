/**
 * One client ↔ node path. It carries on the relay from the first moment; the states beyond `relayed` are
 * those of a path that moves off it.
 *
 *   opening → relayed{resting, upgrading} ⇄ turned{resting, upgrading} ⇄ direct → closed
 *
 * Nothing sends the upgrade events yet: every path rests on the relay.
 */
import { setup } from 'xstate'
import type { LinkId } from '../ports.js'

export interface PathInput {
  readonly link: LinkId
}

export type PathEvent =
  | { readonly type: 'ends.ready' }
  | { readonly type: 'restored' }
  | { readonly type: 'open.expired' }
  | { readonly type: 'upgrade.due' }
  | { readonly type: 'upgrade.failed' }
  | { readonly type: 'turn.confirmed' }
  | { readonly type: 'turn.lost' }
  | { readonly type: 'direct.confirmed' }
  | { readonly type: 'direct.lost' }
  | { readonly type: 'released'; readonly reason: string }

export const pathMachine = setup({
  types: { input: {} as PathInput, context: {} as PathInput, events: {} as PathEvent },
  actions: {
    /** Tells both ends `path.open`. */
    introduce: () => {},
    /** Starts the time in which both ends say that they are ready. */
    awaitEnds: () => {},
    stopAwaiting: () => {},
    openLane: () => {},
    closeLane: () => {},
    tellSettled: (_: unknown, _params: { tier: 'relayed' | 'turned' | 'direct' }) => {},
    /** Tells the coordinator that an end did not get ready. */
    reportFailure: () => {},
    tellClosed: (_: unknown, _params: { reason: string }) => {},
    /** Gives the link id back. */
    free: () => {},
  },
}).createMachine({
  id: 'path',
  context: ({ input }) => input,
  initial: 'opening',
  on: {
    released: {
      target: '.closed',
      actions: { type: 'tellClosed', params: ({ event }) => ({ reason: event.reason }) },
    },
  },
  states: {
    opening: {
      exit: 'stopAwaiting',
      entry: ['introduce', 'awaitEnds'],
      on: {
        'ends.ready': { target: 'relayed', actions: { type: 'tellSettled', params: { tier: 'relayed' } } },
        restored: 'relayed',
        'open.expired': { actions: 'reportFailure' },
      },
    },
    relayed: {
      entry: 'openLane',
      exit: 'closeLane',
      initial: 'resting',
      on: { 'turn.confirmed': 'turned', 'direct.confirmed': 'direct' },
      states: {
        resting: { on: { 'upgrade.due': 'upgrading' } },
        upgrading: { on: { 'upgrade.failed': 'resting' } },
      },
    },
    turned: {
      entry: { type: 'tellSettled', params: { tier: 'turned' } },
      initial: 'resting',
      on: {
        'turn.lost': { target: 'relayed', actions: { type: 'tellSettled', params: { tier: 'relayed' } } },
        'direct.confirmed': 'direct',
      },
      states: {
        resting: { on: { 'upgrade.due': 'upgrading' } },
        upgrading: { on: { 'upgrade.failed': 'resting' } },
      },
    },
    direct: {
      entry: { type: 'tellSettled', params: { tier: 'direct' } },
      on: {
        'direct.lost': { target: 'relayed', actions: { type: 'tellSettled', params: { tier: 'relayed' } } },
      },
    },
    closed: { type: 'final', entry: 'free' },
  },
})
