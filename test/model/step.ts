/** What may happen in a story, how it reads, and how often it happens. */
import fc from 'fast-check'
import type { RouteWish } from '../../src/agent/route.machine.js'
import { CLIENTS, NODES } from './cast.js'

export type Step =
  | {
      readonly do:
        | 'join'
        | 'leave'
        | 'kill'
        | 'drop'
        | 'cut'
        | 'heal'
        | 'deafen'
        | 'undeafen'
        | 'duplicate'
        | 'release'
        | 'overload'
        | 'relieve'
        | 'deny'
        | 'allow'
      readonly who: string
    }
  | { readonly do: 'ask'; readonly who: string; readonly wish: RouteWish }
  | { readonly do: 'drain'; readonly who: string; readonly withinMs: number | null }
  | { readonly do: 'undrain'; readonly who: string }
  | { readonly do: 'limit'; readonly who: string; readonly places: number | null }
  | { readonly do: 'send'; readonly who: string; readonly packets: number }
  | {
      readonly do:
        | 'restart coordinator'
        | 'kill coordinator'
        | 'boot coordinator'
        | 'cut coordinator'
        | 'heal coordinator'
        | 'take store away'
        | 'bring store back'
        | 'storm'
      readonly who?: never
    }
  | { readonly do: 'mischief'; readonly with: string }
  | { readonly do: 'wait'; readonly ms: number }

export interface Story {
  /** Seed of every chance in the lab. */
  readonly chance: number
  /** Clients that are let in a second; more than there are when it is left out. */
  readonly pace?: number
  readonly steps: readonly Step[]
}

const PLAIN: Readonly<Record<string, string>> = {
  join: 'joins',
  leave: 'leaves',
  kill: 'is killed',
  drop: 'loses its socket',
  cut: 'is cut off, silently',
  heal: 'is reachable again',
  deafen: 'stops reading',
  undeafen: 'reads again',
  duplicate: 'appears a second time, with the same key',
  release: 'gives its route back',
  overload: 'has its uplink full',
  deny: 'is not let in any more',
  allow: 'is let in again',
  relieve: 'has room on its uplink again',
  'restart coordinator': 'the coordinator restarts in good order',
  'kill coordinator': 'the coordinator is killed',
  'boot coordinator': 'the coordinator boots',
  'cut coordinator': 'the coordinator is cut off, silently',
  'heal coordinator': 'the coordinator is reachable again',
  'take store away': 'the store goes away',
  'bring store back': 'the store is back',
  undrain: 'is drained no more',
  storm: 'all sockets break at once',
}

/** Returns the step as a person would tell it. */
export function sentence(step: Step): string {
  switch (step.do) {
    case 'ask':
      return `${step.who} asks for a node ${JSON.stringify(step.wish)}`
    case 'drain':
      return `${step.who} is drained ${step.withinMs === null ? 'until it is empty' : `within ${step.withinMs} ms`}`
    case 'limit':
      return `${step.who} may carry ${step.places ?? 'as many as it says itself'}`
    case 'send':
      return `${step.who} sends ${step.packets} packets`
    case 'mischief':
      return `mallory sends ${step.with}`
    case 'wait':
      return `${step.ms} ms pass`
    default:
      return `${step.who === undefined ? '' : `${step.who} `}${PLAIN[step.do] ?? step.do}`
  }
}

export const MISCHIEF = [
  'packets on links of others',
  'path.closed for links of others',
  'path.ready and path.report for links of others',
  'route.release for routes of others',
  'messages that only a coordinator may send',
  'bytes that mean nothing',
] as const

const who = fc.constantFrom(...NODES.map(node => node.name), ...CLIENTS)
const client = fc.constantFrom(...CLIENTS)
const node = fc.constantFrom(...NODES.map(({ name }) => name))
/** Only of them it is known what their uplink carries. */
const measured = fc.constantFrom(
  ...NODES.filter(({ profile }) => profile.bandwidthMbps !== undefined).map(({ name }) => name),
)

const wish: fc.Arbitrary<RouteWish> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.constantFrom('DE', 'FI', 'NL').map(country => ({ country })),
  fc.constant({ exit: true }),
  fc.constant({ minBandwidthMbps: 80 }),
  node.map(target => ({ target })),
  fc.uniqueArray(node, { minLength: 1, maxLength: 3 }).map(exclude => ({ exclude })),
  fc.record({ country: fc.constantFrom('DE', 'FI'), exit: fc.boolean() }),
)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('join' as const), who }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom('leave', 'kill', 'drop', 'cut', 'heal', 'deafen', 'undeafen'),
      who,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('duplicate' as const), who }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), who: client, wish }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), who: client }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('drain' as const),
      who: node,
      withinMs: fc.constantFrom(null, 2_000, 30_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('undrain' as const), who: node }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('limit' as const),
      who: node,
      places: fc.constantFrom(null, 1, 2, 5),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('overload' as const), who: measured }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('relieve' as const), who: measured }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deny' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('allow' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('storm' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      who: client,
      packets: fc.constantFrom(1, 5, 60),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'restart coordinator',
        'kill coordinator',
        'boot coordinator',
        'cut coordinator',
        'heal coordinator',
        'take store away',
        'bring store back',
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('mischief' as const), with: fc.constantFrom(...MISCHIEF) }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(5, 50, 500, 1_000, 5_000, 20_000, 80_000, 130_000),
    }),
  },
)

export const stories: fc.Arbitrary<Story> = fc.record({
  chance: fc.integer({ min: 1, max: 1_000_000 }),
  pace: fc.constantFrom(2_000, 16),
  steps: fc.array(step, { minLength: 1, maxLength: 50, size: 'max' }),
})
