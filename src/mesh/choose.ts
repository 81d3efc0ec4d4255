/**
 * Route choice: a few of the nodes that meet every requirement, drawn at random, are compared and the cheapest is
 * taken. Comparing four rather than all keeps a burst of requests from piling onto the one node that looks best at
 * the moment (Mitzenmacher, “The Power of Two Choices in Randomized Load Balancing”), and costs the same however
 * many nodes there are.
 *
 *   pools.ts: the open nodes of the wanted kind ─→ draw until four qualify ─→ cost.ts ─→ best first
 *                     few of them: all are looked at      ↑ none did: every one is, and few.ts remembers who did
 */
import { pick, type Random } from '../kit/random.js'
import type { ClientFacts } from './client-facts.js'
import { type Cost, costOf } from './cost.js'
import { drawn, taken } from './draws.js'
import { FEW_MAX } from './few.js'
import type { NodeFacts } from './node-facts.js'
import type { NodePools, Pool } from './pools.js'
import { lack, rejection, type Rejection, type Requirements, shortfall } from './requirements.js'

/** How many of the qualified are compared, beside those that are named. */
const COMPARED = 4
/** Up to this many nodes are looked at one and all, and the explanation is exact. */
const FEW = 64
/** Draws before it is better to look at everyone. */
const DRAWS = 64
/** Nodes that are looked at when there have been too many looks at everyone. */
const GLANCED = 1_024
/** Degraded nodes that are remembered of those that meet a request: one is taken when there is nothing else. */
const LAST_RESORTS = 64
/** Rejected nodes that an explanation names. */
const NAMED = 16

/** Whether the client or its operator would rather have this node, or not; or nobody would, as it carries badly. */
export type Liking = 'preferred' | 'avoided' | 'degraded'

export interface Compared<N> extends Cost {
  readonly node: N
  readonly liking: Liking | null
}

export interface Rejected<N> {
  readonly node: N
  readonly reason: Rejection
}

export interface Choice<N> {
  /** The first of the compared, or null when no node qualifies. */
  readonly node: N | null
  /** Nodes that were looked at, and how many of them qualify. */
  readonly considered: number
  readonly qualified: number
  /** Reason and how many nodes it ruled out; a node counts once, under its first reason. */
  readonly excluded: Readonly<Record<string, number>>
  /** Preferred ones first and avoided ones last, by cost among themselves. */
  readonly compared: readonly Compared<N>[]
  /** The first few that were ruled out. */
  readonly rejected: readonly Rejected<N>[]
}

export interface Question<N> {
  readonly want: Requirements
  readonly client: ClientFacts
  /** Monotonic. */
  readonly nowMs: number
  /** Nodes that are among the compared if they qualify, such as those that a route would go to next. */
  readonly also?: readonly N[]
}

export function choose<N extends NodeFacts>(
  pools: NodePools<N>,
  { want, client, nowMs, also = [] }: Question<N>,
  random: Random,
): Choice<N> {
  const look = new Look<N>(want, also, random)
  const only = want.target ?? want.pin
  if (pools.size <= FEW) look.atAll(pools.nodes())
  else if (only !== undefined) look.atThese(named(pools, [only]))
  else {
    look.atThese(also)
    if (want.prefer !== undefined) look.atThese(named(pools, want.prefer))
    const pool = pools.pool(want, nowMs)
    const isSorted = pool.isOf(want)
    // Who is in the pool is open and of the kind: only the rest is asked.
    const rule = isSorted ? shortfall : rejection
    look.around(pool.members, rule)
    if (!look.isEnough) {
      const few = pool.few.of(want, nowMs)
      if (few !== null) look.atFew([...few], rule)
      else if (isSorted && pools.mayLookAt(pool.members.length, nowMs)) look.through(pool, nowMs)
      else look.glance(pool.members, rule)
    }
  }
  return look.choice(client)
}

const named = <N extends NodeFacts>(pools: NodePools<N>, ids: readonly string[]): N[] =>
  ids.flatMap(id => pools.byId(id) ?? [])

/** Returns every node with its cost or the reason why it is out, best first: what `choose` would make of each. */
export function explainAll<N extends NodeFacts>(
  nodes: Iterable<N>,
  want: Requirements,
  client: ClientFacts,
): { readonly qualified: readonly Compared<N>[]; readonly rejected: readonly Rejected<N>[] } {
  const qualified: Compared<N>[] = []
  const rejected: Rejected<N>[] = []
  for (const node of nodes) {
    const reason = rejection(node, want)
    if (reason === null) qualified.push(compared(node, want, client))
    else rejected.push({ node, reason })
  }
  return { qualified: qualified.sort(byLikingThenCost), rejected }
}

function compared<N extends NodeFacts>(node: N, want: Requirements, client: ClientFacts): Compared<N> {
  return { node, ...costOf(node, client, want.weights), liking: likingOf(node, want) }
}

function likingOf(node: NodeFacts, { prefer, avoid }: Requirements): Liking | null {
  if (node.degraded) return 'degraded'
  if (isAmong(prefer, node)) return 'preferred'
  return isAmong(avoid, node) ? 'avoided' : null
}

/** Mostly nobody is named: then the node's name, which is elsewhere in memory, is not asked for. */
const isAmong = (ids: readonly string[] = [], node: NodeFacts): boolean =>
  ids.length > 0 && ids.includes(node.id)

const RANK: Readonly<Record<Liking | 'neither', number>> = {
  preferred: 0,
  neither: 1,
  avoided: 2,
  degraded: 3,
}
const byLikingThenCost = (a: Compared<unknown>, b: Compared<unknown>): number =>
  RANK[a.liking ?? 'neither'] - RANK[b.liking ?? 'neither'] || a.cost - b.cost

/** Returns why the node is out, or null. */
type Rule = (node: NodeFacts, want: Requirements) => Rejection | null

/** Everything that one choice has looked at. */
class Look<N extends NodeFacts> {
  readonly #want: Requirements
  readonly #also: readonly N[]
  readonly #random: Random
  readonly #seen: N[] = []
  readonly #excluded: Record<string, number> = {}
  readonly #rejected: Rejected<N>[] = []
  /** Those that qualify: the ones asked for, and the others by liking. */
  readonly #asked: N[] = []
  readonly #preferred: N[] = []
  readonly #plain: N[] = []
  readonly #avoided: N[] = []
  readonly #degraded: N[] = []
  /** Whether it has looked at all that there are. */
  #isAll = false
  #considered = 0
  #qualified = 0

  constructor(want: Requirements, also: readonly N[], random: Random) {
    this.#want = want
    this.#also = also
    this.#random = random
  }

  /** Looks at nodes that are all different, none of which it has seen. */
  atAll(nodes: Iterable<N>): void {
    for (const node of nodes) this.#look(node, rejection)
  }

  /** Looks at a few that it may have seen. */
  atThese(nodes: readonly N[], rule: Rule = rejection): void {
    for (const node of nodes) {
      if (this.#seen.includes(node)) continue
      this.#seen.push(node)
      this.#look(node, rule)
    }
  }

  /** Looks at random members until enough qualify; at all of them when they are hardly more. */
  around(members: readonly N[], rule: Rule): void {
    this.#isAll = members.length <= FEW
    if (this.#isAll) return this.atThese(members, rule)
    for (let draws = 0; draws < DRAWS && this.#plain.length < COMPARED; ) {
      const wanted = COMPARED - this.#plain.length
      this.atThese(drawn(members, wanted, this.#random), rule)
      draws += wanted
    }
  }

  /** Looks at some of these, and at all of them before it says that none qualifies. */
  atFew(nodes: readonly N[], rule: Rule): void {
    this.around(nodes, rule)
    if (this.isEnough) return
    const seen = new Set(this.#seen)
    for (const node of nodes) if (!seen.has(node)) this.#look(node, rule)
  }

  /** Looks at all of the pool, and remembers who meets the figures, if they are few. */
  through(pool: Pool<N>, nowMs: number): void {
    const seen = new Set(this.#seen)
    const meeting: N[] = []
    let resorts = 0
    for (const node of pool.members) {
      if (!seen.has(node)) this.#look(node, shortfall)
      if (meeting.length > FEW_MAX || lack(node, this.#want) !== null) continue
      if (!node.degraded || resorts++ < LAST_RESORTS) meeting.push(node)
    }
    if (meeting.length <= FEW_MAX) pool.few.keep(this.#want, meeting, nowMs)
  }

  /** Looks at some of the members in a row, from a random place on. */
  glance(members: readonly N[], rule: Rule): void {
    const from = pick(this.#random, members.length)
    const some = Array.from(
      { length: Math.min(GLANCED, members.length) },
      (_, i) => (from + i) % members.length,
    )
    const seen = new Set(this.#seen)
    for (const i of some) if (!seen.has(members[i] as N)) this.#look(members[i] as N, rule) // inside
  }

  choice(client: ClientFacts): Choice<N> {
    const candidates = [
      ...this.#asked,
      ...taken(this.#preferred, COMPARED, this.#random),
      ...taken(this.#plain, COMPARED, this.#random),
    ]
    if (candidates.length < COMPARED) candidates.push(...taken(this.#avoided, COMPARED, this.#random))
    if (candidates.length < COMPARED) candidates.push(...taken(this.#degraded, COMPARED, this.#random))
    const ranked = candidates.map(node => compared(node, this.#want, client)).sort(byLikingThenCost)
    return {
      node: ranked[0]?.node ?? null,
      considered: this.#considered,
      qualified: this.#qualified,
      excluded: this.#excluded,
      compared: ranked,
      rejected: this.#rejected,
    }
  }

  #look(node: N, rule: Rule): void {
    const reason = rule(node, this.#want)
    this.#considered++
    if (reason !== null) {
      this.#excluded[reason] = (this.#excluded[reason] ?? 0) + 1
      if (this.#rejected.length < NAMED) this.#rejected.push({ node, reason })
      return
    }
    this.#qualified++
    if (this.#also.includes(node)) this.#asked.push(node)
    else this.#listFor(node).push(node)
  }

  #listFor(node: N): N[] {
    switch (likingOf(node, this.#want)) {
      case 'preferred':
        return this.#preferred
      case 'avoided':
        return this.#avoided
      case 'degraded':
        return this.#degraded
      case null:
        return this.#plain
    }
  }

  /** Whether one qualifies that there is nothing against, or there is nobody else to look at. */
  get isEnough(): boolean {
    return (
      this.#isAll ||
      this.#preferred.length + this.#plain.length > 0 ||
      this.#asked.some(node => isWelcome(likingOf(node, this.#want)))
    )
  }
}

const isWelcome = (liking: Liking | null): boolean => liking === null || liking === 'preferred'
