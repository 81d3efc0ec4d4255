/** Who is in the stories. */
import type { AgentProfile } from '../../src/agent/identity.js'
import type { RouteWish } from '../../src/agent/route.machine.js'

export const NODES: readonly { readonly name: string; readonly profile: AgentProfile }[] = [
  { name: 'fra-1', profile: { country: 'DE', maxSessions: 2, bandwidthMbps: 100 } },
  { name: 'fra-2', profile: { country: 'DE', maxSessions: 1, exit: true } },
  { name: 'hel-1', profile: { country: 'FI', maxSessions: 3, exit: true } },
  { name: 'ams-1', profile: { country: 'NL', bandwidthMbps: 50 } },
]
export const CLIENTS: readonly string[] = ['alice', 'bob', 'carol', 'dave', 'erin']

/** Who is there when a story begins, the clients with a route. */
export const THERE_AT_FIRST: readonly string[] = ['fra-1', 'hel-1', 'alice', 'bob', 'carol']

export const isNode = (name: string): boolean => NODES.some(node => node.name === name)

const profileOf = (name: string): AgentProfile => NODES.find(node => node.name === name)?.profile ?? {}

export const placesOf = (node: string): number => profileOf(node).maxSessions ?? Number.POSITIVE_INFINITY

/** Returns whether the node meets every requirement, in the plainest words. */
export function meets(node: string, wish: RouteWish): boolean {
  const { country, exit, bandwidthMbps } = profileOf(node)
  return (
    (wish.target === undefined || wish.target === node) &&
    (wish.country === undefined || wish.country === country) &&
    (wish.exit !== true || exit === true) &&
    (wish.minBandwidthMbps === undefined || (bandwidthMbps ?? 0) >= wish.minBandwidthMbps) &&
    !(wish.exclude ?? []).includes(node)
  )
}
