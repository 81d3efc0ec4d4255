/** Where the two ends of a path may stand in a story, what may happen to them, and how it reads. */
import fc from 'fast-check'
import type { PathPolicy } from '../../src/actors/ports.js'
import type { NatKind } from '../lab/nat.js'
import { DEPENDENCES } from '../lab/truth.js'
import type { NatSpec, Site } from '../lab/udp-net.js'

export const ENDS = ['anna', 'bert'] as const
export type EndName = (typeof ENDS)[number]

export type PathStep =
  | { readonly do: 'talk' | 'rest'; readonly ms: number }
  | {
      readonly do:
        | 'cut UDP'
        | 'heal UDP'
        | 'rebind'
        | 'lose socket'
        | 'kill'
        | 'hold to a rate'
        | 'lift the rate'
      readonly who: EndName
    }
  | { readonly do: 'move'; readonly who: EndName; readonly to: Site }
  | { readonly do: 'lose packets'; readonly share: number }
  | {
      readonly do: 'cut path' | 'heal path' | 'restart coordinator' | 'kill coordinator' | 'boot coordinator'
    }

export interface PathStory {
  /** Seed of every chance in the lab. */
  readonly chance: number
  /** Where anna, the client, and bert, the node, are at first. */
  readonly sites: readonly [Site, Site]
  /** bert is in anna’s LAN. */
  readonly together: boolean
  /** Whether there is a TURN server. */
  readonly turn: boolean
  /** What the client wants of its paths. */
  readonly policy: PathPolicy
  readonly steps: readonly PathStep[]
}

/** Returns the step as a person would tell it. */
export function sentence(step: PathStep): string {
  switch (step.do) {
    case 'talk':
      return `they talk for ${step.ms} ms`
    case 'rest':
      return `they are silent for ${step.ms} ms`
    case 'move':
      return `${step.who} moves to ${named(step.to)}`
    case 'lose packets':
      return `${100 * step.share} % of all datagrams are lost`
    default:
      return 'who' in step ? `${step.who}: ${step.do}` : step.do
  }
}

/** Returns a site in a few words. */
export const named = ({ nat = [], v6, blocksUdp }: Site): string =>
  [nat.length === 0 ? 'the open' : JSON.stringify(nat), v6 === true && 'IPv6', blocksUdp === true && 'no UDP']
    .filter(Boolean)
    .join(', ')

const nat: fc.Arbitrary<NatSpec> = fc.record(
  {
    kind: fc.constantFrom<NatKind>('full', 'addr', 'port', 'port', 'port', 'adm', 'sym', 'sym'),
    hairpin: fc.boolean(),
    lifetimeMs: fc.constantFrom(30_000, 60_000, 120_000),
    /** As nobody builds them, but anybody may. */
    filtering: fc.constantFrom(...DEPENDENCES),
  },
  { requiredKeys: ['kind', 'hairpin', 'lifetimeMs'] },
)

const site: fc.Arbitrary<Site> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ nat: ['port'] as const, blocksUdp: true }) },
  {
    weight: 12,
    arbitrary: fc.record({
      nat: fc.array(nat, { minLength: 1, maxLength: 2 }),
      v6: fc.integer({ min: 0, max: 3 }).map(n => n === 0),
    }),
  },
)

const who = fc.constantFrom(...ENDS)

const step: fc.Arbitrary<PathStep> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('talk' as const, 'rest' as const),
      ms: fc.constantFrom(50, 500, 2_000, 10_000, 40_000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('cut UDP', 'heal UDP', 'rebind', 'lose socket', 'kill'),
      who,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), who, to: site }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('hold to a rate' as const, 'lift the rate' as const), who }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('lose packets' as const), share: fc.constantFrom(0.02, 0.1) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'cut path',
        'heal path',
        'restart coordinator',
        'kill coordinator',
        'boot coordinator',
      ),
    }),
  },
)

export const pathStories: fc.Arbitrary<PathStory> = fc.record({
  chance: fc.integer({ min: 1, max: 1_000_000 }),
  sites: fc.tuple(site, site),
  together: fc.integer({ min: 0, max: 5 }).map(n => n === 0),
  turn: fc.boolean(),
  policy: fc.constantFrom<PathPolicy>('auto', 'auto', 'auto', 'auto', 'relay-only', 'direct-only'),
  steps: fc.array(step, { maxLength: 12, size: 'max' }),
})
