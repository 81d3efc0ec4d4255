/**
 * What is being found out about the NAT in front of one session.
 *
 *   idle ─→ planned ─→ probing ─→ known ─┐        every state but idle waits for one thing, and `due` says
 *    ↑ away     ↑         └─→ unanswered ┤        that the wait is over
 *               └────────────────────────┘
 */
import { setup } from 'xstate'
import type { WireOf } from '../../protocol/messages.js'

export interface NatProbeInput {
  readonly identityId: string
}

export type NatProbeEvent =
  /** The agent is connected; `afresh`: nothing is known of it, or it comes from another address. */
  | { readonly type: 'came'; readonly afresh: boolean }
  | { readonly type: 'went' }
  /** The agent says that its network is another one. */
  | { readonly type: 'network.changed' }
  | { readonly type: 'due' }
  | { readonly type: 'reported'; readonly report: Report }

export type Report = Omit<WireOf<'probe.report'>, 'type'>

/** What is waited for: a turn to probe, the report, the next probe, an absent STUN server. */
export type Wait = 'turn' | 'report' | 'interval'

const setUp = setup({
  types: { input: {} as NatProbeInput, context: {} as NatProbeInput, events: {} as NatProbeEvent },
  actions: {
    wait: (_: unknown, _params: { for: Wait }) => {},
    stopWaiting: () => {},
    /** Tells the agent what to try, and begins to watch for its requests. */
    sendPlan: () => {},
    /** Ends the watch. */
    dropPlan: () => {},
    /** Weighs the report against what was seen, and tells the agent. */
    classify: (_: unknown, _params: { report: Report }) => {},
    /** Adds what took longer to find out. */
    supplement: (_: unknown, _params: { report: Report }) => {},
    /** Notes that the agent said nothing. */
    noteSilence: () => {},
  },
  guards: {
    /** There is a STUN server to ask. */
    isServed: () => true,
  },
})

const reportOf = ({ event }: { event: { report: Report } }) => ({ report: event.report })

export const natProbeMachine = setUp.createMachine({
  id: 'natProbe',
  context: ({ input }) => input,
  initial: 'idle',
  on: { went: '.idle', 'network.changed': '.planned' },
  states: {
    idle: {
      on: {
        came: [{ guard: ({ event }) => event.afresh, target: 'planned' }, { target: 'known' }],
        'network.changed': undefined,
      },
    },
    planned: {
      entry: { type: 'wait', params: { for: 'turn' } },
      exit: 'stopWaiting',
      on: {
        due: [{ guard: 'isServed', target: 'probing' }, { target: 'unanswered' }],
        'network.changed': undefined,
      },
    },
    probing: {
      entry: ['sendPlan', { type: 'wait', params: { for: 'report' } }],
      exit: ['stopWaiting', 'dropPlan'],
      on: {
        reported: { target: 'known', actions: { type: 'classify', params: reportOf } },
        due: { target: 'unanswered', actions: 'noteSilence' },
        came: { guard: ({ event }) => event.afresh, target: 'planned' },
      },
    },
    known: {
      entry: { type: 'wait', params: { for: 'interval' } },
      exit: 'stopWaiting',
      on: {
        came: { guard: ({ event }) => event.afresh, target: 'planned' },
        due: 'planned',
        reported: { actions: { type: 'supplement', params: reportOf } },
      },
    },
    unanswered: {
      entry: { type: 'wait', params: { for: 'interval' } },
      exit: 'stopWaiting',
      on: { came: 'planned', due: 'planned' },
    },
  },
})
