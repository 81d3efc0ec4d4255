/**
 * An agent and its coordinator: dial, greet, stay, come back.
 *
 *   offline → dialing → greeting{listening → resuming | registering} → online
 *                ↑          │ lost, refused for now                          │ lost, silent, restarting
 *                └──── backingOff ←──────────────────────────────────────────┘
 *                       refused ← a final answer while greeting or online
 *
 * A denial (`not_entitled` and its like) is no final answer: session and links end, and the agent asks again when it was told to.
 *
 * A lost socket keeps the session: links stay, and the ticket re-attaches it. Heartbeats, links and packets
 * travel beside the machine; it only opens and closes their lanes. The socket of an older connection is
 * fenced off before its events get here.
 */
import { assign, setup } from 'xstate'
import { backoffMs } from '../kit/backoff.js'
import type { Random } from '../kit/random.js'
import { CLOSE, mayReturn } from '../protocol/close-codes.js'
import type { WireOf } from '../protocol/messages.js'
import { asks } from './asks.js'
import type { AgentTiming } from './timing.js'

/** Refusals that end the session, whatever a ticket says: this identity may not be here for now. */
const DENIALS: ReadonlySet<string> = new Set(['not_entitled', 'quota_used', 'inactive'])

export interface AgentInput {
  readonly timing: AgentTiming
  readonly random: Random
  readonly holdsTicket: boolean
}

export interface AgentContext extends AgentInput {
  /** Failures in a row; what the back-off grows with. */
  readonly attempt: number
  /** How long the last `backingOff` was to last, ms. */
  readonly waitMs: number
  /** Why the agent is not online, for people. */
  readonly reason: string
  /** The coordinator's answer to the greeting, when it was a refusal. */
  readonly refusal: { readonly code: string; readonly retryAfterMs: number | null } | null
  /** A restart that was announced: when to dial, and until when to keep dialling often; monotonic ms. */
  readonly restart: { readonly slotMs: number; readonly untilMs: number } | null
}

/** What the socket did. */
export type SocketEvent =
  | { readonly type: 'socket.opened' }
  | {
      readonly type: 'socket.closed'
      readonly code: number
      readonly reason: string
      readonly retryAfterMs: number | null
      readonly nowMs: number
    }
  | { readonly type: 'socket.silent'; readonly nowMs: number }

/** What the coordinator said that concerns the session. */
export type SessionEvent =
  | WireOf<'welcome'>
  | WireOf<'registered'>
  | WireOf<'resumed'>
  | WireOf<'refused'>
  | WireOf<'renewed'>
  | (WireOf<'restarting'> & { readonly nowMs: number })
  | WireOf<'replaced'>
  | WireOf<'goodbye'>

export type AgentEvent =
  | { readonly type: 'start' }
  /** `leave` ends the session for good; without it, it can be resumed. */
  | { readonly type: 'stop'; readonly leave: boolean }
  /** The network has changed: do not wait any longer, and do not trust the connection that was. */
  | { readonly type: 'nudge' }
  | SocketEvent
  | SessionEvent

export const agentMachine = setup({
  types: { input: {} as AgentInput, context: {} as AgentContext, events: {} as AgentEvent },
  actions: {
    dial: asks(),
    hangUp: asks<{ readonly code: number; readonly reason: string }>(),
    sendResume: asks(),
    sendRegister: asks<{ readonly welcome: WireOf<'welcome'> }>(),
    sendRenew: asks(),
    sendGoodbye: asks(),
    keepSession: asks<{ readonly session: WireOf<'registered'> | WireOf<'resumed'> }>(),
    keepTicket: asks<{ readonly renewed: WireOf<'renewed'> }>(),
    forgetTicket: asks(),
    /** Asks the coordinator for a sign of life. */
    probe: asks(),
    openLanes: asks(),
    closeLanes: asks(),
    planReturn: assign(({ context, event }, { reason }: { readonly reason: string | null }) =>
      returnPlan(context, event, reason),
    ),
    noteRefusal: assign(({ event }) => (event.type === 'refused' ? refusalOf(event) : {})),
    noteReason: assign({ reason: ({ context, event }) => reasonOf(context, event) }),
    tellWaiting: asks<{ readonly reason: string; readonly retryInMs: number }>(),
    /** The session has ended, and its links with it; the agent comes back by itself. */
    tellEnded: asks<{ readonly reason: string }>(),
    tellRefused: asks<{ readonly code: string; readonly reason: string }>(),
  },
  guards: {
    holdsTicket: ({ context }) => context.holdsTicket,
    isDenied: ({ event }) => event.type === 'refused' && DENIALS.has(event.code),
    isFinal: ({ context, event }) =>
      event.type === 'socket.closed' && !mayReturn(event.code) && context.refusal?.retryAfterMs == null,
    ticketRefused: ({ context, event }) =>
      context.holdsTicket &&
      (context.refusal?.code === 'ticket_unknown' ||
        (event.type === 'socket.closed' && event.code === CLOSE.resumeRefused.code)),
    endsSession: ({ event }) => event.type === 'stop' && event.leave,
  },
  delays: {
    dialing: ({ context }) => context.timing.dialMs,
    greeting: ({ context }) => context.timing.greetingMs,
    retry: ({ context }) => context.waitMs,
    stable: ({ context }) => context.timing.stableAfterMs,
    renewal: ({ context }) => context.timing.renewEveryMs,
  },
}).createMachine({
  id: 'agent',
  context: ({ input }) => ({
    ...input,
    attempt: 0,
    waitMs: 0,
    reason: 'stopped',
    refusal: null,
    restart: null,
  }),
  initial: 'offline',
  on: {
    stop: [
      {
        guard: 'endsSession',
        target: '.offline',
        actions: ['sendGoodbye', 'forgetTicket', assign({ holdsTicket: false }), hangUp(1000, 'goodbye')],
      },
      { target: '.offline', actions: hangUp(1001, 'the agent stops; it will resume') },
    ],
  },
  states: {
    offline: {
      entry: assign({ attempt: 0, reason: 'stopped', refusal: null, restart: null }),
      on: { start: 'dialing' },
    },

    dialing: {
      entry: ['dial', assign({ refusal: null })],
      on: {
        'socket.opened': 'greeting',
        'socket.closed': { target: 'backingOff', actions: { type: 'planReturn', params: { reason: null } } },
        // What is being dialled over may be the network that is gone.
        nudge: { target: 'dialing', reenter: true, actions: hangUp(1000, 'dialled anew') },
      },
      after: {
        dialing: {
          target: 'backingOff',
          actions: [
            hangUp(1000, 'dialled in vain'),
            { type: 'planReturn', params: { reason: 'no connection in time' } },
          ],
        },
      },
    },

    greeting: {
      initial: 'listening',
      states: {
        listening: {
          on: {
            welcome: [
              { guard: 'holdsTicket', target: 'resuming', actions: 'sendResume' },
              {
                target: 'registering',
                actions: { type: 'sendRegister', params: ({ event }) => ({ welcome: event }) },
              },
            ],
          },
        },
        resuming: {
          on: {
            resumed: {
              target: '#agent.online',
              actions: { type: 'keepSession', params: ({ event }) => ({ session: event }) },
            },
          },
        },
        registering: {
          on: {
            registered: {
              target: '#agent.online',
              actions: [
                { type: 'keepSession', params: ({ event }) => ({ session: event }) },
                assign({ holdsTicket: true }),
              ],
            },
          },
        },
      },
      on: {
        // The close frame that follows says whether to come back.
        refused: [{ guard: 'isDenied', actions: denied() }, { actions: 'noteRefusal' }],
        'socket.closed': [
          { guard: 'isFinal', target: 'refused', actions: 'noteReason' },
          {
            guard: 'ticketRefused',
            target: 'backingOff',
            actions: [
              'forgetTicket',
              assign({ holdsTicket: false, waitMs: 0, reason: 'the ticket was refused' }),
            ],
          },
          { target: 'backingOff', actions: { type: 'planReturn', params: { reason: null } } },
        ],
      },
      after: {
        greeting: {
          target: 'backingOff',
          actions: [
            hangUp(1000, 'greeted in vain'),
            { type: 'planReturn', params: { reason: 'no answer to the greeting in time' } },
          ],
        },
      },
    },

    online: {
      entry: ['openLanes', assign({ restart: null, reason: 'online' })],
      exit: 'closeLanes',
      type: 'parallel',
      states: {
        standing: {
          initial: 'fresh',
          states: {
            fresh: { after: { stable: 'stable' } },
            stable: { entry: assign({ attempt: 0 }) },
          },
        },
        ticket: {
          initial: 'held',
          states: {
            held: { after: { renewal: 'renewing' } },
            renewing: {
              entry: 'sendRenew',
              after: { renewal: { target: 'renewing', reenter: true } },
              on: {
                renewed: {
                  target: 'held',
                  actions: { type: 'keepTicket', params: ({ event }) => ({ renewed: event }) },
                },
              },
            },
          },
        },
      },
      on: {
        nudge: { actions: 'probe' },
        restarting: {
          actions: assign({
            restart: ({ event }) => ({
              slotMs: event.nowMs + event.reconnectInMs,
              untilMs: event.nowMs + event.tryForMs,
            }),
          }),
        },
        // Not waiting for the close frame: were it lost, the two would take the session from each other for ever.
        replaced: {
          target: 'refused',
          actions: [
            'forgetTicket',
            assign({
              holdsTicket: false,
              refusal: { code: 'replaced', retryAfterMs: null },
              reason: 'another agent with this identity took over',
            }),
            hangUp(1000, 'replaced'),
          ],
        },
        // What let it in has ended. The close frame that follows says to come back.
        refused: { guard: 'isDenied', actions: denied() },
        goodbye: {
          actions: ['forgetTicket', assign({ holdsTicket: false, reason: ({ event }) => event.reason })],
        },
        'socket.silent': {
          target: 'backingOff',
          actions: [
            hangUp(CLOSE.silent.code, 'silent'),
            { type: 'planReturn', params: { reason: 'the coordinator fell silent' } },
          ],
        },
        'socket.closed': [
          { guard: 'isFinal', target: 'refused', actions: 'noteReason' },
          { target: 'backingOff', actions: { type: 'planReturn', params: { reason: null } } },
        ],
      },
    },

    backingOff: {
      entry: {
        type: 'tellWaiting',
        params: ({ context }) => ({ reason: context.reason, retryInMs: context.waitMs }),
      },
      after: { retry: 'dialing' },
      on: { nudge: 'dialing' },
    },

    refused: {
      entry: {
        type: 'tellRefused',
        params: ({ context }) => ({ code: context.refusal?.code ?? 'closed', reason: context.reason }),
      },
      on: { start: 'dialing' },
    },
  },
})

const refusalOf = ({ code, reason, retryAfterMs }: WireOf<'refused'>): Partial<AgentContext> => ({
  refusal: { code, retryAfterMs: retryAfterMs ?? null },
  reason,
  ...(DENIALS.has(code) && { holdsTicket: false }),
})

/** Ends the connection from this side; nothing more of it arrives here. */
function hangUp(code: number, reason: string) {
  return { type: 'hangUp', params: { code, reason } } as const
}

/** What let it in has ended: the ticket is worth nothing, and the coordinator says when to ask again. */
function denied() {
  const told = {
    type: 'tellEnded',
    params: ({ event }: { event: WireOf<'refused'> }) => ({ reason: event.reason }),
  } as const
  return ['forgetTicket', 'noteRefusal', told] as const
}

type ReturnPlan = Pick<AgentContext, 'waitMs' | 'attempt' | 'reason'>

/** Returns how long to stay away, and why: what the coordinator asked for, else the back-off. */
function returnPlan(context: AgentContext, event: AgentEvent, because: string | null): ReturnPlan {
  const { timing, random, attempt, restart } = context
  const reason = because ?? reasonOf(context, event)
  const nowMs = 'nowMs' in event ? event.nowMs : Number.POSITIVE_INFINITY
  if (restart !== null && nowMs < restart.slotMs) return { waitMs: restart.slotMs - nowMs, attempt, reason }
  const askedMs = context.refusal?.retryAfterMs ?? askedBySocket(event, random)
  if (askedMs !== null) {
    return { waitMs: Math.min(askedMs, timing.askedWaitMaxMs), attempt: attempt + 1, reason }
  }
  const expected = restart !== null && nowMs < restart.untilMs
  const waitMs = backoffMs(attempt, random, {
    firstMs: timing.reconnectFirstMs,
    maxMs: expected ? timing.restartMaxMs : timing.reconnectMaxMs,
  })
  return { waitMs, attempt: attempt + 1, reason }
}

/** Returns the wait that an HTTP answer asked for, ms. It counts in whole seconds: agents spread over the last one. */
function askedBySocket(event: AgentEvent, random: Random): number | null {
  if (event.type !== 'socket.closed' || event.retryAfterMs === null) return null
  return event.retryAfterMs + random.float() * 1_000
}

/** A refusal explains itself better than the close that follows it. */
function reasonOf(context: AgentContext, event: AgentEvent): string {
  if (context.refusal !== null || event.type !== 'socket.closed') return context.reason
  const known = Object.values(CLOSE).find(close => close.code === event.code)
  return event.reason || (known?.doc ?? `the socket closed with ${event.code}`)
}
