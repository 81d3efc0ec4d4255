/**
 * Who waits for whom, as a tree: roots hold what those below them wait for. A session that waits for several stands
 * below each, but has those that wait for it only in one place, the highest: n sessions that queue for one lock, each
 * waiting for all before it, would make a tree of 2ⁿ places.
 *
 *   holder ─┬─ first ─── second (repeated)
 *           └─ second
 */
import type { Waiting } from './forms.js'

export interface Knot extends Omit<Waiting, 'waiting' | 'is_repeated'> {
  /** Pids of those that it waits for. */
  readonly blockers: readonly number[]
}

/** The most places of a tree: more is nothing that a person looks at. */
export const PLACES_MAX = 1_000
/** The most levels; what is deeper begins again as a root, which waits itself. */
export const LEVELS_MAX = 32

/** Returns the tree, those that most wait for first, and how many sessions it has no room for. */
export function treeOf(knots: readonly Knot[]): { readonly tree: Waiting[]; readonly leftOut: number } {
  const grove = new Grove(knots)
  for (const knot of knots) if (grove.isFree(knot)) grove.plant(knot)
  grove.grow()
  // Who is left waits in a circle that nobody outside of it holds up: it is entered anywhere.
  for (const knot of knots)
    if (grove.isLeft(knot)) {
      grove.plant(knot)
      grove.grow()
    }
  grove.repeat()
  const sized = grove.roots.map(root => ({ size: sizeOf(root), waiting: waitingOf(root) }))
  return {
    tree: sized.sort((a, b) => b.size - a.size).map(({ waiting }) => waiting),
    leftOut: grove.leftOut,
  }
}

/** A place of a session, and the way to it. */
interface Place {
  readonly knot: Knot
  readonly above: Place | null
  readonly level: number
  readonly below: Place[]
  readonly isRepeated: boolean
}

class Grove {
  readonly roots: Place[] = []
  /** Sessions without a place. */
  leftOut = 0
  /** Of each pid, who waits for it. */
  readonly #waiters = new Map<number, Knot[]>()
  readonly #known: ReadonlySet<number>
  /** The highest place of each; null: there was no room for it. */
  readonly #first = new Map<Knot, Place | null>()
  /** Places whose waiters have none yet. */
  #fresh: Place[] = []
  #size = 0

  constructor(knots: readonly Knot[]) {
    this.#known = new Set(knots.map(({ session }) => session.pid))
    for (const knot of knots)
      for (const pid of new Set(knot.blockers)) {
        const waiters = this.#waiters.get(pid)
        if (waiters === undefined) this.#waiters.set(pid, [knot])
        else waiters.push(knot)
      }
  }

  /** Whether it holds something, and waits for nobody that is known. */
  isFree({ session, blockers }: Knot): boolean {
    return this.#waiters.has(session.pid) && !blockers.some(pid => this.#known.has(pid))
  }

  /** Whether it waits, and has no place yet. */
  isLeft(knot: Knot): boolean {
    return knot.blockers.length > 0 && !this.#first.has(knot)
  }

  plant(knot: Knot): void {
    const root = this.#settle(knot, null)
    if (root !== null) this.roots.push(root)
  }

  /** Gives a place to all that wait for those that have one, level by level: so each stands as high as it can. */
  grow(): void {
    while (this.#fresh.length > 0) {
      const deep: Knot[] = []
      for (const above of this.#takeFresh())
        for (const knot of this.#waitersOf(above)) {
          if (this.#first.has(knot)) continue
          if (above.level < LEVELS_MAX) this.#settle(knot, above)
          else deep.push(knot)
        }
      for (const knot of deep) if (!this.#first.has(knot)) this.plant(knot)
    }
  }

  /** Gives those that wait for several a place below the others too; where they stand above, a circle closes. */
  repeat(): void {
    for (const above of this.#first.values()) {
      if (above === null || above.level === LEVELS_MAX) continue
      for (const knot of this.#waitersOf(above)) {
        const first = this.#first.get(knot)
        if (first === null || first === undefined || first.above === above || isOnWay(knot, above)) continue
        if (this.#size < PLACES_MAX) this.#put(knot, above, true)
      }
    }
  }

  #takeFresh(): readonly Place[] {
    const fresh = this.#fresh
    this.#fresh = []
    return fresh
  }

  #waitersOf({ knot }: Place): readonly Knot[] {
    return this.#waiters.get(knot.session.pid) ?? []
  }

  #settle(knot: Knot, above: Place | null): Place | null {
    const place = this.#size < PLACES_MAX ? this.#put(knot, above, false) : null
    this.#first.set(knot, place)
    if (place === null) this.leftOut++
    else this.#fresh.push(place)
    return place
  }

  #put(knot: Knot, above: Place | null, isRepeated: boolean): Place {
    const place = { knot, above, level: (above?.level ?? 0) + 1, below: [], isRepeated }
    this.#size++
    above?.below.push(place)
    return place
  }
}

function isOnWay(knot: Knot, place: Place | null): boolean {
  return place !== null && (place.knot === knot || isOnWay(knot, place.above))
}

const sizeOf = ({ below }: Place): number => below.reduce((size, place) => size + sizeOf(place), 1)

const waitingOf = ({ knot, below, isRepeated }: Place): Waiting => ({
  session: knot.session,
  lock: knot.lock,
  waited_s: knot.waited_s,
  is_repeated: isRepeated,
  // Who has waited longest comes first.
  waiting: below.map(waitingOf).sort((a, b) => (b.waited_s ?? 0) - (a.waited_s ?? 0)),
})
