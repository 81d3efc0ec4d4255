/**
 * What a choice has to meet and what it should heed: the request and the operator's steering of the client, made
 * one. Each hard requirement is met, or the node is out and the reason is counted.
 */
import type { CostTerm, RouteWish } from '../actors/ports.js'
import type { ClientFacts } from './client-facts.js'
import type { Figures } from './few.js'
import { bandwidthLeft, type NodeFacts } from './node-facts.js'
import { type Agreed, areCompatible } from './path-policy.js'
import { NO_STEERING } from './steering.js'

/** What is asked of a node by its nature, which seldom changes: nodes are kept in pools by it. */
export interface Kind {
  readonly country?: string
  readonly region?: string
  /** It has all of them. */
  readonly tags?: readonly string[]
  /** It is in each of them. */
  readonly groups?: readonly string[]
  /** It is in one of them. */
  readonly anyGroup?: readonly string[]
  readonly exit?: boolean
  /** The client's own: which ways its packets may travel; absent: any. */
  readonly policy?: Agreed
}

export interface Requirements extends Kind {
  readonly target?: string
  /** The only node that the operator lets the client use. */
  readonly pin?: string
  readonly exclude?: readonly string[]
  readonly minBandwidthMbps?: number
  readonly maxLatencyMs?: number
  /** Soft: these rather than others, those only when there is no other, and how much a term of the cost counts. */
  readonly prefer?: readonly string[]
  readonly avoid?: readonly string[]
  readonly weights?: Readonly<Partial<Record<CostTerm, number>>>
}

/**
 * Returns what holds for a request of this client. Pin and group of the operator's, and the groups of its terms, hold
 * beside those of the request; where both prefer, avoid or weigh the same thing, the request has the last word.
 */
export function requirementsOf(wish: RouteWish, client: ClientFacts): Requirements {
  const want = wanted(wish, client)
  return client.groups.length === 0 ? want : { ...want, anyGroup: client.groups }
}

function wanted(wish: RouteWish, { policy, steering }: ClientFacts): Requirements {
  const { group, prefer = [], avoid = [], weights, ...rest } = wish
  // Most requests have none of it.
  if (group === undefined && steering === NO_STEERING && weights === undefined && prefer.length === 0) {
    return { ...rest, policy, avoid }
  }
  const groups = [group, steering.group].filter(name => name !== undefined && name !== null)
  const preferred = prefer.length > 0 ? prefer : steering.prefer
  const avoided = [...avoid, ...steering.avoid].filter(id => !prefer.includes(id))
  return {
    ...rest,
    policy,
    groups,
    prefer: preferred.filter(id => !avoid.includes(id)),
    avoid: avoided,
    weights: { ...steering.weights, ...Object.fromEntries(weights ?? []) },
    ...(steering.pin !== null && { pin: steering.pin }),
  }
}

export type Rejection =
  | 'not accepting'
  | 'draining'
  | 'full'
  | 'target'
  | 'pin'
  | 'excluded'
  | 'country'
  | 'region'
  | 'tags'
  | 'group'
  | 'terms'
  | 'exit'
  | 'policy'
  | 'bandwidth'
  | 'bandwidth unknown'
  | 'latency'
  | 'latency unknown'

/** Returns why the node cannot serve the request, or null when it can. */
export function rejection(node: NodeFacts, want: Requirements): Rejection | null {
  if (want.target !== undefined && node.id !== want.target) return 'target'
  if (want.pin !== undefined && node.id !== want.pin) return 'pin'
  if (!node.accepting) return 'not accepting'
  if (node.draining) return 'draining'
  return mismatch(node, want) ?? shortfall(node, want)
}

/** Returns why an open node of the wanted kind cannot serve the request, or null when it can. */
export function shortfall(node: NodeFacts, want: Requirements): Rejection | null {
  if (want.exclude?.includes(node.id)) return 'excluded'
  if (node.linksLeft <= 0 || (node.maxSessions !== null && node.reserved >= node.maxSessions)) return 'full'
  return lack(node, want)
}

/** Returns which figure of the node is not what the request asks for, or null when all are. */
export function lack(node: NodeFacts, want: Figures): Rejection | null {
  if (want.minBandwidthMbps !== undefined) {
    const left = bandwidthLeft(node)
    if (left === null) return 'bandwidth unknown'
    if (left < want.minBandwidthMbps) return 'bandwidth'
  }
  if (want.maxLatencyMs !== undefined) {
    // What a node says itself counts where nobody can measure it: one that has no socket is never measured.
    const latencyMs = node.rttMs ?? node.latencyP50Ms
    if (latencyMs === null) return 'latency unknown'
    if (latencyMs > want.maxLatencyMs) return 'latency'
  }
  return null
}

/** Returns in what the node is not of the kind, or null when it is. */
export function mismatch(node: NodeFacts, want: Kind): Rejection | null {
  if (want.country !== undefined && node.country !== want.country) return 'country'
  if (want.region !== undefined && node.region !== want.region) return 'region'
  if (want.exit === true && !node.exit) return 'exit'
  if (!areCompatible(want.policy === undefined ? 'auto' : want.policy, node.policy)) return 'policy'
  if (want.groups?.every(group => node.groups.includes(group)) === false) return 'group'
  if (want.anyGroup?.some(group => node.groups.includes(group)) === false) return 'terms'
  if (want.tags?.every(tag => node.tags.includes(tag)) === false) return 'tags'
  return null
}

/** Returns each requirement that excluded nodes in words, with how many it excluded. */
export function unmet(
  want: Requirements,
  excluded: Readonly<Record<string, number>>,
  considered: number,
): string[] {
  const words: Record<Rejection, string> = {
    'not accepting': 'online and accepting',
    draining: 'not draining',
    full: 'a free place',
    target: `node ${want.target ?? ''}`,
    pin: `node ${want.pin ?? ''}, by the operator’s pin`,
    excluded: 'not excluded by the request',
    country: `country ${want.country ?? ''}`,
    region: `region ${want.region ?? ''}`,
    tags: `tags ${clipped(want.tags)}`,
    group: `group ${clipped(want.groups)}`,
    terms: `one of groups ${clipped(want.anyGroup)}`,
    exit: 'forwards to the internet',
    policy: `a path policy that goes with ${want.policy ?? 'one that contradicts itself'}`,
    bandwidth: `${want.minBandwidthMbps ?? 0} Mbit/s left`,
    'bandwidth unknown': 'a stated bandwidth',
    latency: `round trip of at most ${want.maxLatencyMs ?? 0} ms`,
    'latency unknown': 'a known round trip',
  }
  return Object.entries(excluded).map(
    ([reason, count]) => `${words[reason as Rejection]}: ruled out ${count} of ${considered}`, // keys come from rejection()
  )
}

/** A line of the answer has a bound; names have up to 64 characters each. */
const LIST_MAX = 80
const clipped = (names: readonly string[] = []): string => {
  const text = names.join(', ')
  return text.length <= LIST_MAX ? text : `${text.slice(0, LIST_MAX - 1)}…`
}
