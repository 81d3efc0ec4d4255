/** Hard requirements: each one is met, or the node is out and the reason is counted. */
import { type Agreed, areCompatible } from './path-policy.js'
import { bandwidthLeft, type NodeFacts } from './node-facts.js'

export interface Requirements {
  readonly target?: string
  readonly country?: string
  readonly region?: string
  readonly minBandwidthMbps?: number
  readonly maxLatencyMs?: number
  readonly exit?: boolean
  readonly exclude?: readonly string[]
  /** The client's own: which ways its packets may travel. */
  readonly policy?: Agreed
}

export type Rejection =
  | 'not accepting'
  | 'full'
  | 'target'
  | 'excluded'
  | 'country'
  | 'region'
  | 'exit'
  | 'policy'
  | 'bandwidth'
  | 'bandwidth unknown'
  | 'latency'
  | 'latency unknown'

/** Returns why the node cannot serve the request, or null when it can. The cheapest questions come first. */
export function rejection(node: NodeFacts, want: Requirements): Rejection | null {
  if (want.target !== undefined && node.id !== want.target) return 'target'
  if (!node.accepting) return 'not accepting'
  if (want.country !== undefined && node.country !== want.country) return 'country'
  if (want.region !== undefined && node.region !== want.region) return 'region'
  if (want.exit === true && !node.exit) return 'exit'
  if (want.policy !== undefined && !areCompatible(want.policy, node.policy)) return 'policy'
  if (want.exclude?.includes(node.id)) return 'excluded'
  if (node.linksLeft <= 0 || (node.maxSessions !== null && node.reserved >= node.maxSessions)) return 'full'
  if (want.minBandwidthMbps !== undefined) {
    const left = bandwidthLeft(node)
    if (left === null) return 'bandwidth unknown'
    if (left < want.minBandwidthMbps) return 'bandwidth'
  }
  if (want.maxLatencyMs !== undefined) {
    if (node.rttMs === null) return 'latency unknown'
    if (node.rttMs > want.maxLatencyMs) return 'latency'
  }
  return null
}

/** Returns each requirement that excluded nodes in words, with how many it excluded. */
export function unmet(
  want: Requirements,
  excluded: Readonly<Record<string, number>>,
  considered: number,
): string[] {
  const wanted: Record<Rejection, string> = {
    'not accepting': 'online and accepting',
    full: 'a free place',
    target: `node ${want.target ?? ''}`,
    excluded: 'not excluded by the request',
    country: `country ${want.country ?? ''}`,
    region: `region ${want.region ?? ''}`,
    exit: 'forwards to the internet',
    policy: `a path policy that goes with ${want.policy ?? 'one that contradicts itself'}`,
    bandwidth: `${want.minBandwidthMbps ?? 0} Mbit/s left`,
    'bandwidth unknown': 'a stated bandwidth',
    latency: `round trip of at most ${want.maxLatencyMs ?? 0} ms`,
    'latency unknown': 'a measured round trip',
  }
  return Object.entries(excluded).map(
    ([reason, count]) => `${wanted[reason as Rejection]}: ruled out ${count} of ${considered}`, // keys come from rejection()
  )
}
