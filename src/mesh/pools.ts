/**
 * The nodes, sorted so that a choice costs the same among a thousand as among a hundred thousand: a node that is here
 * and has a place is in the pool of every kind that it is of.
 *
 *   update(node) ─→ open? ─→ in or out of each pool that is kept       pool(kind) ─→ members, to draw from at random
 *
 * Pools are made when first asked for, out of the smallest pool that holds all of it, and kept up to date from then
 * on. Their number and their members are bounded: the one that was used longest ago goes.
 */
import { TokenBucket } from '../kit/token-bucket.js'
import { Few } from './few.js'
import { isOpen, type NodeFacts } from './node-facts.js'
import { type Kind, mismatch } from './requirements.js'

/** Kinds of request that a mesh meets again and again are far fewer. Each pool makes a change of a node dearer. */
const POOLS_MAX = 256
/** Memory: all pools together hold each node this many times, and small meshes are not bothered. */
const SHARES_MAX = 16
const MEMBERS_LEAST = 65_536
/**
 * Nodes that may be looked at in a second by those who look at all of them, and at once. It takes about a quarter of a
 * microsecond each: a tenth of a core, whatever is asked for, and by however many.
 */
const LOOKS = { perSecond: 400_000, burst: 400_000 }
/** The same of those who make pools, which is faster: a mesh of a hundred thousand nodes that has just started makes 80. */
const SORTED = { perSecond: 400_000, burst: 8_000_000 }

export class NodePools<N extends NodeFacts> {
  readonly #byId = new Map<string, N>()
  /** In the order of their last use, oldest first. The pool of everyone is apart: it never goes. */
  readonly #pools = new Map<string, Pool<N>>()
  readonly #everyone = new Pool<N>({})
  readonly #looks = new TokenBucket(LOOKS.perSecond, LOOKS.burst, 0)
  readonly #sorted = new TokenBucket(SORTED.perSecond, SORTED.burst, 0)

  /** Every node, open or not. */
  get size(): number {
    return this.#byId.size
  }
  nodes(): Iterable<N> {
    return this.#byId.values()
  }
  byId(id: string): N | undefined {
    return this.#byId.get(id)
  }

  /** Takes the node in, or takes note that something about it has changed. */
  update(node: N): void {
    this.#byId.set(node.id, node)
    const open = isOpen(node)
    this.#everyone.set(node, open)
    for (const pool of this.#pools.values()) pool.set(node, open && mismatch(node, pool.kind) === null)
  }

  remove(node: N): void {
    if (this.#byId.get(node.id) === node) this.#byId.delete(node.id)
    this.#everyone.set(node, false)
    for (const pool of this.#pools.values()) pool.set(node, false)
  }

  /** Returns whether so many nodes may be looked at now; `nowMs` is monotonic. */
  mayLookAt(count: number, nowMs: number): boolean {
    return this.#looks.take(Math.min(count, LOOKS.burst), nowMs)
  }

  /** Returns the pool of a kind; the smallest that holds all of it when it cannot be made now. `nowMs` is monotonic. */
  pool(kind: Kind, nowMs: number): Pool<N> {
    const key = keyOf(kind)
    if (key === EVERYONE) return this.#everyone
    const known = this.#pools.get(key)
    if (known === undefined) {
      const source = this.#sourceOf(kind)
      const mayMake = this.#sorted.take(source.members.length, nowMs)
      return mayMake ? this.#make(key, kind, source) : source
    }
    this.#pools.delete(key)
    this.#pools.set(key, known)
    return known
  }

  #sourceOf(kind: Kind): Pool<N> {
    let source = this.#everyone
    for (const pool of this.#pools.values()) {
      if (pool.members.length < source.members.length && isWithin(kind, pool.kind)) source = pool
    }
    return source
  }

  #make(key: string, kind: Kind, source: Pool<N>): Pool<N> {
    const made = new Pool<N>(kind)
    for (const node of source.members) if (mismatch(node, kind) === null) made.set(node, true)
    this.#pools.set(key, made)
    this.#trim()
    return made
  }

  /** Lets pools go until the rest is within the bounds; the one that was just made stays. */
  #trim(): void {
    let members = 0
    for (const pool of this.#pools.values()) members += pool.members.length
    const most = Math.max(MEMBERS_LEAST, SHARES_MAX * this.#byId.size)
    for (const [key, pool] of this.#pools) {
      if (this.#pools.size <= 1 || (this.#pools.size <= POOLS_MAX && members <= most)) return
      this.#pools.delete(key)
      members -= pool.members.length
    }
  }
}

/** A set from which one can draw at random: the last member takes the place of one that leaves. */
export class Pool<N extends NodeFacts> {
  readonly kind: Kind
  /** In no order. Only to be read, and only until the next change. */
  readonly members: N[] = []
  /** What is known of requests that few of them meet. */
  readonly few = new Few<N>()
  readonly #places = new Map<N, number>()

  constructor(kind: Kind) {
    this.kind = kind
  }

  /** Returns whether it is the pool of this kind. */
  isOf(kind: Kind): boolean {
    return isWithin(kind, this.kind) && isWithin(this.kind, kind)
  }

  set(node: N, belongs: boolean): void {
    const place = this.#places.get(node)
    if (belongs) this.few.changed(node)
    if (belongs === (place !== undefined)) return
    if (place === undefined) {
      this.#places.set(node, this.members.push(node) - 1)
      return
    }
    this.#places.delete(node)
    this.few.left(node)
    const last = this.members.pop() as N // it has at least the node that leaves
    if (last === node) return
    this.members[place] = last
    this.#places.set(last, place)
  }
}

/** Two kinds that mean the same have the same key; names hold no control characters. */
const keyOf = ({
  country = '\t',
  region = '\t',
  exit,
  policy = 'auto',
  tags,
  groups,
  anyGroup,
}: Kind): string => {
  const key = `${country}\n${region}\n${exit === true}\n${String(policy)}\n${sorted(tags)}\n${sorted(groups)}`
  return anyGroup === undefined ? key : `${key}\n${sorted(anyGroup)}`
}

const sorted = (names: readonly string[] = []): string =>
  names.length < 2 ? (names[0] ?? '') : [...new Set(names)].sort().join('\t')

/** Returns whether every node of a kind is of the other too. */
const isWithin = (kind: Kind, other: Kind): boolean =>
  (other.country === undefined || other.country === kind.country) &&
  (other.region === undefined || other.region === kind.region) &&
  (other.exit !== true || kind.exit === true) &&
  (other.policy === undefined || other.policy === 'auto' || other.policy === kind.policy) &&
  (other.tags ?? []).every(tag => kind.tags?.includes(tag) === true) &&
  (other.groups ?? []).every(group => kind.groups?.includes(group) === true) &&
  (other.anyGroup === undefined || kind.anyGroup?.every(group => other.anyGroup?.includes(group)) === true)

const EVERYONE = keyOf({})
