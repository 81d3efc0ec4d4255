/**
 * Nodes drawn at random: of each two the one with more room is taken. Small nodes are drawn as often as large ones, and
 * would fill up long before them.
 */
import { pick, type Random } from '../kit/random.js'
import { readAhead } from '../kit/read-ahead.js'
import { bandwidthLeft, type NodeFacts, roomOf } from './node-facts.js'

/**
 * Returns so many of the nodes, some perhaps twice. All pairs are drawn before the first is looked at, and those who win
 * are asked together for a figure: in a large mesh each is a wait for memory, and so it is one for all of them.
 */
export function drawn<N extends NodeFacts>(nodes: readonly N[], count: number, random: Random): N[] {
  const ones: N[] = []
  const others: N[] = []
  for (let i = 0; i < count; i++) {
    ones.push(nodes[pick(random, nodes.length)] as N) // inside
    others.push(nodes[pick(random, nodes.length)] as N)
  }
  for (let i = 0; i < count; i++) {
    const other = others[i] as N // as many
    if (roomOf(other) > roomOf(ones[i] as N)) ones[i] = other
  }
  readAhead(ones, node => bandwidthLeft(node) ?? 0)
  return ones
}

/** Takes so many out of the list, all of them when there are no more, and returns them. */
export function taken<N extends NodeFacts>(nodes: N[], count: number, random: Random): N[] {
  if (nodes.length <= count) return nodes
  return Array.from({ length: count }, () => {
    const place = roomierOf(nodes, random)
    const node = nodes[place] as N // inside
    nodes[place] = nodes.at(-1) as N // more than are wanted are there
    nodes.pop()
    return node
  })
}

/** Returns where the one with more room is, of two drawn at random. */
function roomierOf(nodes: readonly NodeFacts[], random: Random): number {
  const [one, other] = [pick(random, nodes.length), pick(random, nodes.length)]
  return roomOf(nodes[one] as NodeFacts) >= roomOf(nodes[other] as NodeFacts) ? one : other // both are inside
}
