/**
 * Why nobody serves a request: every node is looked at, so that each reason is counted; of a large mesh only some, when
 * very much is asked. The answer is remembered for a moment, for clients in need ask again and many ask alike.
 */
import type { NodeFacts } from './node-facts.js'
import type { NodePools } from './pools.js'
import { rejection, type Requirements } from './requirements.js'

/** How long an answer is repeated, ms: nobody is helped by a count that is newer. */
const KEPT_MS = 1_000
/** Requests that are unlike each other and refused in one second. */
const KEPT = 256
/** Nodes that are looked at when there have been too many looks at everyone. */
const SAMPLE = 4_096

export interface Refusal {
  /** Nodes that were looked at. */
  readonly considered: number
  readonly excluded: Readonly<Record<string, number>>
}

export class Refusals {
  readonly #kept = new Map<string, { readonly untilMs: number; readonly refusal: Refusal }>()

  /** Returns what rules each node out; `nowMs` is monotonic. */
  explain(
    pools: NodePools<NodeFacts>,
    { prefer: _, avoid: __, weights: ___, ...hard }: Requirements,
    nowMs: number,
  ): Refusal {
    const key = JSON.stringify(hard)
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.untilMs > nowMs) return kept.refusal
    if (this.#kept.size >= KEPT) this.#kept.clear()
    const step = pools.mayLookAt(pools.size, nowMs) ? 1 : Math.ceil(pools.size / SAMPLE)
    const refusal = refusalBy(pools.nodes(), step, hard)
    this.#kept.set(key, { untilMs: nowMs + KEPT_MS, refusal })
    return refusal
  }
}

/** Looks at one node in each `step`. */
function refusalBy(nodes: Iterable<NodeFacts>, step: number, want: Requirements): Refusal {
  const excluded: Record<string, number> = {}
  let [considered, passed] = [0, 0]
  for (const node of nodes) {
    if (passed++ % step > 0) continue
    considered++
    const reason = rejection(node, want)
    // One that qualifies by now is no reason: it came, or got better, since the choice.
    if (reason === null) continue
    excluded[reason] = (excluded[reason] ?? 0) + 1
  }
  return { considered, excluded }
}
