/**
 * A client's route: asked for once, then kept. The coordinator moves it by itself (`route.switched`); when
 * it cannot, the client asks again, with back-off, until it is told to stop.
 *
 *   idle → asking → served{opening → carrying} ⇄ unsure
 *     ↑      │  ↑        │ taken back             │ nothing came instead
 *     └──────┤  └─ waiting ←──────────────────────┘
 *    refused │        away: wanted, while there is no session
 *
 * A route that never was is refused to the caller; one that was is never given up.
 */
import { assign, setup } from 'xstate'
import { backoffMs } from '../kit/backoff.js'
import type { Random } from '../kit/random.js'
import type { WireOf } from '../protocol/messages.js'
import { asks } from './asks.js'
import type { AgentTiming } from './timing.js'

/** What a client wants of its node; every requirement given is hard. */
export type RouteWish = Omit<WireOf<'route.request'>, 'type' | 'requestId'>

/** The route as the coordinator gave it. */
export type Route = Omit<WireOf<'route.assigned'>, 'type' | 'requestId'>

/** Why a route moved. */
export type SwitchCause = WireOf<'route.switched'>['cause'] | 'moved_while_away'

export interface RouteInput {
  readonly timing: AgentTiming
  readonly random: Random
}

export interface RouteContext extends RouteInput {
  readonly wish: RouteWish
  /** Goes on asking although no route was ever given. */
  readonly patient: boolean
  readonly online: boolean
  /** The newest request; answers to older ones do not count. */
  readonly requestId: number
  /** The route that is held; null when none is. */
  readonly route: Route | null
  /** The wish was met once. */
  readonly wasServed: boolean
  /** The route was given up: the coordinator may not have heard of it, or may still be answering. */
  readonly givenUp: boolean
  readonly attempt: number
  readonly waitMs: number
}

export type RouteEvent =
  | { readonly type: 'ask'; readonly wish: RouteWish; readonly patient: boolean }
  | { readonly type: 'release' }
  /** The session ends or will be resumed by another process: nothing is wanted any more, and nothing given up. */
  | { readonly type: 'forget' }
  | { readonly type: 'session.stood'; readonly links: readonly number[] }
  | { readonly type: 'session.lost' }
  | { readonly type: 'link.settled'; readonly link: number }
  | { readonly type: 'link.closed'; readonly link: number; readonly reason: string }
  | WireOf<'route.assigned'>
  | WireOf<'route.refused'>
  | WireOf<'route.switched'>

/** Refusals that say nothing about the wish: they are waited out. */
const PASSING: ReadonlySet<string> = new Set(['draining', 'too_many_requests'])

export const routeMachine = setup({
  types: { input: {} as RouteInput, context: {} as RouteContext, events: {} as RouteEvent },
  actions: {
    request: asks<{ readonly requestId: number; readonly wish: RouteWish }>(),
    releaseRoute: asks<{ readonly route: Route | null }>(),
    tellCarrying: asks<{ readonly route: Route | null }>(),
    tellSwitched: asks<Move>(),
    tellLost: asks<{ readonly route: Route | null; readonly reason: string }>(),
    tellRefused: asks<{ readonly refusal: WireOf<'route.refused'> }>(),
    adopt: assign((_, { route }: { readonly route: Route }) => ({ route, wasServed: true })),
    planAsking: assign(({ context }, { askedMs }: { readonly askedMs: number | null }) => ({
      attempt: context.attempt + 1,
      waitMs: waitOf(context, askedMs),
    })),
    forgetRoute: assign({ route: null }),
  },
  guards: {
    isOnline: ({ context }) => context.online,
    isStale: ({ context, event }) =>
      event.type === 'route.assigned' && event.requestId !== 0 && event.requestId !== context.requestId,
    isOfOlderWish: ({ context, event }) =>
      event.type === 'route.assigned' && event.requestId === 0 && !context.wasServed,
    isHeld: ({ context, event }) =>
      event.type === 'route.assigned' &&
      event.routeId === context.route?.routeId &&
      event.link === context.route.link,
    endsAsking: ({ context, event }) =>
      event.type === 'route.refused' &&
      event.requestId === context.requestId &&
      !PASSING.has(event.code) &&
      !context.wasServed &&
      !context.patient,
    answers: ({ context, event }) => event.type === 'route.refused' && event.requestId === context.requestId,
    isTakenBack: ({ event }) => event.type === 'route.refused' && event.requestId === 0,
    isOurLink: ({ context, event }) =>
      (event.type === 'link.settled' || event.type === 'link.closed') && event.link === context.route?.link,
    isGivenUp: ({ context }) => context.givenUp,
    isGone: ({ context, event }) =>
      event.type === 'session.stood' && context.route !== null && !event.links.includes(context.route.link),
  },
  delays: {
    answer: ({ context }) => context.timing.routeMs,
    opening: ({ context }) => context.timing.routeMs,
    retry: ({ context }) => context.waitMs,
    doubt: ({ context }) => context.timing.doubtMs,
  },
}).createMachine({
  id: 'route',
  context: ({ input }) => ({
    ...input,
    wish: {},
    patient: false,
    online: false,
    requestId: 0,
    route: null,
    wasServed: false,
    givenUp: false,
    attempt: 0,
    waitMs: 0,
  }),
  initial: 'idle',
  on: {
    ask: {
      target: '.away',
      // A route that is held stays until the coordinator has replaced it.
      actions: assign(({ event }) => ({
        wish: event.wish,
        patient: event.patient,
        wasServed: false,
        givenUp: false,
        attempt: 0,
      })),
    },
    release: {
      target: '.idle',
      actions: [
        { type: 'releaseRoute', params: ({ context }) => ({ route: context.route }) },
        assign({ route: null, wasServed: false, givenUp: true }),
      ],
    },
    forget: {
      target: '.idle',
      actions: assign({ route: null, wasServed: false, givenUp: false, online: false }),
    },
    'session.stood': { actions: assign({ online: true }) },
    'session.lost': { actions: assign({ online: false }) },
  },
  states: {
    idle: {
      on: {
        'route.assigned': [
          { guard: 'isGivenUp', actions: givenBack() },
          // A new process that resumed the session of an older one hears of its route.
          { actions: assign({ route: ({ event }) => routeOf(event) }) },
        ],
        'route.switched': { guard: 'isGivenUp', actions: givenBack() },
      },
    },

    away: {
      always: { guard: 'isOnline', target: 'asking' },
    },

    asking: {
      entry: [
        assign({ requestId: ({ context }) => (context.requestId % 0xffff_ffff) + 1 }),
        { type: 'request', params: ({ context: { requestId, wish } }) => ({ requestId, wish }) },
      ],
      on: {
        'route.assigned': [
          { guard: 'isStale' },
          { guard: 'isOfOlderWish', actions: assign({ route: ({ event }) => routeOf(event) }) },
          { target: 'served', actions: adopted() },
        ],
        'route.refused': [
          {
            guard: 'endsAsking',
            target: 'idle',
            actions: [
              { type: 'releaseRoute', params: ({ context }) => ({ route: context.route }) },
              assign({ route: null }),
              { type: 'tellRefused', params: ({ event }) => ({ refusal: event }) },
            ],
          },
          { guard: 'answers', target: 'waiting', actions: askAgain() },
        ],
        'session.lost': { target: 'away', actions: assign({ online: false }) },
      },
      after: { answer: { target: 'waiting', actions: askAgain() } },
    },

    served: {
      initial: 'opening',
      states: {
        opening: {
          on: { 'link.settled': { guard: 'isOurLink', target: 'carrying' } },
          after: {
            opening: {
              target: '#route.waiting',
              actions: [
                { type: 'releaseRoute', params: ({ context }) => ({ route: context.route }) },
                lost('its path did not open in time'),
                'forgetRoute',
                askAgain(),
              ],
            },
          },
        },
        carrying: {
          entry: [
            assign({ attempt: 0 }),
            { type: 'tellCarrying', params: ({ context }) => ({ route: context.route }) },
          ],
        },
      },
      on: {
        'route.assigned': [
          { guard: 'isStale' },
          { guard: 'isHeld' },
          { target: 'served', reenter: true, actions: moved() },
        ],
        'route.switched': { target: 'served', reenter: true, actions: moved() },
        'route.refused': { guard: 'isTakenBack', target: 'waiting', actions: takenBack() },
        'link.closed': { guard: 'isOurLink', target: 'unsure' },
        'session.stood': [
          { guard: 'isGone', target: 'unsure', actions: assign({ online: true }) },
          { actions: assign({ online: true }) },
        ],
      },
    },

    // The route's link is gone. What takes its place usually follows at once; if not, the client asks.
    unsure: {
      on: {
        'route.assigned': [
          { guard: 'isStale' },
          { guard: 'isHeld', target: 'served' },
          { target: 'served', actions: moved() },
        ],
        'route.switched': { target: 'served', actions: moved() },
        'route.refused': { guard: 'isTakenBack', target: 'waiting', actions: takenBack() },
      },
      after: { doubt: { target: 'waiting', actions: [lost('its link closed'), 'forgetRoute', askAgain()] } },
    },

    waiting: {
      on: {
        'route.assigned': [
          { guard: 'isStale' },
          { guard: 'isOfOlderWish', actions: assign({ route: ({ event }) => routeOf(event) }) },
          { target: 'served', actions: adopted() },
        ],
      },
      after: { retry: 'away' },
    },
  },
})

export interface Move {
  readonly from: Route | null
  readonly to: Route
  readonly cause: SwitchCause
}
type RouteGiven = WireOf<'route.assigned'> | WireOf<'route.switched'>

function adopted() {
  return { type: 'adopt', params: ({ event }: { event: RouteGiven }) => ({ route: routeOf(event) }) } as const
}

function givenBack() {
  return {
    type: 'releaseRoute',
    params: ({ event }: { event: RouteGiven }) => ({ route: routeOf(event) }),
  } as const
}

function moved() {
  const switched = {
    type: 'tellSwitched',
    params: ({ context, event }: { context: RouteContext; event: RouteGiven }): Move => ({
      from: context.route,
      to: routeOf(event),
      cause: event.type === 'route.switched' ? event.cause : 'moved_while_away',
    }),
  } as const
  return [switched, adopted()] as const
}

function takenBack() {
  const told = {
    type: 'tellLost',
    params: ({ context, event }: { context: RouteContext; event: WireOf<'route.refused'> }) => ({
      route: context.route,
      reason: event.reason,
    }),
  } as const
  return [told, 'forgetRoute', askAgain()] as const
}

function lost(reason: string) {
  return {
    type: 'tellLost',
    params: ({ context }: { context: RouteContext }) => ({ route: context.route, reason }),
  } as const
}

function askAgain() {
  return {
    type: 'planAsking',
    params: ({ event }: { event: RouteEvent }) => ({
      askedMs: (event.type === 'route.refused' ? event.retryAfterMs : undefined) ?? null,
    }),
  } as const
}

function routeOf(given: RouteGiven): Route {
  if (given.type === 'route.assigned') {
    const { type: _, requestId: _r, ...route } = given
    return route
  }
  const { type: _, cause: _c, previousLink: _p, ...route } = given
  return route
}

function waitOf({ attempt, random, timing }: RouteContext, askedMs: number | null): number {
  if (askedMs !== null) return Math.min(askedMs, timing.askedWaitMaxMs)
  return backoffMs(attempt, random, { firstMs: timing.reconnectFirstMs, maxMs: timing.reconnectMaxMs })
}
