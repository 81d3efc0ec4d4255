/** What a person wants to know of a tree of locks before reading it. It knows no page. */
import type { Waiting } from './kinds.js'

/** Returns how many sessions wait below a session, each counted once however many it waits for. */
export function waitersBelow(of: Waiting): number {
  const pids = new Set<number>()
  const count = ({ waiting }: Waiting) => {
    for (const each of waiting) {
      pids.add(each.session.pid)
      count(each)
    }
  }
  count(of)
  return pids.size
}

/** Returns how long the longest of those below has waited, s; null: nobody can tell. */
export function longestWait({ waiting }: Waiting): number | null {
  return waiting.reduce<number | null>((longest, each) => {
    const waits = [longest, each.waited_s, longestWait(each)].filter(wait => wait !== null)
    return waits.length === 0 ? null : Math.max(...waits)
  }, null)
}

/** Returns the trees, the one that most wait for first. */
export const mostWaitedFor = (tree: readonly Waiting[]): readonly Waiting[] =>
  tree.toSorted((a, b) => waitersBelow(b) - waitersBelow(a) || a.session.pid - b.session.pid)
