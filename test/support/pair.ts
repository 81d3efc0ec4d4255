/** A node and a client that can leave the relay, and say what a test makes them say about it. */
import type { WireOf } from '../../src/protocol/messages.js'
import { Lab, type LabOptions } from '../lab/lab.js'
import type { RawAgent } from './raw-agent.js'
import { routed } from './town.js'

export interface Pair {
  readonly lab: Lab
  readonly node: RawAgent
  readonly client: RawAgent
  readonly link: number
  /** Both say where they may be reached, and hear when to begin. */
  readonly signal: (revision?: number) => Promise<void>
  /** Each of these ends says how the newest attempt went, or the one that is named. */
  readonly report: (
    outcome: WireOf<'path.attempt'>['outcome'],
    ends?: readonly RawAgent[],
    changes?: Partial<WireOf<'path.attempt'>>,
  ) => Promise<void>
  /** Returns the tier that the mesh shows, and why. */
  readonly shown: () => {
    readonly tier: string
    readonly via: string | null | undefined
    readonly reason: string | null
  }
}

type Profile = Partial<WireOf<'register'>>

export async function pair(
  options: LabOptions & { readonly node?: Profile; readonly client?: Profile } = {},
): Promise<Pair> {
  const can = ['udp'] as const
  const lab = await Lab.start(options)
  const node = await lab.enrolled('node', 'fra-1', { can, ...options.node })
  const client = await lab.enrolled('client', 'alice', { can, ...options.client })
  const { link } = await routed(lab, client, [node])
  return {
    lab,
    node,
    client,
    link,
    async signal(revision = 1) {
      for (const end of [client, node]) end.say(signalOf(end, link, revision))
      await lab.clock.run(1_100)
    },
    async report(outcome, ends = [client, node], changes = {}) {
      for (const end of ends) {
        const { attempt } = { ...end.heard.findLast(it => it.type === 'path.punch'), ...changes }
        end.say({
          type: 'path.attempt',
          link,
          via: 'udp',
          outcome,
          tried: [],
          ...changes,
          attempt: attempt ?? 1,
        })
      }
      await lab.clock.run(100)
    },
    shown() {
      const route = lab.mesh.routes().find(one => one.link === link)
      if (route === undefined) throw new Error('the route is gone')
      return { tier: route.tier, via: route.via, reason: route.reason }
    },
  }
}

/** Returns what an agent says of its addresses: the client is at 198.51.100.1, the node at 198.51.100.2. */
export const signalOf = (end: RawAgent, link: number, revision: number): WireOf<'path.signal'> => ({
  type: 'path.signal',
  link,
  revision,
  candidates: [`srflx 198.51.100.${end.hello().role === 'client' ? 1 : 2}:4000`],
})

/** Returns the newest message of this name for a link; undefined when none came. */
export const lastOf = <N extends 'path.settled' | 'path.punch' | 'path.signal'>(
  agent: RawAgent,
  type: N,
): WireOf<N> | undefined => agent.heard.findLast(event => event.type === type) as WireOf<N> | undefined // found by its type

export const countOf = (agent: RawAgent, type: string): number =>
  agent.heard.filter(event => event.type === type).length
