/**
 * One client ↔ node path. It carries on the relay from the first moment; beside that it tries to leave it.
 * The relay's lane stays open while a better way carries, so that falling back costs nothing.
 *
 *   opening ─→ carried ┌ tier    relayed ⇄ turned ⇄ direct      (waiting, where the policy forbids the relay)
 *                      └ effort  resting ⇄ upgrading      ─→ closed
 */
import { setup } from 'xstate'
import type { PathPolicy } from '../../mesh/path-policy.js'
import type { Tier, Via } from '../../mesh/upgrade.js'
import type { LinkId } from '../ports.js'

export interface PathInput {
  readonly link: LinkId
  readonly policy: PathPolicy
}

export type PathEvent =
  | { readonly type: 'ends.ready' }
  | { readonly type: 'restored' }
  | { readonly type: 'open.expired' }
  | { readonly type: 'policy.changed'; readonly policy: PathPolicy }
  | { readonly type: 'upgrade.due'; readonly via: Via }
  | { readonly type: 'upgrade.failed' }
  | { readonly type: 'turn.confirmed' }
  | { readonly type: 'direct.confirmed' }
  /** The way that carried is gone, or is worth nothing any more. */
  | { readonly type: 'way.lost' }
  /** WireGuard’s own socket carries no more; the agents’ sockets do. */
  | { readonly type: 'native.lost' }
  | { readonly type: 'released'; readonly reason: string }

const path = setup({
  types: { input: {} as PathInput, context: {} as PathInput, events: {} as PathEvent },
  guards: {
    mayRelay: ({ context }) => context.policy !== 'direct-only',
    nowRelayOnly: (_, { policy }: { policy: PathPolicy }) => policy === 'relay-only',
    nowDirectOnly: (_, { policy }: { policy: PathPolicy }) => policy === 'direct-only',
  },
  actions: {
    /** Tells both ends `path.open`. */
    introduce: () => {},
    /** Starts the time in which both ends say that they are ready. */
    awaitEnds: () => {},
    stopAwaiting: () => {},
    /** Lets the relay carry, or not. */
    setLane: (_: unknown, _params: { open: boolean }) => {},
    /** Tells both ends how packets travel from now on, and why not directly. */
    tellSettled: (_: unknown, _params: { tier: Tier }) => {},
    /** Begins to rest until another attempt is worth it. */
    rest: () => {},
    /** Asks both ends to try at the same moment. */
    punch: (_: unknown, _params: { via: Via }) => {},
    /** Gives up the attempt that runs. */
    forgetAttempt: () => {},
    /** Tells the coordinator that an end did not get ready. */
    reportFailure: () => {},
    tellClosed: (_: unknown, _params: { reason: string }) => {},
    /** Gives the link id back. */
    free: () => {},
  },
})

const settled = (tier: Tier) => ({ type: 'tellSettled', params: { tier } }) as const
/** An attempt that failed is answered with what holds: an end may already have moved. */
const failedOn = (tier: Tier) => ({ actions: settled(tier) })

const changed = ({ event }: { event: PathEvent & { type: 'policy.changed' } }) => event
const whenRelayOnly = {
  guard: { type: 'nowRelayOnly', params: changed },
  target: 'relayed',
  actions: settled('relayed'),
} as const
const whenDirectOnly = {
  guard: { type: 'nowDirectOnly', params: changed },
  target: 'waiting',
  actions: settled('waiting'),
} as const

const fallBack = [
  { guard: 'mayRelay', target: 'relayed', actions: settled('relayed') },
  { target: 'waiting', actions: settled('waiting') },
] as const

const tier = path.createStateConfig({
  initial: 'relayed',
  on: {
    'turn.confirmed': '.turned',
    'direct.confirmed': '.direct',
  },
  states: {
    relayed: {
      on: {
        'upgrade.failed': failedOn('relayed'),
        // Why it is not direct may be another reason now.
        'policy.changed': [whenDirectOnly, { actions: settled('relayed') }],
      },
    },
    waiting: {
      on: {
        'upgrade.failed': failedOn('waiting'),
        'policy.changed': { target: 'relayed', actions: settled('relayed') },
      },
    },
    turned: {
      entry: settled('turned'),
      on: {
        'upgrade.failed': failedOn('turned'),
        'way.lost': fallBack,
        'policy.changed': [whenRelayOnly, whenDirectOnly],
      },
    },
    direct: {
      entry: settled('direct'),
      on: {
        'upgrade.failed': failedOn('direct'),
        'native.lost': { actions: settled('direct') },
        'way.lost': fallBack,
        'policy.changed': whenRelayOnly,
      },
    },
  },
})

const keepPolicy = path.assign({
  policy: ({ context, event }) => (event.type === 'policy.changed' ? event.policy : context.policy),
})
const adopt = [
  keepPolicy,
  {
    type: 'setLane',
    params: ({ event }: { event: PathEvent & { type: 'policy.changed' } }) => ({
      open: event.policy !== 'direct-only',
    }),
  },
] as const

const effort = path.createStateConfig({
  initial: 'resting',
  states: {
    resting: {
      entry: 'rest',
      on: {
        'upgrade.due': {
          target: 'upgrading',
          actions: { type: 'punch', params: ({ event }) => ({ via: event.via }) },
        },
        // What was lost, or may be tried now, is rested for anew.
        'way.lost': { target: 'resting', reenter: true },
        'native.lost': { target: 'resting', reenter: true },
        'policy.changed': { target: 'resting', reenter: true, actions: adopt },
        'turn.confirmed': { target: 'resting', reenter: true },
        'direct.confirmed': { target: 'resting', reenter: true },
      },
    },
    upgrading: {
      on: {
        'upgrade.failed': 'resting',
        'turn.confirmed': 'resting',
        'direct.confirmed': 'resting',
        'policy.changed': { target: 'resting', actions: ['forgetAttempt', ...adopt] },
      },
    },
  },
})

export const pathMachine = path.createMachine({
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
        'ends.ready': [
          { guard: 'mayRelay', target: 'carried', actions: settled('relayed') },
          { target: '#path.carried.tier.waiting', actions: settled('waiting') },
        ],
        restored: [{ guard: 'mayRelay', target: 'carried' }, { target: '#path.carried.tier.waiting' }],
        'open.expired': { actions: 'reportFailure' },
        'policy.changed': { actions: keepPolicy },
      },
    },
    carried: {
      type: 'parallel',
      entry: { type: 'setLane', params: ({ context }) => ({ open: context.policy !== 'direct-only' }) },
      exit: { type: 'setLane', params: { open: false } },
      states: { tier, effort },
    },
    closed: { type: 'final', entry: 'free' },
  },
})
