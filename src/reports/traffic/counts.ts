/** Bytes of a pair, by way and by tier, as their columns are called. */
import type { PathTraffic } from '../../actors/ports.js'

export const COUNTS = [
  'relayed_to_node',
  'relayed_to_client',
  'turned_to_node',
  'turned_to_client',
  'direct_to_node',
  'direct_to_client',
] as const

export type Counts = Readonly<Record<(typeof COUNTS)[number], number>>

export const countsOf = ({ toNode, toClient }: PathTraffic['bytes']): Counts => ({
  relayed_to_node: toNode.relayed,
  relayed_to_client: toClient.relayed,
  turned_to_node: toNode.turned,
  turned_to_client: toClient.turned,
  direct_to_node: toNode.direct,
  direct_to_client: toClient.direct,
})

const combined = (a: Counts, b: Counts, combine: (a: number, b: number) => number): Counts => ({
  relayed_to_node: combine(a.relayed_to_node, b.relayed_to_node),
  relayed_to_client: combine(a.relayed_to_client, b.relayed_to_client),
  turned_to_node: combine(a.turned_to_node, b.turned_to_node),
  turned_to_client: combine(a.turned_to_client, b.turned_to_client),
  direct_to_node: combine(a.direct_to_node, b.direct_to_node),
  direct_to_client: combine(a.direct_to_client, b.direct_to_client),
})

export const NOTHING: Counts = {
  relayed_to_node: 0,
  relayed_to_client: 0,
  turned_to_node: 0,
  turned_to_client: 0,
  direct_to_node: 0,
  direct_to_client: 0,
}

export const sum = (a: Counts, b: Counts): Counts => combined(a, b, (x, y) => x + y)
export const larger = (a: Counts, b: Counts): Counts => combined(a, b, Math.max)
/** Returns what `after` has more; never below 0. */
export const difference = (after: Counts, before: Counts): Counts =>
  combined(after, before, (x, y) => Math.max(0, x - y))
export const isNothing = (counts: Counts): boolean => COUNTS.every(name => counts[name] === 0)
