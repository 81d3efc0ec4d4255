/**
 * Route choice: filter by the hard requirements, compare a few of the qualified drawn at random, take the
 * cheapest. Comparing four rather than all keeps a burst of requests from piling onto the one node that
 * looks best at the moment (Mitzenmacher, “The Power of Two Choices in Randomized Load Balancing”).
 */
import { pick, type Random } from '../kit/random.js'
import { type Cost, costOf } from './cost.js'
import type { NodeFacts } from './node-facts.js'
import { rejection, type Requirements } from './requirements.js'

/** How many of the qualified are compared. */
const COMPARED = 4

export interface Compared<N> extends Cost {
  readonly node: N
}

export interface Choice<N> {
  /** The cheapest of the compared, or null when no node qualifies. */
  readonly node: N | null
  readonly considered: number
  readonly qualified: number
  /** Reason and how many nodes it ruled out; a node counts once, under its first reason. */
  readonly excluded: Readonly<Record<string, number>>
  /** Best first; the first is the choice. */
  readonly compared: readonly Compared<N>[]
}

export function choose<N extends NodeFacts>(
  nodes: Iterable<N>,
  want: Requirements,
  random: Random,
): Choice<N> {
  const excluded: Record<string, number> = {}
  const sample: N[] = []
  let considered = 0
  let qualified = 0
  for (const node of nodes) {
    considered++
    const reason = rejection(node, want)
    if (reason !== null) {
      excluded[reason] = (excluded[reason] ?? 0) + 1
      continue
    }
    qualified++
    // Reservoir sampling (Vitter, algorithm R): every qualified node is as likely to be compared.
    if (sample.length < COMPARED) sample.push(node)
    else {
      const place = pick(random, qualified)
      if (place < COMPARED) sample[place] = node
    }
  }
  const compared = sample.map(node => ({ node, ...costOf(node) })).sort((a, b) => a.cost - b.cost)
  return { node: compared[0]?.node ?? null, considered, qualified, excluded, compared }
}
